"""Several audits: two compared image by image, rules on what may not get worse, and shards put together."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
