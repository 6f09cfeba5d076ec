"""For those who bring their own optimiser of prompts: saywhy's evaluator, with feedback in words, for GEPA and for DSPy."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
