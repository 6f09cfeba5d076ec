"""Claims: checkable statements about a map, and `check`, which says which of them are false."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
