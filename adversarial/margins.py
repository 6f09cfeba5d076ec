"""How far scores are from a flip."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Binary digits that gaps are rounded to. The last digits of a score depend on the size of the batch in which the classifier
# computed it; rounding keeps them from changing what a search does next.
DIGITS = 14
USUAL = 4  # gaps of the first answer are brought to 2^4 to 2^5 at most, where those of trained networks mostly are
EXACT = 52  # binary digits of a 64-bit float: smaller differences between scores are rounding
LARGEST = 50  # scores beyond 2^50 of those units count as these, so that 32-bit floats hold the squares of gaps


class GapScale:
    """Brings scores of any unit to one in which the largest gap of the first answer is from 16 to below 32.

    Searches compute in 32-bit floats and with small numbers that keep divisions finite; so what they do depends neither on the
    unit of the scores, nor on how far they are from 1. The factor is a power of two, which leaves all digits as they are.

    Attributes:
        step: what gaps are rounded to, after `apply`.
        unit: what 1 after `apply` was before.
    """

    def __init__(self) -> None:
        self._power: int | None = None

    @property
    def step(self) -> float:
        """See the class; before any two scores differed, a number far below any gap."""
        return math.ldexp(1.0, USUAL - DIGITS if self._power is not None else USUAL - DIGITS - EXACT)

    @property
    def unit(self) -> np.float64:
        """See the class."""
        return np.float64(1.0 if self._power is None else math.ldexp(1.0, self._power - USUAL))

    def apply(self, scores: NDArray[np.float64], pivot: int) -> NDArray[np.float64]:
        """Scores (N, K) in the unit of this scale; the first call in which they differ from that of class `pivot` sets it."""
        if self._power is None:
            self._power = _power(scores, pivot)
            if self._power is None:
                return scores - scores[:, :1]  # all are alike, whatever their unit
        limit = math.ldexp(1.0, min(LARGEST + self._power, 1023))
        return np.asarray(np.ldexp(np.clip(scores, -limit, limit), USUAL - self._power))


def _power(scores: NDArray[np.float64], pivot: int) -> int | None:
    """The n for which the largest gap to a class is from 2^n to below 2^(n + 1), or None where all are 0."""
    top = math.frexp(float(np.abs(scores).max()))[1]
    within = np.ldexp(scores, -top)  # below 1, so that differences do not overflow
    gap = float(np.abs(within - within[:, pivot : pivot + 1]).max())
    # what is left of a smaller gap when it is rounded is less than the scores have digits for
    return top + math.frexp(max(gap, math.ldexp(1.0, DIGITS - EXACT)))[1] - 1 if gap else None


def margin(scores: NDArray[np.floating], label: int, target: int | None = None) -> NDArray[np.floating]:
    """(N,) how far each row of (N, K) scores is from the goal: negative where it is reached, and 0 at a tie.

    Without a target: the label's score less the best other score. With one: the best other score less the target's.
    """
    pivot = label if target is None else target
    rest = np.delete(scores, pivot, axis=1).max(axis=1)
    gap: NDArray[np.floating] = scores[:, pivot] - rest
    return gap if target is None else -gap


def value_of(gaps: NDArray[np.floating], *, every: bool) -> NDArray[np.floating]:
    """(...,) the gap that decides, of gaps (..., K - 1) of which one, or `every` one, must be above 0."""
    return np.asarray(gaps.min(axis=-1) if every else gaps.max(axis=-1))


def on_its_side(gaps: NDArray[np.float64], reached: NDArray[np.bool_], step: float, *, every: bool) -> NDArray[np.float64]:
    """The gaps (N, K - 1), in place, with a deciding one that is 0 or on the wrong side brought to the side of `reached` (N,).

    It becomes a `step` above 0 where the goal is reached, and one below 0 where it is not.
    """
    value = value_of(gaps, every=every)
    if not np.where(reached, value <= 0, value >= 0).any():
        return gaps
    for rows, sign in ((~reached & (value >= 0), -step), (reached & (value <= 0), step)):
        places = np.flatnonzero(rows)
        if len(places) and every == (sign > 0):
            gaps[places] = np.maximum(gaps[places], sign) if sign > 0 else np.minimum(gaps[places], sign)
        elif len(places):
            gaps[places, (gaps[places].argmax if sign > 0 else gaps[places].argmin)(axis=1)] = sign
    return gaps


def deciding(gaps: NDArray[np.float64], *, every: bool) -> NDArray[np.float64]:
    """The gaps (N, K) of which one must be closed: all of them, or where every one must be closed, the farthest (N, 1)."""
    return np.asarray(gaps.min(axis=1, keepdims=True)) if every else gaps


def most_possible(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, K) top-k answers in which each class that was left out has the most that it can have.

    Those classes are told from the others by their equal shares, the least of their row. Together they had what is left of 1;
    alone, each could have all of it, or the least of the classes that were told where that is less. Thus scores do not leap
    where a class enters the answer.
    """
    share = scores.min(axis=1, keepdims=True)
    left_out = scores == share
    least = np.where(left_out, np.inf, scores).min(axis=1, keepdims=True)
    most = np.minimum(share * left_out.sum(axis=1, keepdims=True), least)
    return np.asarray(np.where(left_out, np.where(np.isfinite(least), most, share), scores))
