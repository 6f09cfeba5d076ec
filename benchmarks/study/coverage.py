"""Measures how often intervals over participants and items cover the truth, and how often tests raise a false alarm.

Run: python benchmarks/study/coverage.py [--studies 1000] [--quick] [--seed 0] [--only accuracy,ratings]

Studies are simulated with participants and items drawn anew each time: each has an effect on the logit scale (standard
deviation 0.7 unless the row says otherwise), and an effect of its own under each condition (0.3; "alike" means none). Accuracy
is a coin of that probability; a rating counts the cutpoints that a logistic variable around it exceeds. The truth is the mean
over the populations of participants and items, by numerical integration.

The table has a row per design, size and measure; in "a third missing", answers are missing at random. "mean" is the coverage of
the 95 % intervals of `estimate`, "difference" that of `differences` where the conditions truly differ, "alarms" the share of
studies with p < 0.05 where they don't; "width" is the mean length of the intervals of the mean. Beside them stand the peers:
"answers", a normal interval over all answers as if they were independent; "people", a bootstrap over participants alone
(percentiles of 300 draws); and "two-way", Owen's bootstrap over participants and items as it stands (percentiles of 300 draws).
--quick leaves out the peers' bootstraps beyond the first 200 studies and half of the rows.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:] = [str(ROOT), *[entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]]

from evals.study.analysis.statistics import Crossed, contrast, differences, estimate  # noqa: E402
from evals.study.analysis.statistics.contrasts import mean_weights  # noqa: E402
from evals.study.analysis.statistics.estimates import intervals  # noqa: E402

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

DRAWS = 300  # of the peers' bootstraps; the ends of their percentile intervals then lie at the 8th draw
CUTPOINTS = np.array([-2.5, -1.7, -0.8, 0.2, 1.0, 1.9])
SIZES = ((10, 20), (20, 20), (20, 40), (40, 24), (60, 40))
DESIGNS = ("between", "within", "latin")


@dataclass(frozen=True)
class Setting:
    """What is simulated: a design, sizes, and effects on the logit scale."""

    measure: str
    design: str
    participants: int
    items: int
    base: float = 0.9
    effect: float = 0.6
    people: float = 0.7
    things: float = 0.7
    slopes: float = 0.3
    missing: float = 0.0
    word: str = ""


def settings(measure: str) -> list[Setting]:
    """The rows of the table."""
    rows = [Setting(measure, design, *size) for design in DESIGNS for size in SIZES]
    for design in DESIGNS:
        rows.append(Setting(measure, design, 24, 30, slopes=0.0, word="alike"))
        rows.append(Setting(measure, design, 24, 30, people=0.3, things=1.5, word="items differ"))
        rows.append(Setting(measure, design, 24, 30, people=1.5, things=0.3, word="people differ"))
        rows.append(Setting(measure, design, 24, 30, base=3.0, effect=-1.0, word="near a bound"))
        rows.append(Setting(measure, design, 24, 30, missing=1 / 3, word="a third missing"))
    return rows


def layout(one: Setting) -> Crossed:
    """Who saw what: two conditions, three in a Latin square."""
    wide = 3 if one.design == "latin" else 2
    people, things = (part.ravel() for part in np.indices((one.participants, one.items)))
    if one.design == "within":
        people, things = np.repeat(people, wide), np.repeat(things, wide)
        conditions = np.tile(np.arange(wide), one.participants * one.items)
    else:
        conditions = people % wide if one.design == "between" else (people + things) % wide
    names = [
        tuple(f"{letter}{n}" for n in range(size))
        for letter, size in zip("pic", (one.participants, one.items, wide), strict=True)
    ]
    whole = Crossed(np.zeros(len(people)), people, things, conditions, *names)
    return whole.where(np.random.default_rng(0).random(len(whole)) >= one.missing)


def draw(crossed: Crossed, one: Setting, effects: Values, studies: int, rng: np.random.Generator) -> Values:
    """Values of studies, of shape (studies, answers), where the conditions lie `effects` above the base."""
    people, things, wide = len(crossed.participants), len(crossed.items), len(crossed.conditions)
    u = rng.normal(0, one.people, (studies, people, 1)) + rng.normal(0, one.slopes, (studies, people, wide))
    v = rng.normal(0, one.things, (studies, things, 1)) + rng.normal(0, one.slopes, (studies, things, wide))
    c = crossed.condition
    predictor = one.base + effects[c] + u[:, crossed.participant, c] + v[:, crossed.item, c]
    if one.measure == "accuracy":
        return (rng.random(predictor.shape) < 1 / (1 + np.exp(-predictor))).astype(float)
    return 1.0 + np.searchsorted(CUTPOINTS, predictor + rng.logistic(size=predictor.shape))


def truth(one: Setting, effect: float) -> float:
    """The mean over the populations, by Gauss-Hermite integration over the sum of all effects."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    spread = np.sqrt(one.people**2 + one.things**2 + 2 * one.slopes**2)
    predictor = one.base + effect + spread * nodes
    if one.measure == "accuracy":
        return float(weights @ (1 / (1 + np.exp(-predictor))) / weights.sum())
    above = 1 / (1 + np.exp(CUTPOINTS[:, None] - predictor))
    return float(1 + (above @ weights).sum() / weights.sum())


