"""Other attacks, under the same count of queries."""
