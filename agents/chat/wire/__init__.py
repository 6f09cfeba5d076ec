"""What goes over the wire to a server of language models, and what is let in from there: clean, and with no key in sight."""
