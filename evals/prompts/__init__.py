"""Evaluates prompts: accuracy before and after, images fixed and broken, and controls that show whether the words matter."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
