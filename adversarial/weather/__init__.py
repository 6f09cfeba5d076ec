"""Does the decision hold in the weather? Ordinary changes of an image, beside those that a search finds."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
