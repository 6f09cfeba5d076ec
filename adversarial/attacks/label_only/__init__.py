"""Attacks on classifiers that answer with nothing but their decision."""
