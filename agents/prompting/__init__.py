"""Prompts and descriptions of classes: how they are made, kept, rated and searched."""
