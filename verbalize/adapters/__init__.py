"""Maps from other things than attribution methods: tiles, segments, gaze, visual tokens, steps of time, groups of inputs.

Each function takes plain arrays or tensors, and its recipe for the libraries that make them stands in docs/adapters.md.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
