"""Claims: one checkable statement about a map each, and `check`, which holds them against the map."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
