"""Compares optimised prompts with what a user would pick instead (prototypes, Tip-Adapter, linear probes), and picks."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
