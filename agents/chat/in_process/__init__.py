"""Language models in this process: weights, batches, replies held to a schema."""
