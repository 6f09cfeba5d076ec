"""The folder of each image, with pictures and a record, as `saywhy attack` writes them."""
