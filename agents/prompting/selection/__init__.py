"""What is chosen after the search: folds, weights of prompts, and prompts that can go."""
