"""Computations that end: a ceiling on their time, also where nothing can be stopped from within."""
