"""The two-player game of Wicker et al. (2018) and Wu et al. (2020), and the stock `mcts` package that plays it."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
