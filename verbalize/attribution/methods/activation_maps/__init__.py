"""Class activation maps: where the features of a layer speak for a class."""
