"""RayS for L-infinity, written anew after the paper.

Chen and Gu, "RayS: A Ray Searching Method for Hard-label Adversarial Attack", KDD 2020, algorithms 2 and 3: a vector of signs,
one per value of the image; block by block, in blocks that are halved when all were tried, the signs are turned, and the new
vector is kept if it flips the class at the present radius ("fast check"); its radius is then bisected.
"""

from __future__ import annotations

import numpy as np

from benchmarks.peers.recorder import BudgetSpent, Recorder

TOLERANCE = 1e-3  # of a bisection, in Euclidean length, as in the authors' code


def rays(recorder: Recorder, seed: int) -> None:  # noqa: ARG001 - as every peer
    """Spend the recorder's budget. Nothing is left to chance, so that the seed has no part in it."""
    image = recorder.image.astype(np.float64).transpose(2, 0, 1)  # the paper's blocks follow channels, then rows
    size = image.size
    signs, radius = np.ones(size), 1.0
    tolerance = TOLERANCE / np.sqrt(size)

    def flips(tried: np.ndarray, length: float) -> bool:
        moved = np.clip(image + length * tried.reshape(image.shape), 0, 1)
        winner = int(recorder(moved.transpose(1, 2, 0)[None].astype(np.float32))[0].argmax())
        return winner != recorder.label if recorder.target is None else winner == recorder.target

    def searched(tried: np.ndarray) -> float:
        if not flips(tried, radius):
            return radius
        low, high = 0.0, radius
        while high - low > tolerance:
            middle = (low + high) / 2
            if flips(tried, middle):
                high = middle
            else:
                low = middle
        return high

    try:
        radius = searched(signs)  # the vector without a turn, which the paper passes over
        level = block = 0
        while True:
            width = -(-size // 2**level)
            tried = signs.copy()
            tried[block * width : (block + 1) * width] *= -1
            found = searched(tried)
            if found < radius:
                signs, radius = tried, found
            block += 1
            if block * width >= size:
                level, block = (level + 1 if width > 1 else 0), 0
    except BudgetSpent:
        return
