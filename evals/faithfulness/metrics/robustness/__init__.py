"""Metrics of how much a map changes where the input, the class or the model changes."""
