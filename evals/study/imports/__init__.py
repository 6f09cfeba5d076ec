"""Answers from elsewhere: one file per platform, and tables with a mapping of their columns."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
