"""Chooses a setting by the log likelihood of held-out images, and stays with the usual one where these can't decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def log_likelihoods(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """The log probability of each image's true class under softmax: n numbers from n×K logits (leading axes are kept)."""
    true = np.take_along_axis(scores, np.broadcast_to(labels[:, None], (*scores.shape[:-1], 1)), axis=-1)[..., 0]
    found: NDArray[np.float64] = true - logsumexp(scores, axis=-1)
    return found


def choose(values: NDArray[np.float64], usual: int) -> int:
    """The setting with the best mean, where it beats the usual setting by more than a standard error of the difference.

    Args:
        values: S×n, how well S settings do on each of n held-out images.
        usual: the index of the setting to use without evidence.

    The rule of one standard error (Breiman et al. 1984, §3.4.3) keeps the usual setting where few images decide by chance.
    """
    if values.shape[1] < 2:
        return usual
    best = int(values.mean(axis=1).argmax())
    gain = values[best] - values[usual]
    return best if gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)) else usual


def calibrated(cosines: NDArray[np.float64], labels: NDArray[np.int64], scales: Sequence[float] | None = None) -> float:
    """The factor from cosines to logits under which the labels are likeliest (Guo et al. 2017, §4.2).

    The grid ends at 300: with one image per class that the texts all get right, the likelihood would rise for ever.
    """
    grid = np.geomspace(1.0, 300.0, 60) if scales is None else np.asarray(scales, dtype=np.float64)
    return float(grid[int(np.argmax([log_likelihoods(scale * cosines, labels).mean() for scale in grid]))])
