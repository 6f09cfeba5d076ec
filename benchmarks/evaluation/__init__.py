"""Measurements of attribution and of its evaluation: cost, faithfulness, and the networks that they run on."""
