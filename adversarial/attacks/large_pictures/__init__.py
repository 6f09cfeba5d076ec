"""What searches on large pictures are spared: fewer numbers in blocks and cells, and sets of changes in little memory."""
