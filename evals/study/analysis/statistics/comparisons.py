"""Differences between conditions, with intervals, tests and effect sizes; and tests that conditions are alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from evals.study.analysis.statistics.contrasts import contrast
from evals.study.analysis.statistics.effects import cliff_delta, cohen_h, holm, paired_d, standardized
from evals.study.analysis.statistics.estimates import check_level, without_spread
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evals.study.analysis.statistics.contrasts import Average
    from evals.study.analysis.statistics.crossed import Crossed


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The mean under a condition less the mean under another.

    Attributes:
        condition: the condition.
        reference: the condition that is subtracted.
        difference: the difference of the means.
        low: lower end of the interval; NaN where the answers determine none, and `note` says why.
        high: upper end of the interval.
        p: two-sided p-value of no difference; it is below 1 − level exactly where the interval leaves out 0.
        p_holm: the p-value corrected for all differences of the same call (Holm 1979).
        effects: effect sizes by name. For answers that are 0 or 1 "cohen_h"; else "d" (in standard deviations of answers),
            "d_z" (in standard deviations of the participants' own differences, where participants saw both), "cliff_delta"
            and "superiority" (how often an answer under `condition` is greater, ties counting half).
        participants: how many participants answered under at least one of both.
        shared: how many participants answered under both.
        items: how many items were answered under at least one of both.
        answers: how many answers there are.
        error: standard error over participants and items.
        freedom: degrees of freedom of the standard error.
        note: one sentence where something limits the test, else "".
    """

    condition: str
    reference: str
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    effects: Mapping[str, float]
    participants: int
    shared: int
    items: int
    answers: int
    error: float
    freedom: float
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Equivalence:
    """Whether two conditions differ by less than a margin: two one-sided tests (Schuirmann 1987).

    Attributes:
        condition: the condition.
        reference: the condition that is subtracted.
        difference: the difference of the means.
        margin: the least difference that would matter.
        low: lower end of the interval of level 1 − 2 alpha.
        high: upper end of that interval.
        p: the greater of both one-sided p-values.
        p_holm: the p-value corrected for all pairs of the same call (Holm 1979).
        equivalent: whether `p_holm` is below alpha. Where it is not, nothing is shown: neither a difference nor its absence.
        note: one sentence where something limits the test, else "".
    """

    condition: str
    reference: str
    difference: float
    margin: float
    low: float
    high: float
    p: float
    p_holm: float
    equivalent: bool
    note: str = ""


def differences(
    crossed: Crossed,
    *,
    reference: str | None = None,
    pairs: Sequence[tuple[str, str]] | None = None,
    average: Average = "participants",
    level: float = 0.95,
) -> tuple[Difference, ...]:
    """Differences between conditions, for new participants *and* new items.

    Student's t with the standard error of `Contrast` and Satterthwaite's degrees of freedom. In complete balanced designs
    this is the quasi-F test of Clark 1973, with two departures: the variance is never less than that of the remainder alone,
    and the degrees of freedom are a little fewer. It holds its level in designs between and within participants, in Latin
    squares and where answers are missing (`benchmarks/study/coverage.py`); where participants and items respond to the
    conditions alike, and where some saw few trials, it is cautious (2 to 4 % false alarms instead of 5 %). In simulations
    with 4 to 100 participants, 5 to 40 items and means up to 0.99 of the scale, false alarms stayed between 0.4 and 6 % and
    coverage between 92 and 98 %. Fewer participants or items, and outliers in unbounded values, are not covered by that.

    Args:
        crossed: the values.
        reference: the condition that all others are compared with.
        pairs: which conditions to compare, each with the condition that is subtracted as the second. Without `reference` and
            `pairs` every condition is compared with every earlier one.
        average: what each mean is a mean of, as in `estimate`.
        level: how often the intervals should cover the truth.

    Raises:
        UsageError: a condition is unknown, `reference` and `pairs` are both given, or the level is out of its range.
    """
    check_level(level)
    found = [_difference(crossed, *pair, average, level) for pair in _pairs(crossed, reference, pairs)]
    corrected = holm([one.p for one in found])
    return tuple(replace(one, p_holm=float(p)) for one, p in zip(found, corrected, strict=True))


