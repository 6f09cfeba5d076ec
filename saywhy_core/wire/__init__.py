"""What goes over the wire to a server, and what is let in from there: bounded in time and size, with no word of a secret."""
