"""Claims about the model: what it predicted, how sure it was, and what it thought next likely."""
