"""The parts of a map: spans of a text, and regions of a picture with their places and colours in words."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
