"""Is a classifier asked as it wants to be asked? Variants of its images, and what their answers say."""
