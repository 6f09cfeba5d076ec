"""How far participants agree: Fleiss' kappa and Krippendorff's alpha, with bootstrap intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from evals.study.analysis.statistics.estimates import check_level
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evals.study.analysis.statistics.crossed import Crossed

Coefficient = Literal["krippendorff", "fleiss"]
Scale = Literal["nominal", "ordinal", "interval"]
Over = Literal["both", "items"]

SCALES: tuple[Scale, ...] = ("nominal", "ordinal", "interval")
BATCH = 2**21  # counts of the bootstrap that are held at once
RARE = 0.05  # a larger share of draws without a value is told


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far participants agree about items under one condition.

    Attributes:
        condition: name of the condition; "" for all together, where an item under each condition is a unit of its own.
        coefficient: "krippendorff" or "fleiss".
        scale: "nominal", "ordinal" or "interval".
        value: 1 for perfect agreement, 0 for what chance gives; NaN where it is undefined, and `note` says why.
        low: lower end of the bootstrap interval.
        high: upper end of the bootstrap interval.
        participants: how many participants are compared.
        units: how many items have at least two answers; others can't be compared.
        answers: how many answers these have.
        note: one sentence where something limits the value or its interval, else "".
    """

    condition: str
    coefficient: Coefficient
    scale: Scale
    value: float
    low: float
    high: float
    participants: int
    units: int
    answers: int
    note: str = ""


def agreement(
    crossed: Crossed,
    *,
    coefficient: Coefficient = "krippendorff",
    scale: Scale = "nominal",
    level: float = 0.95,
    over: Over = "both",
    draws: int = 2000,
    seed: int = 0,
) -> tuple[Agreement, ...]:
    """Agreement of participants about items: per condition, and then over all conditions where there are several.

    Krippendorff's alpha is that of Krippendorff 2011 ("Computing Krippendorff's alpha-reliability", section D), with the
    distances of its nominal, ordinal and interval scales. Fleiss' kappa is that of Fleiss 1971; where items have different
    numbers of answers, the agreement of an item is that of its own pairs, items with fewer than two answers are left out, and
    every item counts the same.

    The interval is that of a bootstrap's quantiles: items are drawn again, and with `over="both"` participants too. A
    participant who is drawn twice is not compared with himself, which would look like agreement. In simulations with 10 to 40
    participants and 20 to 40 items, `over="both"` covers the agreement of the population 90 to 99 % of the time where 95 %
    are asked for (too often with 6 participants), and `over="items"` 83 to 95 %, since it leaves out that other participants
    would differ.

    Args:
        crossed: the values: codes of the labels that were chosen for a nominal scale, else numbers.
        coefficient: "krippendorff" or "fleiss".
        scale: how far two values are apart: "nominal" (equal or not), "ordinal" (ranks) or "interval" (differences).
        level: how often the interval should cover the agreement in the population.
        over: what the population is of: "both" for new participants and items, "items" for these participants and new items.
        draws: how often to draw.
        seed: seed of the draws.

    Raises:
        UsageError: an argument is out of its range, Fleiss' kappa is asked for on another scale than the nominal, or a
            participant answered an item under the same condition twice.
    """
    check_level(level)
    if coefficient not in ("krippendorff", "fleiss"):
        raise UsageError(f"there is no coefficient {coefficient!r}: name krippendorff or fleiss")
    if scale not in SCALES:
        raise UsageError(f"there is no scale {scale!r}: name one of {', '.join(SCALES)}")
    if coefficient == "fleiss" and scale != "nominal":
        raise UsageError(f"Fleiss' kappa knows no {scale} scale: use Krippendorff's alpha, or the nominal scale")
    if over not in ("both", "items"):
        raise UsageError(f"a bootstrap over {over!r} is unknown: name both or items")
    if draws < 100:
        raise UsageError(f"{draws} draws make no interval: use 100 or more")
    unit = crossed.item * len(crossed.conditions) + crossed.condition
    _, counts = np.unique(unit * len(crossed.participants) + crossed.participant, return_counts=True)
    if (counts > 1).any():
        raise UsageError("a participant answered an item under the same condition twice: give one answer per unit to compare")
    rng = np.random.default_rng(seed)
    found = []
    parts = [(name, crossed.condition == place) for place, name in enumerate(crossed.conditions)]
    if len(parts) > 1:
        parts.append(("", np.ones(len(crossed), bool)))
    for name, rows in parts:
        value, low, high, people, units, answers, note = _one(
            crossed.values[rows], unit[rows], crossed.participant[rows], coefficient, scale, level, over == "both", draws, rng
        )
        found.append(
            Agreement(
                condition=name, coefficient=coefficient, scale=scale, value=value, low=low, high=high, participants=people,
                units=units, answers=answers, note=note,
            )
        )  # fmt: skip
    return tuple(found)


