"""Evaluates texts about maps: truth, coverage, omissions, length and readability."""

from __future__ import annotations

import lazy_loader

from verbalize.claims import ERROR_KINDS

__getattr__, _, _lazy = lazy_loader.attach_stub(__name__, __file__)
__all__ = [*_lazy, "ERROR_KINDS"]
__dir__ = __all__.copy
