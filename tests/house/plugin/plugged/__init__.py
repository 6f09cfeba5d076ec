"""Things from outside."""
