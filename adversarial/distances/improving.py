"""Which of many images are ever nearer to an original."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from adversarial.distances.distance import Distance

    Images: TypeAlias = NDArray[np.float32]

LARGE = 27_648  # numbers of an image, above which distances are first told roughly: double precision takes a while for these
SURELY = 1e-3  # beyond the nearest so far: much more than single precision errs by


def improving(
    distance: Distance, image: Images, images: Images, rows: Iterable[int], nearest: float
) -> Iterator[tuple[int, float]]:
    """Those of the rows whose images are nearer than all before, with their distances.

    Args:
        distance: the distance.
        image: (H, W, C) the original.
        images: (N, H, W, C).
        rows: the rows that are looked at, in their order.
        nearest: the distance of the nearest image so far; infinite where there is none.
    """
    rows = list(rows)
    if image.size <= LARGE:
        known = distance.measure(np.subtract(images[rows], image, dtype=np.float64)).tolist()
    for place, row in enumerate(rows):
        if image.size <= LARGE:
            far = known[place]
        else:
            difference = images[row] - image
            if _is_farther(distance, difference, nearest):
                continue
            one = difference[None]  # single precision tells as well as double whether values differ
            far = float(distance.measure(one)[0]) if distance.counts_pixels else distance.between(image, images[row])
        if far < nearest:
            nearest = far
            yield row, far


def _is_farther(distance: Distance, difference: Images, nearest: float) -> bool:
    """Whether single precision is enough to say that a difference is larger than the nearest so far."""
    if distance.power == 2:
        flat = difference.ravel()
        return float(flat @ flat) > ((1 + SURELY) * nearest) ** 2
    if distance.power == 1:
        return float(np.abs(difference).sum()) > (1 + SURELY) * nearest
    if distance.power == math.inf:
        return max(float(difference.max()), -float(difference.min())) > (1 + SURELY) * nearest
    return False
