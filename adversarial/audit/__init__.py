"""Attacks on many images: which, with what, and where the results go."""
