"""The paraphrase grammar: for each form of statement the ways to say it, as data."""
