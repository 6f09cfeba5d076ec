"""Objects in the replies of models: the JSON values in a text, and which of them fits a schema without a guess."""
