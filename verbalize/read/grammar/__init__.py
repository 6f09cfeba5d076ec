"""The words that the reader knows, by class, and the notation in which rules are patterns over these classes."""
