"""SparseEvo, a decision-based attack in L0, written anew from its paper.

Vo, Abbasnejad and Ranasinghe, "Query Efficient Decision Based Sparse Attacks Against Black-Box Machine Learning Models",
ICLR 2022,
section 3 and algorithm 1. A candidate is a binary mask over the pixels: 0 takes the pixel of a starting image, which is
adversarial, and 1 that of the original. A population of masks evolves: the best mask is crossed with two others that were
drawn, a share of its remaining zeros is mutated to ones, and the child takes the place of the worst mask if it is still
adversarial and nearer to the original. The only answer used is the decision.

The paper measures nearness in L2. Here it is the number of pixels that differ, and L2 only between equal numbers, since L0 is
what is compared. Masks that have become alike can't evolve any more; the paper ends there, and here the rest of the queries
goes to another start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.peers.recorder import BudgetSpent, Recorder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Images = NDArray[np.float32]
    Mask = NDArray[np.bool_]

IDLE = 150  # children in a row that were no better: the masks have become alike, and another start does better
RATES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # of the pixels, salt-and-pepper starts


@dataclass(frozen=True)
class Setting:
    """What the paper leaves to be chosen. The values are those of its section 4 for small images, unless a benchmark says so.

    Attributes:
        population: masks at a time.
        crossover: probability that a pixel comes from the first of the two parents that were drawn.
        mutation: share of the pixels still taken from the starting image that go back to the original.
        opening: share of the pixels that go back in the first masks; it is halved until such a mask is adversarial.
        start: "image" for images of other classes, "noise" for salt and pepper.
    """

    population: int = 10
    crossover: float = 0.5
    mutation: float = 0.04
    opening: float = 0.004
    start: str = "noise"


def sparse_evo(recorder: Recorder, seed: int, setting: Setting = Setting(), others: Sequence[Images] = ()) -> None:
    """Run the attack to the budget's end.

    Args:
        recorder: the classifier, the image and the goal.
        seed: of all chance.
        setting: its constants.
        others: images that are tried in turn as the starting image, for `start="image"`.
    """
    rng = np.random.default_rng(seed)
    try:
        images = rng.permutation(len(others)).tolist()
        while (start := _start(recorder, rng, setting, [others[place] for place in images])) is not None:
            _evolve(recorder, rng, setting, start)
            images = images[1:] + images[:1]
    except BudgetSpent:
        return


def _reached(recorder: Recorder, image: Images) -> bool:
    winner = int(recorder(image[None])[0].argmax())
    return winner != recorder.label if recorder.target is None else winner == recorder.target


def _start(recorder: Recorder, rng: np.random.Generator, setting: Setting, others: Sequence[Images]) -> Images | None:
    """The first candidate that reaches the goal: one of the other images, or salt and pepper at a rising rate."""
    if setting.start == "image":
        return next((other for other in others if _reached(recorder, other)), None)
    height, width, channels = recorder.image.shape
    for _ in range(4):
        order = rng.permutation(height * width).reshape(height, width)
        noise = rng.integers(2, size=(height, width, channels)).astype(np.float32)
        for rate in RATES:
            image = np.where((order < rate * height * width)[..., None], noise, recorder.image)
            if _reached(recorder, image):
                return image
    return None


def _evolve(recorder: Recorder, rng: np.random.Generator, setting: Setting, start: Images) -> None:
    original = recorder.image
    differs = (start != original).any(axis=-1).ravel()
    weight = ((start - original) ** 2).sum(axis=-1).ravel()

    def fitness(mask: Mask) -> float:
        image = np.where(mask.reshape(*original.shape[:2], 1), original, start)
        taken = differs & ~mask
        return float(taken.sum() + weight[taken].sum() / (weight.sum() + 1)) if _reached(recorder, image) else np.inf

    places = np.flatnonzero(differs)
    population, worth = [], []
    for _ in range(setting.population):
        count = max(1, round(setting.opening * len(places)))
        mask = np.zeros(len(differs), dtype=bool)
        value = np.inf
        while np.isinf(value):
            mask = np.zeros(len(differs), dtype=bool)
            mask[rng.choice(places, count, replace=False)] = count > 0
            value = fitness(mask) if count else float(differs.sum() + 1)  # the starting image itself
            count //= 2
        population.append(mask)
        worth.append(value)
    idle = 0
    while idle < IDLE:
        best, worst = int(np.argmin(worth)), int(np.argmax(worth))
        first, second = rng.choice(np.delete(np.arange(len(population)), best), 2, replace=False)
        child = np.where(rng.random(len(differs)) < setting.crossover, population[first], population[second])
        child |= population[best]
        left = np.flatnonzero(differs & ~child)
        if len(left):
            child[rng.choice(left, max(1, int(setting.mutation * len(left))), replace=False)] = True
        value = fitness(child)
        idle = idle + 1 if value >= worth[worst] else 0
        if value < worth[worst]:
            population[worst], worth[worst] = child, value
