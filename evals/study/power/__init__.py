"""How many participants does a study need, and what can it show? By simulation of whole studies."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
