"""Claims about order: which part matters most, which least, and which more than another."""
