"""Many maps to few: signed maps are clustered, and each cluster is shown by its mean maps, in pictures and in words."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
