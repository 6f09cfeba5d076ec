"""The feature-guided search for the fewest pixels, and its parts."""
