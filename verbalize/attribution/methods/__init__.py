"""Attribution methods, one per file, in wings: each explains texts, images, or a layer of features."""