def equivalence(
    crossed: Crossed,
    margin: float,
    *,
    reference: str | None = None,
    pairs: Sequence[tuple[str, str]] | None = None,
    average: Average = "participants",
    alpha: float = 0.05,
) -> tuple[Equivalence, ...]:
    """Tests that conditions differ by less than a margin, with the intervals of level 1 − 2 alpha that show it.

    Args:
        crossed: the values.
        margin: the least difference that would matter, in the unit of the values. It should be fixed before the data are seen.
        reference: the condition that all others are compared with.
        pairs: which conditions to compare, as in `differences`.
        average: what each mean is a mean of, as in `estimate`.
        alpha: how often two conditions that differ by the margin may be called equivalent.

    Raises:
        UsageError: a condition is unknown, or the margin or alpha is out of its range.
    """
    from scipy.stats import t

    if not (margin > 0 and np.isfinite(margin)):
        raise UsageError(f"a margin of {margin} shows no equivalence: give a positive difference that would matter")
    if not 0 < alpha < 0.5:
        raise UsageError(f"an alpha of {alpha} is impossible: give a share between 0 and 0.5, such as 0.05")
    found = []
    for pair in _pairs(crossed, reference, pairs):
        one = _difference(crossed, *pair, average, 1 - 2 * alpha)
        p = float("nan")
        if one.error > 0:
            p = float(t.sf((margin - abs(one.difference)) / one.error, one.freedom))
        found.append((one, p))
    corrected = holm([p for _, p in found])
    return tuple(
        Equivalence(
            condition=one.condition, reference=one.reference, difference=one.difference, margin=float(margin), low=one.low,
            high=one.high, p=p, p_holm=float(p_holm), equivalent=bool(p_holm < alpha), note=one.note,
        )
        for (one, p), p_holm in zip(found, corrected, strict=True)
    )  # fmt: skip


def _pairs(crossed: Crossed, reference: str | None, pairs: Sequence[tuple[str, str]] | None) -> list[tuple[int, int]]:
    if reference is not None and pairs is not None:
        raise UsageError("reference and pairs both say what to compare: give one of them")
    if pairs is not None:
        places = [(crossed.place(one), crossed.place(other)) for one, other in pairs]
        same = [pair for pair in places if pair[0] == pair[1]]
        if same:
            raise UsageError(f"condition {crossed.conditions[same[0][0]]!r} is to be compared with itself: name two conditions")
        return places
    if reference is not None:
        base = crossed.place(reference)
        return [(place, base) for place in range(len(crossed.conditions)) if place != base]
    return [(later, earlier) for earlier, later in combinations(range(len(crossed.conditions)), 2)]


def _difference(crossed: Crossed, first: int, second: int, average: Average, level: float) -> Difference:
    from scipy.stats import t

    one, other = crossed.condition == first, crossed.condition == second
    both = one | other
    people = [set(crossed.participant[rows].tolist()) for rows in (one, other)]
    nan = float("nan")
    value = error = freedom = low = high = p = nan
    note = ""
    if not one.any() or not other.any():
        empty = crossed.conditions[first if not one.any() else second]
        note = f"there are no answers under {empty}"
    else:
        spread = contrast(crossed, ((first, 1.0), (second, -1.0)), average).spread(crossed.values)
        value, error, freedom = float(spread.value[0]), float(spread.error[0]), float(spread.freedom[0])
        if np.isnan(error):
            note = "there are too few participants or items for a test over both"
        elif without_spread(spread)[0]:
            error, freedom, note = 0.0, nan, "the answers show no spread over participants and items, so there is no test"
        else:
            reach = float(t.ppf((1 + level) / 2, freedom)) * error
            low, high = value - reach, value + reach
            if crossed.binary:  # shares differ by at most 1
                low, high = max(low, -1.0), min(high, 1.0)
            p = float(2 * t.sf(abs(value) / error, freedom))
    return Difference(
        condition=crossed.conditions[first], reference=crossed.conditions[second], difference=value, low=low, high=high, p=p,
        p_holm=p, effects=_effects(crossed, first, second, value, average), participants=len(people[0] | people[1]),
        shared=len(people[0] & people[1]), items=len(np.unique(crossed.item[both])), answers=int(both.sum()), error=error,
        freedom=freedom, note=note,
    )  # fmt: skip


def _effects(crossed: Crossed, first: int, second: int, value: float, average: Average) -> dict[str, float]:
    from evals.study.analysis.statistics.contrasts import mean_weights

    one, other = crossed.values[crossed.condition == first], crossed.values[crossed.condition == second]
    if crossed.binary:
        means = [float(mean_weights(crossed, place, average) @ crossed.values) for place in (first, second)]
        return {"cohen_h": cohen_h(*means) if one.size and other.size else float("nan")}
    delta = cliff_delta(one, other)
    effects = {"d": standardized(one, other, value), "d_z": paired_d(crossed, first, second)}
    return {**effects, "cliff_delta": delta, "superiority": (delta + 1) / 2}