def _one(
    values: NDArray[np.float64],
    unit: NDArray[np.intp],
    person: NDArray[np.intp],
    coefficient: Coefficient,
    scale: Scale,
    level: float,
    both: bool,
    draws: int,
    rng: np.random.Generator,
) -> tuple[float, float, float, int, int, int, str]:
    nan = float("nan")
    _, place, counts = np.unique(unit, return_inverse=True, return_counts=True)
    pairable = counts[place] > 1 if len(values) else np.zeros(0, bool)
    values, unit, person = values[pairable], unit[pairable], person[pairable]
    levels, value_of = np.unique(values, return_inverse=True)
    units, unit_of = np.unique(unit, return_inverse=True)
    people, person_of = np.unique(person, return_inverse=True)
    sizes = (len(people), len(units), len(values))
    if not len(values):
        return nan, nan, nan, *sizes, "no item has answers of two participants"
    if len(levels) == 1:
        return nan, nan, nan, *sizes, "all answers are equal, so agreement beyond chance is undefined"

    where = unit_of * len(levels) + value_of
    size = len(units) * len(levels)

    def of(times_of_people: NDArray[np.float64], times_of_units: NDArray[np.float64]) -> NDArray[np.float64]:
        """The coefficient per draw, by how often each participant and each unit was drawn."""
        times = times_of_people[:, person_of]
        counts = np.zeros((len(times), size))
        squares = np.zeros((len(times), len(units)))
        for draw, one in enumerate(times):
            counts[draw] = np.bincount(where, one, size)
            squares[draw] = np.bincount(unit_of, one**2, len(units))
        table = counts.reshape(len(times), len(units), len(levels))
        if coefficient == "fleiss":
            return _kappa(table, squares, times_of_units)
        return _alpha(table, squares, times_of_units, levels, scale)

    everyone, everything = np.ones((1, len(people))), np.ones((1, len(units)))
    value = float(of(everyone, everything)[0])
    batch = max(BATCH // max(size, len(values)), 1)
    if coefficient == "krippendorff" and scale == "ordinal":
        batch = max(batch // len(levels), 1)
    found = []
    for start in range(0, draws, batch):
        number = min(batch, draws - start)
        of_units = rng.multinomial(len(units), np.full(len(units), 1 / len(units)), number).astype(np.float64)
        if both:
            of_people = rng.multinomial(len(people), np.full(len(people), 1 / len(people)), number).astype(np.float64)
            found.append(of(of_people, of_units))
        else:
            found.append(of(everyone, of_units))
    drawn = np.concatenate(found)
    usable = drawn[np.isfinite(drawn)]
    note = ""
    if len(usable) < (1 - RARE) * len(drawn):
        note = f"{1 - len(usable) / len(drawn):.0%} of the draws have no agreement beyond chance to compare, and are left out"
    if len(usable) < 2 or len(units) < 2 or (both and len(people) < 3):
        return value, nan, nan, *sizes, "there are too few items or participants for an interval"
    low, high = np.quantile(usable, [(1 - level) / 2, (1 + level) / 2])
    return value, float(low), float(high), *sizes, note


def _alpha(
    counts: NDArray[np.float64],
    squares: NDArray[np.float64],
    of_units: NDArray[np.float64],
    levels: NDArray[np.float64],
    scale: Scale,
) -> NDArray[np.float64]:
    """Krippendorff's alpha from weighted counts, of shape (draws, units, values), without pairs of an answer with itself.

    `squares` holds the sums of squared weights per draw and unit, and `of_units` how often each unit was drawn. With weights
    of 1 the factor of a unit with m answers is m / (m² − m) = 1 / (m − 1), as in the coincidence matrix.
    """
    totals = counts.sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = np.where(totals**2 - squares > 1e-9, totals / (totals**2 - squares), 0.0) * of_units
    of_units = of_units * (factors > 0)
    margins = np.einsum("duk,du->dk", np.broadcast_to(counts, (len(of_units), *counts.shape[1:])), of_units)
    number = margins.sum(axis=1)
    pairs = number**2 - (squares * of_units).sum(axis=1)
    if scale == "nominal":
        observed = (factors * (totals**2 - (counts**2).sum(axis=2))).sum(axis=1)
        expected = number**2 - (margins**2).sum(axis=1)
    elif scale == "interval":
        centred = levels - levels.mean()
        sums, powers = counts @ centred, counts @ centred**2
        observed = (factors * 2 * (totals * powers - sums**2)).sum(axis=1)
        expected = 2 * (number * (margins @ centred**2) - (margins @ centred) ** 2)
    else:
        ranks = np.cumsum(margins, axis=1) - margins / 2
        sums = np.einsum("duk,dk->du", np.broadcast_to(counts, (len(of_units), *counts.shape[1:])), ranks)
        powers = np.einsum("duk,dk->du", np.broadcast_to(counts, (len(of_units), *counts.shape[1:])), ranks**2)
        observed = (factors * 2 * (totals * powers - sums**2)).sum(axis=1)
        expected = 2 * (number * (margins * ranks**2).sum(axis=1) - (margins * ranks).sum(axis=1) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 - (observed / number) * pairs / expected, dtype=np.float64)


def _kappa(
    counts: NDArray[np.float64],
    squares: NDArray[np.float64],
    of_units: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Fleiss' kappa from weighted counts per draw, unit and value, whose pairs exclude an answer with itself."""
    totals = counts.sum(axis=2)
    pairs = totals**2 - squares
    with np.errstate(divide="ignore", invalid="ignore"):
        alike = np.where(pairs > 1e-9, ((counts**2).sum(axis=2) - squares) / pairs, 0.0)
        of_units = of_units * (pairs > 1e-9)
        observed = (alike * of_units).sum(axis=1) / of_units.sum(axis=1)
        margins = np.einsum("duk,du->dk", np.broadcast_to(counts, (len(of_units), *counts.shape[1:])), of_units)
        chance = ((margins / margins.sum(axis=1, keepdims=True)) ** 2).sum(axis=1)
        return np.asarray((observed - chance) / (1 - chance), dtype=np.float64)
