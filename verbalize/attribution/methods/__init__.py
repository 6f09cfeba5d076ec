"""Attribution methods, one family per file. Each explains texts, images, or a layer of features."""
