"""Proofs about the images of an audit: the fewest pixels that flip each, from below."""
