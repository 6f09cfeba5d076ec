"""Metrics of what the model still says where it sees only the most important parts."""
