"""Searches for the spans of a token map."""
