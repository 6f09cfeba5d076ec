"""Reads sentences of the paraphrase grammar whole, by a look-up; the rules would cut such a sentence into clauses."""
