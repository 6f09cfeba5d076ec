"""BruSLeAttack for L0, written anew after its paper, with a bisection over k.

Vo, Abbasnejad and Ranasinghe, "BruSLeAttack: A Query-Efficient Score-Based Black-Box Sparse Adversarial Attack", ICLR 2024,
algorithm 1. A synthetic image has values of 0 and 1 at random. A mask says which k pixels come from it. Each query, a share
of the mask's pixels (falling with the queries by powers and steps) is exchanged: those that stay are drawn by how often
exchanging them was no help, those that come by that and by how much the synthetic image differs there; the new mask is kept if
the loss does not grow: the margin of the softmax, or the cross-entropy towards a target.

The decay (0.24 and 0.997), the 10 first masks and the prior of 0.01 are the paper's; its first share is 0.3 (0.05 towards a
target). The paper fixes k. Here k is bisected between the largest k that failed and the smallest that flipped, in logarithms;
it starts at a share of the pixels and is doubled where that fails. Each k has a share of the budget, and a run over another k
starts anew with another synthetic image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.peers.margins import margins, shares
from benchmarks.peers.recorder import BudgetSpent, Recorder

if TYPE_CHECKING:
    from numpy.typing import NDArray

DECAY, STEP = 0.24, 0.997
POPULATION, PRIOR = 10, 0.01


@dataclass(frozen=True)
class Bisection:
    """The constants of the search over k, chosen on images at even places.

    Attributes:
        first: the first k, as a share of the pixels.
        each: the share of the budget that each k may use.
        exchanged: the first share of the pixels that is exchanged; None for the paper's.
    """

    first: float = 0.05
    each: float = 0.3
    exchanged: float | None = None


def brusle(recorder: Recorder, seed: int, setting: Bisection = Bisection()) -> None:
    """Spend the recorder's budget."""
    rng = np.random.default_rng(seed)
    most = recorder.image.shape[0] * recorder.image.shape[1]
    low, high, k = 0, most + 1, max(1, round(setting.first * most))
    each = max(POPULATION + 5, round(setting.each * recorder.budget))
    try:
        while high > 1:
            if _flipped(recorder, rng, k, each, setting):
                high = k
            else:
                low = k
            if high > most:
                k = min(2 * k, most)
                continue
            if low + 1 >= high:  # what failed may have failed by chance: there is budget left
                low = low // 2
            k = min(max(round(np.sqrt(max(low, 1) * high)), low + 1), high - 1)
    except BudgetSpent:
        return


def _flipped(recorder: Recorder, rng: np.random.Generator, k: int, queries: int, setting: Bisection) -> bool:
    """One run with a fixed k."""
    original = recorder.image
    shape = original.shape
    pixels = shape[0] * shape[1]
    k = min(k, pixels)
    synthetic = rng.integers(2, size=shape).astype(np.float32)
    differs = np.abs(synthetic - original).mean(axis=-1).ravel() + 1e-9
    end = recorder.queries + queries
    first = setting.exchanged if setting.exchanged is not None else 0.3 if recorder.target is None else 0.05

    def ask(mask: NDArray[np.bool_]) -> tuple[float, bool]:
        scores = recorder(np.where(mask.reshape(1, *shape[:2], 1), synthetic, original))
        gap = margins(recorder, scores)[0]
        probable = shares(scores)
        if recorder.target is None:
            return float(margins(recorder, probable)[0]), bool(gap < 0)
        return float(-np.log(max(probable[0, recorder.target], 1e-300))), bool(gap < 0)

    visits, failures = np.zeros(pixels), np.zeros(pixels)
    best, loss = np.zeros(pixels, dtype=bool), np.inf
    for _ in range(POPULATION):
        mask = np.zeros(pixels, dtype=bool)
        mask[rng.choice(pixels, k, replace=False)] = True
        visits += mask
        value, won = ask(mask)
        if won:
            return True
        if value < loss:
            best, loss = mask, value
    asked = POPULATION
    while recorder.queries < end:
        rate = first * ((asked + 1.0) ** -DECAY + STEP ** (asked + 1)) / 2
        belief = (failures + PRIOR) / (visits + PRIOR)
        inside, outside = np.flatnonzero(best), np.flatnonzero(~best)
        count = min(max(1, int(k * rate)), len(outside))
        if not count:
            return False  # every pixel is changed already
        stay = _drawn(rng, inside, belief[inside], k - count)
        come = _drawn(rng, outside, belief[outside] * differs[outside], count)
        mask = np.zeros(pixels, dtype=bool)
        mask[stay] = mask[come] = True
        left = best & ~mask
        value, won = ask(mask)
        asked += 1
        if won:
            return True
        if value <= loss:
            best, loss = mask, value
        else:
            failures[left] += 1
        visits[left] += 1
        visits += mask
    return False


def _drawn(rng: np.random.Generator, places: NDArray[np.int64], weights: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    return rng.choice(places, count, replace=False, p=weights / weights.sum()) if count else places[:0]
