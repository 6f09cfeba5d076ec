"""Makes claims of what a clause says: which side, how much, which place."""
