"""The parts of the driver: one image's attack on its way, and calls of the classifier on their way."""
