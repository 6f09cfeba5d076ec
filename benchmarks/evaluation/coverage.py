"""How often the intervals of means cover the mean, metric by metric: Student's t interval, and the one that `evaluate` gives.

Run: python benchmarks/evaluation/coverage.py [--inputs 5,10,20,50] [--draws 1000] [--texts 1000] [--seed 0]

A population of texts is measured once, with maps that are right but for noise, on a text function in which words add up and
one pair of words acts together. Samples of few texts are then drawn from it, and an interval of 95 % is taken of each. Each
cell shows the share of the samples whose interval covers the mean of the population: Student's / the one of `mean_interval`,
which corrects it for skewness. Samples without any spread have no interval; they are left out, and their share
stands in brackets. The rows "normal" and "lognormal" are drawn from these distributions.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path[:] = [str(ROOT), *[entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]]

import numpy as np  # noqa: E402
from scipy.stats import t  # noqa: E402

from evals.faithfulness import evaluate  # noqa: E402
from evals.faithfulness.intervals import mean_interval  # noqa: E402
from verbalize import Query, TokenSaliency  # noqa: E402
from verbalize.models import TextFunction  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

WEIGHTS = {"vile": -4.0, "good": 3.0, "very": 0.5, "long": -1.0, "film": 0.2}
WORDS = (*WEIGHTS, "a", "the", "plot")
TOGETHER = 2.0  # what "very good" adds
LEVEL = 0.95


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--inputs", default="5,10,20,50", help="sizes of the samples, with commas between")
    parser.add_argument("--draws", type=int, default=1000, help="samples of each size")
    parser.add_argument("--texts", type=int, default=1000, help="texts in the population")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    sizes = [int(size) for size in chosen.inputs.split(",")]
    chance = np.random.default_rng(chosen.seed)
    print(f"{'metric':<40}" + "".join(f"{f'n = {size}':>22}" for size in sizes))
    for name, values in _populations(chosen.texts, chance):
        cells = [_covered(values, size, chosen.draws, chance) for size in sizes]
        print(f"{name:<40}" + "".join(f"{cell:>22}" for cell in cells), flush=True)
    return 0


def _populations(count: int, chance: np.random.Generator) -> Iterator[tuple[str, NDArray[np.float64]]]:
    yield "normal", chance.normal(size=100_000)
    yield "lognormal", chance.lognormal(size=100_000)
    model = TextFunction(_answers, ("good", "bad"))
    maps = []
    for _ in range(count):
        words = [WORDS[index] for index in chance.integers(0, len(WORDS), chance.integers(4, 11))]
        noise = chance.normal(0, 0.5, len(words))
        maps.append(TokenSaliency(words, np.array([WEIGHTS.get(word, 0.0) for word in words]) + noise, Query("good")))
    found = evaluate(model, maps)
    for one in found.outcomes:
        values = one.values[~np.isnan(one.values)]
        if len(values) > 1 and np.ptp(values) > 0:
            yield f"{one.metric} ({one.scale})", values


def _answers(texts: list[str]) -> NDArray[np.float64]:
    scores = [sum(WEIGHTS.get(word, 0.0) for word in text.split()) + TOGETHER * ("very good" in text) for text in texts]
    return np.stack([scores, np.negative(scores)], axis=1)


def _covered(values: NDArray[np.float64], size: int, draws: int, chance: np.random.Generator) -> str:
    mean, names = float(values.mean()), range(size)
    reach = float(t.ppf((1 + LEVEL) / 2, size - 1)) / size**0.5
    students = ours = without = 0
    for _ in range(draws):
        sample = values[chance.integers(0, len(values), size)]
        center, low, high = mean_interval(sample, names, LEVEL)
        if np.isnan(low):
            without += 1
            continue
        ours += low <= mean <= high
        students += abs(center - mean) <= reach * sample.std(ddof=1)
    there = draws - without
    if not there:
        return "-"
    return f"{students / there:.2f} / {ours / there:.2f}" + (f" ({without / draws:.0%})" if without else "")


if __name__ == "__main__":
    sys.exit(main())
