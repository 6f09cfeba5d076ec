"""Methods that change the input and watch the score: they need nothing of the model but its scores."""
