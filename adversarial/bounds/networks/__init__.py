"""Networks as graphs of few kinds of operations, computed in float64, so that bounds can be pushed through them."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
