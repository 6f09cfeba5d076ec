"""Encoders that map images and texts to vectors in one space: CLIP, ConSE, or a sentence encoder alone."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
