"""Methods that look into transformers: at the attention of tokens to tokens, or at the features of patches."""
