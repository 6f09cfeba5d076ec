"""What captions name, and what they say: class names in texts, words, and whether two texts say the same."""
