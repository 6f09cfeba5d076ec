"""Image classifiers as black boxes: counted, checked, and opened from a line of text."""

from __future__ import annotations

import lazy_loader

from saywhy_core.errors import BudgetExceeded

__getattr__, _, _lazy = lazy_loader.attach_stub(__name__, __file__)
__all__ = [*_lazy, "BudgetExceeded"]
__dir__ = __all__.copy
