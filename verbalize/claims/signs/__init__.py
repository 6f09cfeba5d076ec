"""Claims about what speaks for the label, what speaks against it, and what does not matter."""
