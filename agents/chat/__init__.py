"""Chat models: one door to all of them, with a cache, ceilings, retries, and replies that must validate."""

from __future__ import annotations

import lazy_loader

from saywhy_core.errors import BudgetExceeded

__getattr__, __dir__, _lazy = lazy_loader.attach_stub(__name__, __file__)
__all__ = [*_lazy, "BudgetExceeded"]
