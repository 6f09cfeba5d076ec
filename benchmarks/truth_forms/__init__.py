"""Statements about random maps in pairs of truth and lie, for `benchmarks/truth.py`; `form.py` tells how to write more."""
