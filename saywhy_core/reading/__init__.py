"""What is read of other people's files: ceilings on what one input may hold, and documents within them."""
