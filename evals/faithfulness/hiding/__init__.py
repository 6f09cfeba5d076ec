"""Which parts of inputs are hidden, in which order, and the runs of the model on what is left."""
