"""What all workers of an audit share, whatever they do and wherever they are: what they start with, and their messages."""
