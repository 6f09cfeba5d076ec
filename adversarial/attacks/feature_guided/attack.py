"""The feature-guided search as an attack: the fewest changed pixels, by Monte Carlo tree search."""

from __future__ import annotations

import numpy as np

from adversarial.attacks.feature_guided.search import PixelSearch
from adversarial.attacks.moves import make_move_table
from adversarial.attacks.registry import Attack, Task


def start(task: Task) -> PixelSearch:
    """The search for one image; see `PixelSearch`."""
    moves = make_move_table(task.log.image, task.manipulation)
    if task.mask is not None:
        moves = moves.within(task.mask.ravel())
    return PixelSearch(task.log, moves, task.mixture, np.random.default_rng(task.seed), task.log.budget)


FEATURE_GUIDED = Attack(name="feature_guided", start=start, uses_mixture=True, uses_manipulation=True)
