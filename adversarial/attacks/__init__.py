"""The attacks, one file or folder each."""
