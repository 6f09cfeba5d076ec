"""Regions of a picture: the patches they are made of, where they lie, and what colour they have."""
