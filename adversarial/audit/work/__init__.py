"""What is done to each image of an audit, and what becomes of it."""
