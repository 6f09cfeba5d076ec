"""Images as arrays: float32, height x width x channels, values in [0, 1], RGB or grey."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
