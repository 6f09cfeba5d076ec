"""Models that a line of text names, such as `transformers:FOLDER`: the kinds, and how each is opened."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
