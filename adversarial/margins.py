"""How far scores are from a flip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def margin(scores: NDArray[np.floating], label: int, target: int | None = None) -> NDArray[np.floating]:
    """(N,) how far each row of (N, K) scores is from the goal: negative where it is reached, and 0 at a tie.

    Without a target: the label's score less the best other score. With one: the best other score less the target's.
    """
    pivot = label if target is None else target
    rest = np.delete(scores, pivot, axis=1).max(axis=1)
    gap: NDArray[np.floating] = scores[:, pivot] - rest
    return gap if target is None else -gap


def deciding(gaps: NDArray[np.float64], *, every: bool) -> NDArray[np.float64]:
    """The gaps (N, K) of which one must be closed: all of them, or where every one must be closed, the farthest (N, 1)."""
    return np.asarray(gaps.min(axis=1, keepdims=True)) if every else gaps


def most_possible(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, K) top-k answers in which each class that was left out has the most that it can have.

    Those classes are told from the others by their equal shares, the least of their row. Together they had what is left of 1;
    alone, each could have all of it, or the least of the classes that were told where that is less. Thus scores do not leap
    where a class enters the answer.
    """
    share = scores.min(axis=1, keepdims=True)
    left_out = scores == share
    least = np.where(left_out, np.inf, scores).min(axis=1, keepdims=True)
    most = np.minimum(share * left_out.sum(axis=1, keepdims=True), least)
    return np.asarray(np.where(left_out, np.where(np.isfinite(least), most, share), scores))