def as_independent(crossed: Crossed, values: Values, signs: dict[int, float]) -> tuple[Values, Values]:
    """The peer that takes all answers for independent: a normal interval."""
    middle, variance = np.zeros(len(values)), np.zeros(len(values))
    for place, sign in signs.items():
        own = values[:, crossed.condition == place]
        middle += sign * own.mean(axis=1)
        variance += own.var(axis=1, ddof=1) / own.shape[1]
    return middle - 1.96 * np.sqrt(variance), middle + 1.96 * np.sqrt(variance)


def bootstrap(
    crossed: Crossed, values: Values, signs: dict[int, float], rng: np.random.Generator, *, items: bool
) -> tuple[Values, Values]:
    """The peers that draw participants, or participants and items, again: percentile intervals."""
    people, things = len(crossed.participants), len(crossed.items)
    cell = crossed.participant * things + crossed.item
    lows, highs = np.zeros(len(values)), np.zeros(len(values))
    for study, own in enumerate(values):
        of_people = rng.multinomial(people, np.full(people, 1 / people), DRAWS).astype(float)
        of_items = rng.multinomial(things, np.full(things, 1 / things), DRAWS).astype(float) if items else np.ones((1, things))
        drawn = np.zeros(DRAWS)
        for place, sign in signs.items():
            inside = crossed.condition == place
            table = np.bincount(cell[inside], own[inside], people * things).reshape(people, things)
            count = np.bincount(cell[inside], minlength=people * things).reshape(people, things)
            with np.errstate(invalid="ignore", divide="ignore"):
                drawn += sign * ((of_people @ table) * of_items).sum(axis=1) / ((of_people @ count) * of_items).sum(axis=1)
        lows[study], highs[study] = np.nanquantile(drawn, [0.025, 0.975])
    return lows, highs


def within(ends: tuple[Values, Values], target: float) -> float:
    """How often intervals hold a number, among those that there are."""
    low, high = ends
    there = np.isfinite(low)
    return float(((low <= target) & (target <= high))[there].mean())


