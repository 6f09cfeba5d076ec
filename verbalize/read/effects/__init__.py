"""Reads sentences about what the model does without a part, with a part alone, or with other words in its place."""
