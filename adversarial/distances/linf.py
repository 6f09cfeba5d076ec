"""L-infinity: the greatest absolute difference."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from adversarial.distances.distance import Distance
from adversarial.distances.geometry import clipped_ray

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def greatest(differences: NDArray[np.floating]) -> Floats:
    """(N,) greatest absolute differences."""
    return np.asarray(np.abs(differences, dtype=np.float64).max(axis=(-3, -2, -1)))


def nearest(slope: Floats, need: float, low: Floats, high: Floats) -> Floats:
    """See `Distance.nearest`: every value with a slope moves equally far, up or down as the slope goes."""
    return clipped_ray(np.sign(slope), slope, need, low, high)


LINF = Distance(
    name="linf",
    title="L-infinity",
    measure=greatest,
    nearest=nearest,
    power=math.inf,
    served_by_label="label_rays",
    change="{pixels}, no value by more than {value},",
)
