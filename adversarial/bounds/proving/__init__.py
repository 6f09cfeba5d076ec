"""The search for a proof that no few pixels flip a network's class: sets of sets of pixels, bounded and split."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
