"""The attacks: one file or folder for each, found through the registry `ATTACKS`."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
