"""The models that a map can be made from, and on which a sentence can be tested: one small protocol per kind of input.

`as_model` turns what a user has (a torch module, a transformers model, a black box) into one of these.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
