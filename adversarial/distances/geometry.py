"""What distances share in finding the nearest flip of a linear function inside a box."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

TINY = 1e-300  # in the place of a divisor of 0
FARTHEST = 1e12  # multipliers beyond it move nothing any more: every value with a slope lies at its end of the box
HALVINGS = 60  # more than the digits of a float need
PRECISE = 1e-6  # relative error of the multiplier; far below what the linear model itself is wrong by


def clipped_ray(direction: Floats, slope: Floats, need: float, low: Floats, high: Floats) -> Floats:
    """The first point of the ray `direction`, clipped to the box, at which the linear function has risen by `need`.

    This is the smallest move for every distance that sums one convex power of each value: the conditions of Karush, Kuhn
    and Tucker give a move of t * direction, clipped to the box, with the one multiplier t. The direction is the slope in
    L2, its signs in L-infinity, sign(slope) * |slope| ** (1 / (p - 1)) in the p-norm, and slope / weights in an L2 with
    weights. The multiplier is found by bisection.

    Args:
        direction: where the ray leads; any shape.
        slope: the gradient of the linear function, of the same shape.
        need: by how much the function must rise; above 0.
        low: the lower ends of the box, of the same shape; at most 0.
        high: the upper ends; at least 0.

    Returns:
        The move; where the box doesn't allow a rise of `need`, the move with the greatest rise.
    """
    slopes = slope.ravel()
    moved = np.empty(np.shape(direction))

    def move(multiplier: float) -> Floats:
        np.multiply(direction, multiplier, out=moved)
        np.maximum(moved, low, out=moved)  # faster than np.clip
        return np.minimum(moved, high, out=moved)

    below, above = 0.0, 1.0 / max(float(np.abs(direction).max()), TINY)
    while float(slopes @ move(above).ravel()) < need and above < FARTHEST:
        below, above = above, 4 * above
    for _ in range(HALVINGS):
        middle = (below + above) / 2
        if float(slopes @ move(middle).ravel()) < need:
            below = middle
        else:
            above = middle
        if above - below < PRECISE * above:
            break
    return move(above)
