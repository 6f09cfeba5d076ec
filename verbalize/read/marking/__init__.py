"""Marks what a sentence names: each quotation, part of the input, label and number becomes one character."""
