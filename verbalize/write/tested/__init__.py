"""Sentences about what the model does with a changed input. Each was tested on the model before it is written."""
