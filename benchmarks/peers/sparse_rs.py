"""Sparse-RS for L0 with a search over k.

Croce, Andriushchenko, Singh, Flammarion and Hein, "Sparse-RS: a Versatile Framework for Query-Efficient Sparse Black-Box
Adversarial Attacks", AAAI 2022, algorithm 1: k pixels at random corners of the colour cube; each query a share of them
(0.3 at first, falling by the published steps) is exchanged for others at random corners; kept if the margin does not grow.
The paper fixes k. Here k starts at 24, is doubled where a share of the budget was no help, and falls to a fifth less (one at
least) at each success, where the search goes on from the set found, less its random surplus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.peers.recorder import BudgetSpent, Recorder

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS = ((50, 2), (200, 4), (500, 5), (1000, 6), (2000, 8), (4000, 10), (6000, 12), (8000, 15), (10_001, 20))
SHARE, FIRST = 0.3, 24


def sparse_rs(recorder: Recorder, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = recorder.image.shape
    flat = recorder.image.reshape(-1, shape[-1])
    budget = recorder.budget

    def margin(pixels: NDArray[np.int64], colours: NDArray[np.float32]) -> float:
        image = flat.copy()
        image[pixels] = colours
        scores = recorder(image.reshape(1, *shape))[0]
        pivot = recorder.label if recorder.target is None else recorder.target
        rest = float(np.delete(scores, pivot).max())
        return float(scores[pivot]) - rest if recorder.target is None else rest - float(scores[pivot])

    def corners(count: int) -> NDArray[np.float32]:
        return rng.integers(2, size=(count, shape[-1])).astype(np.float32)

    try:
        k = min(FIRST, len(flat))
        pixels = rng.choice(len(flat), k, replace=False)
        colours = corners(k)
        best, step, share = margin(pixels, colours), 0, budget // 6
        found = False
        while True:
            if best < 0:
                found = True
                if k == 1:
                    return
                k = min(k - 1, int(0.8 * k))
                kept = rng.choice(len(pixels), k, replace=False)
                pixels, colours = pixels[kept], colours[kept]
                best, step = margin(pixels, colours), 0
                continue
            if not found and step >= share and 2 * k <= len(flat):
                extra = rng.choice(np.setdiff1d(np.arange(len(flat)), pixels), k, replace=False)
                pixels, colours = np.concatenate([pixels, extra]), np.concatenate([colours, corners(k)])
                k, step, best = 2 * k, 0, margin(pixels, colours)
                continue
            scaled = step / budget * 10_000
            divisor = 1 if step == 0 else next(by for until, by in STEPS if scaled <= until)
            count = min(max(int(SHARE / divisor * k), 1), len(flat) - k)
            out = rng.choice(k, count, replace=False)
            outside = np.setdiff1d(np.arange(len(flat)), pixels)
            tried, tried_colours = pixels.copy(), colours.copy()
            tried[out], tried_colours[out] = rng.choice(outside, count, replace=False), corners(count)
            value = margin(tried, tried_colours)
            if value <= best:
                pixels, colours, best = tried, tried_colours, value
            step += 1
    except BudgetSpent:
        return
