"""Attribution methods, one family per file: what each does to a text, to an image, or to a layer of features."""
