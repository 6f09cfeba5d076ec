"""A linear probe: logistic regression on the images alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from agents.few_shot.classifier import FewShotClassifier
from agents.few_shot.logistic import solve
from agents.few_shot.selection import held_out_choice
from agents.few_shot.shots import Shots, checked_shots
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRENGTHS = (0.1, 1.0, 10.0, 100.0, 1000.0)
"""C as scikit-learn names it: the inverse strength of the penalty, in factors of ten around its default 1."""
USUAL = STRENGTHS.index(1.0)
ABSENT = -1e4
"""The bias of a class without images: scores of vectors of length 1 do not reach so low, and JSON and npz can hold it."""


def fit_probe(
    rows: NDArray[np.floating],
    labels: NDArray[np.integer],
    texts: NDArray[np.floating],
    *,
    strength: float | None = None,
    folds: int = 5,
    seed: int = 0,
) -> FewShotClassifier:
    """Fit scikit-learn's logistic regression (L2 penalty, with a bias per class) to the images; texts only count the classes.

    The strength C is the one with the best likelihood on held-out images; 1 where these can't decide. A class without images is
    never chosen, for the probe knows nothing about it; with images of one class alone, that class is always chosen.

    Args:
        rows: n×D image embeddings of any length.
        labels: n class indices.
        texts: K×D text vectors.
        strength: C, more than 0; by cross-validation by default.
        folds: the most folds of the cross-validation.
        seed: seed of the folds.

    Raises:
        UsageError: the arrays do not fit together, or the strength is not above 0.
    """
    if strength is not None and not 0 < strength < np.inf:
        raise UsageError(f"strength must be more than 0, not {strength}")
    shots = checked_shots(rows, labels, texts)
    if strength is None:
        strength = held_out_choice(shots, STRENGTHS, USUAL, lambda part: partial(_fitted, part), folds=folds, seed=seed)
    return _fitted(shots, strength)


def _fitted(shots: Shots, strength: float) -> FewShotClassifier:
    present, place = np.unique(shots.labels, return_inverse=True)
    weights, bias = np.zeros_like(shots.texts), np.full(len(shots.texts), ABSENT)
    change, own = solve(shots.rows, place, len(present), penalty=1 / strength, with_bias=True)
    weights[present], bias[present] = change, own - own.mean()
    return FewShotClassifier(weights, bias)
