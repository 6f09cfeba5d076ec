"""The second look at an image: its candidate classes, and decisions among them by descriptions of their pairs."""