def measured(one: Setting, studies: int, peers: int, seed: int) -> tuple[dict[str, float], dict[str, float]]:
    """The row of a setting: coverages, alarms and mean width; and the same of the peers."""
    from scipy.stats import t

    rng = np.random.default_rng([seed, one.participants, one.items, len(one.design), len(one.measure), len(one.word)])
    crossed = layout(one)
    bounds = (0.0, 1.0) if one.measure == "accuracy" else (1.0, 7.0)
    effects = np.zeros(len(crossed.conditions))
    null = draw(crossed, one, effects, studies, rng)
    effects[1] = one.effect
    real = draw(crossed, one, effects, studies, rng)
    target = truth(one, 0.0)
    apart = truth(one, one.effect) - target

    mean, signs = {0: 1.0}, {1: 1.0, 0: -1.0}
    places = np.flatnonzero(mean_weights(crossed, 0, "participants"))
    units = min(len(set(crossed.participant[places].tolist())), len(set(crossed.item[places].tolist())))
    ends = intervals(contrast(crossed, tuple(mean.items())).spread(real), 0.95, bounds, units)
    pair = contrast(crossed, tuple(signs.items()))
    spreads = [pair.spread(values) for values in (real, null)]
    reach = [t.ppf(0.975, spread.freedom) * spread.error for spread in spreads]
    between = (spreads[0].value - reach[0], spreads[0].value + reach[0])
    alarms = np.where(spreads[1].error > 0, np.abs(spreads[1].value) > reach[1], False)
    _same_as_public(crossed, real, ends, between, bounds, one.measure)
    row = {
        "mean": within(ends, target),
        "difference": within(between, apart),
        "alarms": float(alarms.mean()),
        "width": float(np.nanmean(ends[1] - ends[0])),
    }
    beside = {}
    for name, make in (
        ("answers", lambda values, of: as_independent(crossed, values, of)),
        ("people", lambda values, of: bootstrap(crossed, values[:peers], of, rng, items=False)),
        ("two-way", lambda values, of: bootstrap(crossed, values[:peers], of, rng, items=True)),
    ):
        beside[f"{name} mean"] = within(make(real, mean), target)
        beside[f"{name} alarms"] = 1 - within(make(null, signs), 0.0)
    return row, beside


def _same_as_public(
    crossed: Crossed, values: Values, ends: tuple[Values, Values], between: tuple[Values, Values], bounds: tuple, measure: str
) -> None:
    """Checks on the first study that what is measured here is what a user gets."""
    study = crossed.with_values(values[0])
    one, two = estimate(study, bounds=bounds)[0], differences(study, pairs=[("c1", "c0")])[0]
    found, wanted = [one.low, one.high, two.low, two.high], [*(end[0] for end in ends), *(end[0] for end in between)]
    if measure == "accuracy":
        wanted[2:] = np.clip(wanted[2:], -1, 1)
    assert np.allclose(found, wanted, equal_nan=True), (found, wanted)


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="accuracy,ratings")
    given = parser.parse_args()
    started = time.perf_counter()
    worst: list[tuple[str, dict[str, float]]] = []
    for measure in given.only.split(","):
        rows = settings(measure)
        print(f"\n{measure}, {given.studies} studies per row, seed {given.seed}\n")
        print("| design | participants x items | mean | difference | alarms | width | answers | people | two-way |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
        for one in rows[::2] if given.quick else rows:
            row, beside = measured(one, given.studies, min(given.studies, 200) if given.quick else given.studies, given.seed)
            peers = [
                f"{beside[f'{name} mean']:.1%} / {beside[f'{name} alarms']:.1%}" for name in ("answers", "people", "two-way")
            ]
            size = f"{one.participants} x {one.items}" + (f", {one.word}" if one.word else "")
            cells = [
                one.design,
                size,
                *(f"{row[name]:.1%}" for name in ("mean", "difference", "alarms")),
                f"{row['width']:.3f}",
            ]
            print("| " + " | ".join([*cells, *peers]) + " |", flush=True)
            worst.append((f"{measure} {one.design} {size}", row))
    print("\nPeers: coverage of the mean / false alarms of the difference.")
    for name in ("mean", "difference"):
        low, high = (pick(worst, key=lambda held: held[1][name]) for pick in (min, max))
        print(f"{name}: covered {low[1][name]:.1%} ({low[0]}) to {high[1][name]:.1%} ({high[0]}) of the time")
    most = max(worst, key=lambda held: held[1]["alarms"])
    print(f"false alarms: at most {most[1]['alarms']:.1%} ({most[0]})")
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
