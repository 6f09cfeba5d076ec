"""Sentences from templates: the words for parts, labels and numbers, which parts to name, and what to say of them."""
