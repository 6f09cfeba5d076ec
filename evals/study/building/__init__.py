"""From maps to a study's folder: which inputs, what is shown of each, and everything around it in plain words."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
