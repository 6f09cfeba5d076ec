"""L1: the sum of the absolute differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from adversarial.distances.distance import Distance
from adversarial.distances.geometry import TINY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEW = 256  # values that are sorted at first: small changes need no more, and sorting all of them takes half of the time


def absolute_sum(differences: NDArray[np.floating]) -> Floats:
    """(N,) sums of the absolute differences."""
    return np.asarray(np.abs(differences, dtype=np.float64).sum(axis=(-3, -2, -1)))


def nearest(slope: Floats, need: float, low: Floats, high: Floats) -> Floats:
    """See `Distance.nearest`: the steepest values go to their end of the box, one after the other; the last goes part-way."""
    slopes = slope.ravel()
    few = FEW
    while True:
        order = _steepest(slopes, few)
        steep = slopes[order]
        reach = np.where(steep > 0, high.ravel()[order], low.ravel()[order])
        gains = steep * reach
        total = np.cumsum(gains)
        if len(order) == slopes.size or total[-1] >= need:
            break
        few *= 8
    move = np.zeros(slopes.size)
    count = int(np.searchsorted(total, need))
    move[order[:count]] = reach[:count]
    if count < slopes.size:
        rest = need - (total[count - 1] if count else 0.0)
        move[order[count]] = reach[count] * min(1.0, rest / max(gains[count], TINY))
    return move.reshape(slope.shape)


def _steepest(slopes: Floats, few: int) -> NDArray[np.int64]:
    """The places of the steepest values, the steepest first and equal ones in their order: at least `few`, or all."""
    falling = -np.abs(slopes)
    if few >= len(falling):
        return np.argsort(falling, kind="stable")
    places = np.flatnonzero(falling <= np.partition(falling, few - 1)[few - 1])
    return np.asarray(places[np.argsort(falling[places], kind="stable")])


L1 = Distance(name="l1", title="L1", measure=absolute_sum, nearest=nearest, power=1.0)
