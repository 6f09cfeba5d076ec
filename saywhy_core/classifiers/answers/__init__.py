"""What classifiers answer (logits, probabilities, sigmoids, a few classes, a decision alone), read as rows of scores."""
