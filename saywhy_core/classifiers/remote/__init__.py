"""Image classifiers behind a server: one file per protocol, and what they share."""
