"""Means per condition, with intervals over participants and items."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from evals.study.analysis.statistics.contrasts import contrast, mean_weights
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evals.study.analysis.statistics.contrasts import Average, Spread
    from evals.study.analysis.statistics.crossed import Crossed

Method = Literal["t", "bootstrap"]
Bounds = tuple[float, float]

DRAWS = 2000  # the ends of a 95 % interval then move by about 2 % of its width from seed to seed
BATCH = 2**22  # weights of the bootstrap that are held at once


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The mean of one condition, and an interval for the mean over the population of participants and items.

    Attributes:
        condition: name of the condition.
        mean: the mean; NaN where there is no answer.
        low: lower end of the interval; NaN where the answers determine none, and `note` says why.
        high: upper end of the interval.
        participants: how many participants answered under this condition.
        items: how many items were answered under this condition.
        answers: how many answers there are.
        error: standard error over participants and items.
        freedom: degrees of freedom of the standard error.
        note: one sentence where something limits the interval, else "".
    """

    condition: str
    mean: float
    low: float
    high: float
    participants: int
    items: int
    answers: int
    error: float
    freedom: float
    note: str = ""


def estimate(
    crossed: Crossed,
    *,
    average: Average = "participants",
    level: float = 0.95,
    bounds: Bounds | None = None,
    method: Method = "t",
    draws: int | None = None,
    seed: int | None = None,
) -> tuple[Estimate, ...]:
    """The mean of each condition, with an interval that is meant for new participants *and* new items.

    What the interval covers is the mean over the population that participants were drawn from and the population that items
    were drawn from. The standard error comes from the variances of participants, items and the remainder within the condition
    (see `Contrast`), with Satterthwaite's degrees of freedom. It is not the two-way bootstrap of Owen 2007 as it stands,
    because that counts the remainder three times and its intervals for few participants or binary answers are too wide.
    `benchmarks/study/coverage.py` prints how often the intervals cover the truth.

    - "t" (the default): Student's t. Where `bounds` are known, on the logit scale between them (delta method), so that the
      interval stays inside and is longer towards the middle.
    - "bootstrap": participants and items are drawn again independently and each answer counts the product of both (Owen 2007,
      section 3); the quantiles around the mean are scaled to the standard error and to Student's t. Near the bounds it covers
      less often than "t".

    Both are wrong where participants answered in dependence on each other. In simulations with 4 to 100 participants, 5 to 40
    items and means up to 0.99 of the scale, 95 % intervals by "t" covered 93 to 99 % of the time, most of them 94 to 97 %;
    fewer than 10 participants or items mostly make it too often. Where all answers are equal and lie at a bound, the interval
    is that of Clopper and Pearson 1934 for as many independent answers as there are participants or items (the smaller), which
    is long.

    Args:
        crossed: the values.
        average: "participants" for the mean of the participants' means (each participant counts the same), "answers" for the
            mean of all answers (each answer counts the same).
        level: how often the interval should cover the truth.
        bounds: the least and the greatest possible value, such as (1, 7) for ratings; (0, 1) where all values are 0 or 1.
        method: "t" or "bootstrap".
        draws: how often to draw, for "bootstrap"; 2,000 by default.
        seed: seed of the draws, for "bootstrap"; 0 by default.

    Raises:
        UsageError: an argument is out of its range, a value is outside of `bounds`, or `draws` or `seed` are given for "t".
    """
    check_level(level)
    limits = check_bounds(crossed, bounds)
    if method not in ("t", "bootstrap"):
        raise UsageError(f"there is no method {method!r}: name t or bootstrap")
    if method == "t" and not (draws is None and seed is None):
        raise UsageError("draws and seed belong to the bootstrap: leave them out, or set method to 'bootstrap'")
    if draws is not None and draws < 100:
        raise UsageError(f"{draws} draws make no interval: use 100 or more")
    rng = np.random.default_rng(0 if seed is None else seed)
    return tuple(
        _of_condition(crossed, place, average, level, limits, None if method == "t" else (draws or DRAWS, rng))
        for place in range(len(crossed.conditions))
    )


def check_level(level: float) -> None:
    """Raises a UsageError where this is no level of an interval."""
    if not 0 < level < 1:
        raise UsageError(f"a level of {level} is impossible: give a share between 0 and 1, such as 0.95")


def check_bounds(crossed: Crossed, bounds: Bounds | None) -> Bounds | None:
    """The bounds of the values, which are 0 and 1 where nothing else is given and all values are 0 or 1."""
    if bounds is None:
        return (0.0, 1.0) if len(crossed) and crossed.binary else None
    low, high = bounds
    if not low < high:
        raise UsageError(f"bounds from {low} to {high} hold nothing: give the least value first")
    outside = crossed.values[(crossed.values < low) | (crossed.values > high)]
    if outside.size:
        raise UsageError(f"a value is {outside[0]:g}, which is outside of the bounds from {low:g} to {high:g}")
    return (float(low), float(high))


