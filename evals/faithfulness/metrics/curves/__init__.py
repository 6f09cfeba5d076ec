"""Metrics of how the score changes while more and more of the input is hidden, in the order of the map."""
