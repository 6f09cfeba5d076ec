"""Claims about what the model does with a changed input, one file per kind. Only running the model decides them."""
