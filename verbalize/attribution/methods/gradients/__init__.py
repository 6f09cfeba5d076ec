"""Methods that follow the gradients of the score back to the input, or rules in their place."""
