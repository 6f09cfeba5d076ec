"""L1: the sum of the absolute differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from adversarial.distances.distance import Distance
from adversarial.distances.geometry import TINY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def absolute_sum(differences: NDArray[np.floating]) -> Floats:
    """(N,) sums of the absolute differences."""
    return np.asarray(np.abs(differences, dtype=np.float64).sum(axis=(-3, -2, -1)))


def nearest(slope: Floats, need: float, low: Floats, high: Floats) -> Floats:
    """See `Distance.nearest`: the steepest values go to their end of the box, one after the other; the last goes part-way."""
    slopes = slope.ravel()
    reach = np.where(slopes > 0, high.ravel(), low.ravel())
    gains = slopes * reach
    order = np.argsort(-np.abs(slopes), kind="stable")
    total = np.cumsum(gains[order])
    move = np.zeros(slopes.size)
    count = int(np.searchsorted(total, need))
    move[order[:count]] = reach[order[:count]]
    if count < slopes.size:
        rest = need - (total[count - 1] if count else 0.0)
        move[order[count]] = reach[order[count]] * min(1.0, rest / max(gains[order[count]], TINY))
    return move.reshape(slope.shape)


L1 = Distance(name="l1", title="L1", measure=absolute_sum, nearest=nearest, power=1.0)
