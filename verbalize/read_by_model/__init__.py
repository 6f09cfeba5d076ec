"""A second reader: a language model turns sentences that no rule reads into claims, which are checked like all others."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
