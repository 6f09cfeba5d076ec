"""The network inside a classifier, for those who prove something about it."""
