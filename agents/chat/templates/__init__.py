"""Chat templates of models in this process, rendered in a process of their own."""
