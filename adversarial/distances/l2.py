"""L2: the Euclidean length of the differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from adversarial.distances.distance import Distance
from adversarial.distances.geometry import clipped_ray

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def euclidean_length(differences: NDArray[np.floating]) -> Floats:
    """(N,) roots of the summed squares of the differences."""
    return np.asarray(np.sqrt(np.square(differences, dtype=np.float64).sum(axis=(-3, -2, -1))))


def nearest(slope: Floats, need: float, low: Floats, high: Floats) -> Floats:
    """See `Distance.nearest`: along the slope, clipped to the box."""
    return clipped_ray(slope, slope, need, low, high)


L2 = Distance(name="l2", title="L2", measure=euclidean_length, nearest=nearest, power=2.0)
