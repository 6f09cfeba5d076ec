"""Chat models, all made by one function, with a cache, ceilings, retries, and replies that are validated."""

from __future__ import annotations

import lazy_loader

from saywhy_core.errors import BudgetExceeded

__getattr__, _, _lazy = lazy_loader.attach_stub(__name__, __file__)
__all__ = [*_lazy, "BudgetExceeded"]
__dir__ = __all__.copy
