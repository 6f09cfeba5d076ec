"""What a score-based peer makes small: how far the scores are from the goal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.peers.recorder import Recorder


def margins(recorder: Recorder, scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N, K) -> (N,): the label's score less the best other, or the best other's less the target's; below 0 is a success."""
    values = np.asarray(scores, dtype=np.float64)
    pivot = recorder.label if recorder.target is None else recorder.target
    rest = np.delete(values, pivot, axis=1).max(axis=1)
    gaps = values[:, pivot] - rest
    return np.asarray(gaps if recorder.target is None else -gaps)


def shares(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N, K) scores -> their softmax."""
    values = np.asarray(scores, dtype=np.float64)
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
