"""How far an image is from another: L0, L1, L2, L-infinity, and what other distributions register."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
