"""Participants who are no people: scripted ones, whose score can be worked out by hand, and language models."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
