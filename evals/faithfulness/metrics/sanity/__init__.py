"""Sanity checks: does a map depend on the class that is asked about, and on what the model has learned?"""
