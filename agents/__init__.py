"""Everything that talks to a language model or an image-text model."""
