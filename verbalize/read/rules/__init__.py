"""The rules of the reader, as data: patterns over word classes, what each says, and examples."""
