"""Saliency maps in and out, from saywhy's own files and from other tools' files and objects.

A format is one module with a `Format` and one line in `FORMATS`.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
