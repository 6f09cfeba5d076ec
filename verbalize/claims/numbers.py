"""Comparing a number that a text states with the number that the map gives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim

ROUNDING = 1e-9  # relative rounding error of sums of floats, which does not make a claim false


def is_stated(claim: Claim, actual: float, size: float = 1.0) -> bool:
    """Whether the claim's value is the actual number, to within its tolerance and the rounding of sums.

    Args:
        claim: the claim, with its `value` and `tolerance`.
        actual: the number that the map gives. A number that is not finite is never the stated one.
        size: the size of the numbers that were summed up, to which rounding is relative.
    """
    if claim.value is None or not math.isfinite(actual):
        return False
    return abs(claim.value - actual) <= claim.tolerance + ROUNDING * max(size, abs(actual))


def written(number: float) -> str:
    """A stated number, to four digits."""
    return f"{number:.4g}"
