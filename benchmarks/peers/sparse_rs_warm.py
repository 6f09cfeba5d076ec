"""Sparse-RS for L0 with a warm search over k: each smaller k starts from the best set of pixels found.

Croce, Andriushchenko, Singh, Flammarion and Hein, "Sparse-RS: a Versatile Framework for Query-Efficient Sparse Black-Box
Adversarial Attacks", AAAI 2022, algorithm 1, with the paper's share of 0.3 and its schedule: see `sparse_rs`.

The paper fixes k. Departures: k starts at a quarter of the pixels, so that the first flip comes early; while nothing has
flipped it grows; at each success it falls, and the search goes on from a subset of the set found: several random subsets are
tried and the one with the smallest margin is kept. The schedule follows the queries of the whole run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.peers.margins import margins
from benchmarks.peers.recorder import BudgetSpent, Recorder
from benchmarks.peers.sparse_rs import SHARE, STEPS

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Warm:
    """The constants of the search over k, chosen on images at even places.

    Attributes:
        first: the first k, as a share of the pixels.
        fall: the share of k that is kept at a success.
        subsets: random subsets that are tried at a success.
        patience: share of the budget after which k is doubled, while nothing has flipped.
        own: whether the schedule starts anew with each k, instead of following the whole run.
    """

    first: float = 0.25
    fall: float = 0.7
    subsets: int = 4
    patience: float = 0.1
    own: bool = False


def sparse_rs_warm(recorder: Recorder, seed: int, setting: Warm = Warm()) -> None:
    """Spend the recorder's budget, or stop at one pixel."""
    rng = np.random.default_rng(seed)
    shape = recorder.image.shape
    flat = recorder.image.reshape(-1, shape[-1])
    most = len(flat)

    def ask(pixels: NDArray[np.int64], colours: NDArray[np.float32]) -> float:
        image = flat.copy()
        image[pixels] = colours
        return float(margins(recorder, recorder(image.reshape(1, *shape)))[0])

    def corners(count: int) -> NDArray[np.float32]:
        return rng.integers(2, size=(count, shape[-1])).astype(np.float32)

    def outside(pixels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        free = np.ones(most, dtype=bool)
        free[pixels] = False
        return rng.choice(np.flatnonzero(free), count, replace=False)

    k = max(1, round(setting.first * most))
    pixels = rng.choice(most, k, replace=False)
    colours = corners(k)
    found, begun = False, 0
    try:
        best = ask(pixels, colours)
        while True:
            if best < 0:
                found = True
                if k == 1:
                    return
                k, best = min(k - 1, max(1, int(setting.fall * k))), np.inf
                whole, its = pixels, colours
                for _ in range(setting.subsets):
                    kept = rng.choice(len(whole), k, replace=False)
                    value = ask(whole[kept], its[kept])
                    if value < best:
                        pixels, colours, best = whole[kept], its[kept], value
                    if best < 0:
                        break
                begun = recorder.queries
                continue
            waited = recorder.queries - begun
            if not found and k < most and waited >= setting.patience * recorder.budget:
                more = min(k, most - k)
                pixels, colours = np.concatenate([pixels, outside(pixels, more)]), np.concatenate([colours, corners(more)])
                k, begun, best = k + more, recorder.queries, ask(pixels, colours)
                continue
            scaled = (waited if setting.own else recorder.queries) / recorder.budget * 10_000
            divisor = next((by for until, by in STEPS if scaled <= until), STEPS[-1][1])
            count = min(max(int(SHARE / divisor * k), 1), most - k)
            tried, tried_colours = pixels.copy(), colours.copy()
            out = rng.choice(k, max(count, 1), replace=False)
            if count:
                tried[out] = outside(pixels, count)
            tried_colours[out] = corners(len(out))
            value = ask(tried, tried_colours)
            if value <= best:
                pixels, colours, best = tried, tried_colours, value
    except BudgetSpent:
        return
