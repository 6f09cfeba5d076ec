"""Classifiers from a few labelled images, in an encoder's space: prototypes, Tip-Adapter and linear probes."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
