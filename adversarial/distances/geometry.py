"""What distances share in finding the nearest flip of a linear function inside a box."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

TINY = 1e-300  # in the place of a divisor of 0
FARTHEST = 1e12  # multipliers beyond it move nothing any more: every value with a slope lies at its end of the box
HALVINGS = 60  # more than the digits of a float need
SECANTS = 20  # evaluations at most; mostly five to eight
NARROW = 1e-8  # relative width of the bracket: the last step of the bisection seldom lands inside it
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
    flat = moved.ravel()

    def move(multiplier: float) -> Floats:
        np.multiply(direction, multiplier, out=moved)
        np.maximum(moved, low, out=moved)  # faster than np.clip
        return np.minimum(moved, high, out=moved)

    def rise(multiplier: float) -> float:
        move(multiplier)
        return float(slopes @ flat)

    below, above = 0.0, 1.0 / max(float(np.abs(direction).max()), TINY)
    # where no value moves against its slope, a farther point never rises less, not even by rounding, as sums keep their order
    rising = bool((direction.ravel() * slopes >= 0).all())
    short, enough = _bracket(rise, need, above) if rising else (-math.inf, math.inf)

    def falls_short(multiplier: float) -> bool:
        return multiplier <= short or (multiplier < enough and rise(multiplier) < need)

    while falls_short(above) and above < FARTHEST:
        below, above = above, 4 * above
    for _ in range(HALVINGS):
        middle = (below + above) / 2
        if falls_short(middle):
            below = middle
        else:
            above = middle
        if above - below < PRECISE * above:
            break
    return move(above)


def _bracket(rise: Callable[[float], float], need: float, start: float) -> tuple[float, float]:
    """Two multipliers close to each other, the first of which falls short of `need` and the second doesn't.

    They are found by secants in a few steps, and spare the bisection most of its evaluations. Where they are not found, the
    first is as far as was seen to fall short, and the second infinite.
    """
    short, enough = 0.0, math.inf
    before, risen_before, at = 0.0, 0.0, start
    for _ in range(SECANTS):
        risen = rise(at)
        if risen < need:
            short = max(short, at)
        else:
            enough = min(enough, at)
        if enough - short <= NARROW * enough:
            break
        steepness = (risen - risen_before) / (at - before) if at != before else 0.0
        following = at + (need - risen) / steepness if steepness > 0 else math.nan
        if abs(following - at) <= NARROW * at:  # it is there: try the other side
            following = at * (1 + NARROW / 2 if risen < need else 1 - NARROW / 2)
        if not short < following < enough:
            following = (short + enough) / 2 if math.isfinite(enough) else 4 * at
        before, risen_before, at = at, risen, following
        if at > FARTHEST:
            break
    return short, enough
