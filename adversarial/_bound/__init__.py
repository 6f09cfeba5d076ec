"""What `adversarial.bound` rests on: the grid, the questions asked on it, the constant, and what is said of the outcome."""
