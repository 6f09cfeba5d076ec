"""Attacks on many images: which images, by which attack, and a folder with the finding of each."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
