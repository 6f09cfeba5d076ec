"""The attack "waves": which search an image gets where the distance has a geometry and scores are told."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from adversarial.attacks.feature_guided.attack import start as pixel_search
from adversarial.attacks.large_pictures.coarse_log import coarsely
from adversarial.attacks.registry import ATTACKS, Attack
from adversarial.attacks.scored_boundary import ScoredBoundary
from adversarial.attacks.sparse_moves.search import SparseMoves
from adversarial.attacks.waves import WaveSearch
from adversarial.manipulations import load_manipulation

if TYPE_CHECKING:
    from adversarial.attacks.registry import ImageSearch, Task


def start(task: Task) -> ImageSearch:
    """The search for one image: along the boundary in p-norms with p above 1 and without a target, else by waves.

    See `ScoredBoundary` and `WaveSearch`. With a target, the model's nearest flips are tried first, since starts that reach it
    are rare; in p-norms with p above 1, the search along the boundary goes on from those where some tries brought no flip.
    Large pictures are searched in blocks (see `coarsely`). In L1 and without a target, few pixels
    are looked for as well (see `SparseMoves`): those that reach a target are found too late to begin with them.
    """
    by_waves = coarsely(task, _begin)
    if task.distance.power != 1 or task.log.target is not None:
        return by_waves
    few = pixel_search(replace(task, manipulation=load_manipulation("corners"), mixture=None, lessons=None))
    return SparseMoves(task.log, few, by_waves)


def _begin(task: Task) -> ImageSearch:
    name = task.distance.served_by_label
    # loaded when it is needed, which is seldom
    by_decision = None if name is None or name not in ATTACKS else partial(_start, name, task)
    rng = np.random.default_rng(task.seed)
    by_waves = partial(WaveSearch, task.log, task.distance, rng, task.mask, by_decision=by_decision)
    if (task.distance.power or 1.0) <= 1:
        return by_waves()
    by_starts = partial(
        ScoredBoundary, task.log, task.distance, rng, task.mask, by_decision=by_decision, by_waves=by_waves
    )  # fmt: skip
    return by_starts() if task.log.target is None else by_waves(by_starts=by_starts)


def _start(name: str, task: Task) -> ImageSearch:
    return ATTACKS.get(name).start(task)


WAVES = Attack(name="waves", start=start, uses_mixture=False, uses_manipulation=False, needs_geometry=True)
