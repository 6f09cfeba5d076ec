"""Is a caption a description of its class? Refused is what says nothing of an image, or tells no class from another."""
