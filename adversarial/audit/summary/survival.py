"""Shares with intervals, and what share of the images holds against distance and against queries."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING

from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Z = 1.959963984540054
"""The quantile of the normal distribution for intervals of 95 %."""

WILSON = "Wilson score intervals, 95%"
GREENWOOD = "Kaplan-Meier estimate; Greenwood intervals on the scale log(-log), 95%"


@dataclass(frozen=True)
class Share:
    """A number of things out of a number, with the interval of the share.

    Attributes:
        count: how many.
        of: out of how many.
        low: the lower end of the interval; None where `of` is 0.
        high: the upper end.
    """

    count: int
    of: int
    low: float | None
    high: float | None

    @property
    def value(self) -> float | None:
        """The share; None out of nothing."""
        return self.count / self.of if self.of else None


@dataclass(frozen=True)
class Step:
    """One step of a curve.

    Attributes:
        at: the distance, or the number of queries.
        value: the share that still holds there.
        low: the lower end of its interval; None where there is none (no image or no flip so far, or none left).
        high: the upper end.
        at_risk: how many images had not been turned and not been given up before it.
        flips: how many were turned there.
        censored: how many searches ended there without a flip.
    """

    at: float
    value: float
    low: float | None
    high: float | None
    at_risk: int
    flips: int
    censored: int


def wilson(count: int, of: int) -> Share:
    """A share with the interval of Wilson 1927: the values p with |count / of - p| <= z sqrt(p (1 - p) / of).

    Raises:
        UsageError: `count` is below 0 or above `of`.
    """
    if not all(isinstance(one, Integral) for one in (count, of)) or not 0 <= count <= of:
        raise UsageError(f"{argument('count')} must be from 0 to of, and {count!r} is not from 0 to {of!r}")
    if of == 0:
        return Share(0, 0, None, None)
    share, square = count / of, Z * Z
    centre = (share + square / (2 * of)) / (1 + square / of)
    half = Z / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    low = 0.0 if count == 0 else max(0.0, centre - half)
    return Share(count, of, low, 1.0 if count == of else min(1.0, centre + half))


def held_by_distance(distances: Iterable[float | None], wrong: int = 0) -> tuple[Step, ...]:
    """The share of images without a known adversarial example within each distance.

    No image is given up before the largest distance: where the search found nothing, no example is known at any distance. So
    the share is a plain proportion, and its interval is Wilson's. It is an upper bound of the share that truly holds there,
    because a longer search may find nearer examples.

    Args:
        distances: of each attacked image, None where nothing was found.
        wrong: images that the classifier saw wrongly before anything was changed: they count as turned at distance 0.
    """
    known = list(distances)
    turned = sorted(value for value in known if value is not None)
    total = len(known) + wrong
    if not total:
        return ()
    zero = sum(value <= 0 for value in turned)
    steps = [_proportion(0.0, total - wrong - zero, total, total, wrong + zero)]
    place = zero
    while place < len(turned):
        at, before = turned[place], place
        while place < len(turned) and turned[place] == at:
            place += 1
        steps.append(_proportion(at, total - wrong - place, total, total - wrong - before, place - before))
    return tuple(steps)


def _proportion(at: float, held: int, total: int, at_risk: int, flips: int) -> Step:
    share = wilson(held, total)
    return Step(at, held / total, share.low, share.high, at_risk, flips, 0)


def held_by_queries(outcomes: Iterable[tuple[int, bool]]) -> tuple[Step, ...]:
    """The Kaplan-Meier estimate of the share of images that have not been turned after so many queries.

    A search that found nothing is censored at its last query: it held so far, and what more queries would do is unknown.
    The interval is that of Greenwood 1926 on the scale log(-log S) (Kalbfleisch and Prentice 2002, section 1.4), which stays
    within [0, 1]; there is none before the first flip, and none where no image is left.

    Args:
        outcomes: of each attacked image, the queries to its first adversarial example and True, or those of the whole search
            and False.
    """
    times: dict[int, list[int]] = {}
    total = 0
    for queries, turned in outcomes:
        times.setdefault(queries, [0, 0])[0 if turned else 1] += 1
        total += 1
    if not total:
        return ()
    steps = [Step(0.0, 1.0, None, None, total, 0, 0)]
    value, variance, at_risk = 1.0, 0.0, total
    for at in sorted(times):
        flips, censored = times[at]
        value *= 1 - flips / at_risk
        if flips < at_risk:
            variance += flips / (at_risk * (at_risk - flips))
        low, high = _log_log(value, variance)
        steps.append(Step(float(at), value, low, high, at_risk, flips, censored))
        at_risk -= flips + censored
    return tuple(steps)


def _log_log(value: float, variance: float) -> tuple[float | None, float | None]:
    if not 0.0 < value < 1.0:
        return None, None
    spread = Z * math.sqrt(variance) / abs(math.log(value))
    return float(value ** math.exp(spread)), float(value ** math.exp(-spread))


def value_at(steps: Sequence[Step], at: float) -> Step | None:
    """The step that holds at a distance or a number of queries; None before the first one."""
    last = None
    for step in steps:
        if step.at > at:
            break
        last = step
    return last


def median_of(distances: Iterable[float | None]) -> float | None:
    """The smallest distance within which at least half of the images were turned; None where fewer than half were."""
    known = list(distances)
    turned = sorted(value for value in known if value is not None)
    place = (len(known) + 1) // 2
    return turned[place - 1] if known and len(turned) >= place else None
