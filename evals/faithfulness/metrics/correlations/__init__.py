"""Metrics that hold the scores of parts against what hiding these parts does."""
