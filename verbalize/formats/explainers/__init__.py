"""Readers of what explainers of texts return or save, one file per library."""
