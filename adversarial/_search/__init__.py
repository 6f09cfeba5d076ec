"""What the attack rests on: the order of its searches, the statistics they share, and their steps."""
