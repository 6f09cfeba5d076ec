"""Estimates of one measure in its own unit: means, differences and equivalence, with a word where one can't be had."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, isfinite, log
from typing import TYPE_CHECKING

import numpy as np

from evals.study.analysis.measures import VERSUS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evals.study.analysis.measures import Measure
    from evals.study.analysis.settings import Settings
    from evals.study.analysis.statistics import Crossed, Difference

    Interval = tuple[float | None, float | None, float | None]


LEAST = 1.0
"""Degrees of freedom of a standard error below which nothing is known about it: an interval would reach over any range."""
UNKNOWN = "the answers don't tell how far participants and items differ, so there is no interval and no test"


@dataclass(frozen=True)
class Found:
    """A mean or a difference, in the unit of its measure: shares, points of the rating, seconds, or ratios of seconds.

    Attributes:
        value: the estimate; None where there is none.
        low: lower end of its interval; None where the answers determine none.
        high: upper end.
        p: of no difference, or of a share of one half; None where nothing is tested.
        effects: effect sizes by name.
        participants: how many participants it comes from.
        items: how many items.
        note: one sentence where something limits it, else "".
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    effects: Mapping[str, float] | None = None
    participants: int = 0
    items: int = 0
    note: str = ""

    def mirrored(self) -> Found:
        """The share of the other side of a pair."""
        value, low, high = (None if one is None else 1 - one for one in (self.value, self.high, self.low))
        return replace(self, value=value, low=low, high=high)

    def with_p(self, p: float | None) -> Found:
        """The same with another p."""
        return replace(self, p=p)


def crossed_of(measure: Measure) -> Crossed:
    """The values in the form that the statistics take; times by their logarithms."""
    from evals.study.analysis.statistics import Crossed

    values = np.log(measure.values) if measure.kind == "seconds" else measure.values
    return Crossed.of(values, measure.participants.tolist(), measure.items.tolist(), measure.conditions.tolist())


def means_of(measure: Measure, settings: Settings, *, resampled: bool = False) -> dict[str, Found]:
    """The mean of each condition, in the order of the results.

    Args:
        measure: the values.
        settings: the level of the intervals, and the bootstrap.
        resampled: take the bootstrap over participants and items instead of Student's t.
    """
    from evals.study.analysis.statistics import estimate

    if not len(measure):
        return {}
    bounds = _bounds(measure, settings)
    found = estimate(
        crossed_of(measure),
        level=1 - settings.alpha,
        bounds=bounds,
        method="bootstrap" if resampled else "t",
        draws=settings.bootstrap if resampled else None,
        seed=settings.seed if resampled else None,
    )
    by_name = {}
    for one in found:
        p = None
        if measure.kind == "preference" and one.error > 0:
            from scipy.stats import t

            p = float(2 * t.sf(abs(one.mean - 0.5) / one.error, one.freedom))
        low, high = (one.low, one.high) if bounds else _told(one.freedom, one.low, one.high)
        by_name[one.condition] = Found(
            *_in_unit(measure, one.mean, low, high), p=p, participants=one.participants, items=one.items, note=one.note
        )
    return {name: by_name[name] for name in _ordered(by_name, settings)}


def differences_of(measure: Measure, pairs: Sequence[tuple[str, str]], settings: Settings) -> list[Found]:
    """The difference of each pair (condition, reference); of times, the ratio."""
    from evals.study.analysis.statistics import differences

    if not pairs:
        return []
    bounds = _bounds(measure, settings)
    most = bounds[1] - bounds[0] if bounds else float("inf")  # no difference of means is larger

    def ends(one: Difference) -> tuple[float, ...]:
        return _told(one.freedom, max(one.low, -most), min(one.high, most)) if isfinite(one.low) else (one.low, one.high)

    return [
        Found(
            *_in_unit(measure, one.difference, *ends(one)), p=_number(*_told(one.freedom, one.p)),
            effects=one.effects, participants=one.participants, items=one.items,
            note=UNKNOWN if one.freedom < LEAST and not one.note else one.note,
        )
        for one in differences(crossed_of(measure), pairs=pairs, level=1 - settings.alpha)
    ]  # fmt: skip


def equivalence_of(measure: Measure, pair: tuple[str, str], margin: float, settings: Settings) -> Found:
    """Two one-sided tests that a pair differs by less than a margin; of times, by less than this share."""
    from evals.study.analysis.statistics import equivalence

    within = log(1 + margin) if measure.kind == "seconds" else margin
    (one,) = equivalence(crossed_of(measure), within, pairs=[pair], alpha=settings.alpha)
    return Found(*_in_unit(measure, one.difference, one.low, one.high), p=_number(one.p), note=one.note)


def preferred_of(
    measure: Measure, pair: tuple[str, str], margin: float | None, settings: Settings
) -> tuple[Found, Found | None]:
    """By how much more than in one half of the comparisons the first of a pair was preferred.

    Returns:
        the difference from one half, and its two one-sided tests where a margin is given.
    """
    from scipy.stats import t

    from evals.study.analysis.statistics import estimate

    first, second = sorted(pair)
    part = measure.under(f"{first}{VERSUS}{second}")
    sign = 1.0 if pair[0] == first else -1.0
    (one,) = estimate(crossed_of(part), level=1 - settings.alpha, bounds=(0.0, 1.0))
    value, low, high = sign * (one.mean - 0.5), *sorted((sign * (one.low - 0.5), sign * (one.high - 0.5)))
    known = one.error > 0
    p = float(2 * t.sf(abs(value) / one.error, one.freedom)) if known else None
    found = Found(*_in_unit(part, value, low, high), p=p, participants=one.participants, items=one.items, note=one.note)
    if margin is None:
        return found, None
    (narrow,) = estimate(crossed_of(part), level=1 - 2 * settings.alpha, bounds=(0.0, 1.0))
    low, high = sorted((sign * (narrow.low - 0.5), sign * (narrow.high - 0.5)))
    within = float(t.sf((margin - abs(value)) / one.error, one.freedom)) if known else None
    return found, Found(*_in_unit(part, value, low, high), p=within, note=one.note)


def adjusted(p: Sequence[float | None]) -> list[float | None]:
    """p-values corrected for several tests (Holm 1979); None is no test."""
    from evals.study.analysis.statistics import holm

    return [_number(one) for one in holm([float("nan") if one is None else one for one in p])] if p else []


def _bounds(measure: Measure, settings: Settings) -> tuple[float, float] | None:
    if measure.kind == "seconds":
        return None
    if measure.kind != "rating":
        return (0.0, 1.0)
    ends = settings.points.get(measure.name)
    inside = ends is not None and ends[0] <= measure.values.min() and measure.values.max() <= ends[1]
    return ends if inside else None


def _in_unit(measure: Measure, value: float, low: float, high: float) -> Interval:
    """An estimate and its ends; times come as logarithms. None for what can't be had."""
    unit = exp if measure.kind == "seconds" else float
    return tuple(unit(one) if isfinite(one) else None for one in (value, low, high))  # type: ignore[return-value]


def _told(freedom: float, *values: float) -> tuple[float, ...]:
    """The values, or NaN for all where the standard error behind them is unknown."""
    return tuple(float("nan") if freedom < LEAST else value for value in values)


def _number(value: float) -> float | None:
    return float(value) if isfinite(value) else None


def _ordered(names: Mapping[str, object], settings: Settings) -> list[str]:
    known = [name for name in settings.conditions if name in names]
    return known + [name for name in names if name not in known]
