"""The feature-guided search as an attack: the fewest changed pixels, by Monte Carlo tree search."""

from __future__ import annotations

from functools import partial

import numpy as np

from adversarial.attacks.feature_guided.experience import Experience
from adversarial.attacks.feature_guided.search import PixelSearch
from adversarial.attacks.label_only.pixels import LabelPixels
from adversarial.attacks.moves import make_move_table
from adversarial.attacks.registry import Attack, Task


def start(task: Task) -> PixelSearch:
    """The search for one image; see `PixelSearch`."""
    moves = make_move_table(task.log.image, task.manipulation)
    if task.mask is not None:
        moves = moves.within(task.mask.ravel())
    by_decision = partial(LabelPixels.going_on, task)
    rng = np.random.default_rng(task.seed)
    experience = None if task.lessons is None else Experience(task.lessons, task.log.label, moves)
    return PixelSearch(task.log, moves, task.mixture, rng, by_decision=by_decision, experience=experience)


FEATURE_GUIDED = Attack(name="feature_guided", start=start, uses_mixture=True, uses_manipulation=True, learns=True)
