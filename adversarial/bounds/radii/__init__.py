"""A radius around an image that is free of adversarial examples, by a grid and a Lipschitz constant."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
