"""Finding what a sentence names: quotations, parts of the input, labels and numbers, each reduced to one mark."""