def intervals(
    spread: Spread, level: float, bounds: Bounds | None, units: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Student's t intervals of means, one per study, as `estimate` makes them.

    Args:
        spread: means, standard errors and degrees of freedom.
        level: how often the intervals should cover the truth.
        bounds: the least and the greatest possible value, where they are known.
        units: the number of participants or items (the smaller), for means at a bound without any spread.

    Returns:
        lower and upper ends; NaN where the answers determine none.
    """
    from scipy.special import expit, logit
    from scipy.stats import beta, t

    mean, error = spread.value, spread.error
    reach = t.ppf((1 + level) / 2, spread.freedom) * error
    none = without_spread(spread)
    if bounds is None:
        return np.where(none, np.nan, mean - reach), np.where(none, np.nan, mean + reach)
    low, width = bounds[0], bounds[1] - bounds[0]
    share = (mean - low) / width
    inside = np.clip(share, 1e-9, 1 - 1e-9)
    wide = reach / width / (inside * (1 - inside))
    ends = (expit(logit(inside) - wide), expit(logit(inside) + wide))
    least = float(beta.ppf((1 - level) / 2, units, 1))  # of a share whose `units` answers are all 1
    lows = np.where(none, np.where(share > 1 - 1e-9, least, np.where(share < 1e-9, 0.0, np.nan)), ends[0])
    highs = np.where(none, np.where(share < 1e-9, 1 - least, np.where(share > 1 - 1e-9, 1.0, np.nan)), ends[1])
    return low + width * lows, low + width * highs


def without_spread(spread: Spread) -> NDArray[np.bool_]:
    """Where answers show no spread over participants and items, so that the standard error is zero."""
    return np.asarray(spread.error <= 1e-9 * np.maximum(1.0, np.abs(spread.value)))


def _of_condition(
    crossed: Crossed,
    place: int,
    average: Average,
    level: float,
    bounds: Bounds | None,
    bootstrap: tuple[int, np.random.Generator] | None,
) -> Estimate:
    inside = crossed.condition == place
    people = len(np.unique(crossed.participant[inside]))
    things = len(np.unique(crossed.item[inside]))
    nan = float("nan")
    empty = Estimate(
        condition=crossed.conditions[place], mean=nan, low=nan, high=nan, participants=people, items=things,
        answers=int(inside.sum()), error=nan, freedom=nan,
    )  # fmt: skip
    if not inside.any():
        mean_weights(crossed, place, average)  # refuses an unknown average
        return replace(empty, note="there are no answers under this condition")
    spread = contrast(crossed, ((place, 1.0),), average).spread(crossed.values)
    mean, error, freedom = float(spread.value[0]), float(spread.error[0]), float(spread.freedom[0])
    if np.isnan(error):
        few = f"{people} participants and {things} items are too few for an interval over both"
        return replace(empty, mean=mean, note=few)
    low, high = (float(end[0]) for end in intervals(spread, level, bounds, min(people, things)))
    if without_spread(spread)[0]:
        note = "the answers show no spread over participants and items, so there is no interval"
        if np.isfinite(low):
            note = f"all answers are equal: the interval is the exact one for {min(people, things)} independent answers"
        return replace(empty, mean=mean, low=low, high=high, error=0.0, note=note)
    if bootstrap is not None:
        from scipy.stats import t

        reach = float(t.ppf((1 + level) / 2, freedom)) * error
        low, high = (mean + end * reach for end in _resampled(crossed, place, average, level, *bootstrap))
        if bounds is not None:
            low, high = max(low, bounds[0]), min(high, bounds[1])
    return replace(empty, mean=mean, low=low, high=high, error=error, freedom=freedom)


def _resampled(
    crossed: Crossed, place: int, average: Average, level: float, draws: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Ends of the interval of bootstrap means around their mean, in units of a normal interval's half width."""
    from scipy import sparse
    from scipy.stats import norm

    weights = mean_weights(crossed, place, average)
    rows = np.flatnonzero(weights)
    _, people = np.unique(crossed.participant[rows], return_inverse=True)
    _, things = np.unique(crossed.item[rows], return_inverse=True)
    shape = (int(people.max()) + 1, int(things.max()) + 1)
    centred = crossed.values[rows] - float(weights @ crossed.values)
    mass = sparse.coo_array((weights[rows], (people, things)), shape=shape).toarray()
    table = sparse.coo_array((weights[rows] * centred, (people, things)), shape=shape).toarray()
    means = []
    for start in range(0, draws, max(BATCH // sum(shape), 1)):
        size = min(max(BATCH // sum(shape), 1), draws - start)
        of_people = rng.multinomial(shape[0], np.full(shape[0], 1 / shape[0]), size).astype(np.float64)
        of_items = rng.multinomial(shape[1], np.full(shape[1], 1 / shape[1]), size).astype(np.float64)
        total = ((of_people @ mass) * of_items).sum(axis=1)
        kept = total > 0  # in a sparse layout a draw may contain no answer
        means.append(((of_people @ table) * of_items).sum(axis=1)[kept] / total[kept])
    found = np.concatenate(means)
    around = (found - found.mean()) / found.std()
    low, high = np.quantile(around, [(1 - level) / 2, (1 + level) / 2]) / float(norm.ppf((1 + level) / 2))
    return float(low), float(high)
