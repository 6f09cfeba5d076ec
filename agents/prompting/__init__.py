"""Descriptions of classes and prompts: how they are made, kept, rated and searched."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
