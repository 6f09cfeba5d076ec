"""Pixel maps from arrays: in memory, in array files, and in grey pictures."""
