"""Multinomial logistic regression with a penalty on the distance from given weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

from agents.few_shot.selection import log_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS = 300  # of L-BFGS; a strength of the grids needs fewer than 100


def solve(
    rows: NDArray[np.float64],
    labels: NDArray[np.int64],
    classes: int,
    *,
    penalty: float,
    offsets: NDArray[np.float64] | None = None,
    scale: float = 1.0,
    with_bias: bool = False,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The change of the weights that makes the labels likeliest: Σ -log p(label) + penalty/2 · |change|².

    Args:
        rows: n×D.
        labels: n class indices.
        classes: K.
        penalty: more than 0.
        offsets: n×K logits of the weights that are drawn to; zero by default.
        scale: logits are offsets + scale · rows · change.
        with_bias: whether a bias per class is fitted, without a penalty.

    Returns:
        The change K×D, and the bias K (zero without one).
    """
    count = len(rows)
    # The change lies in the space of the images, so that it is sought there: at most n axes in place of D.
    left, values, axes = np.linalg.svd(rows, full_matrices=False)
    kept = values > 1e-10 * values.max(initial=0.0)
    inside = scale * left[:, kept] * values[kept]
    axes = axes[kept]
    base = np.zeros((count, classes)) if offsets is None else offsets
    target = np.eye(classes)[labels]
    width = inside.shape[1]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        change = flat[: width * classes].reshape(width, classes)
        logits = base + inside @ change
        if with_bias:
            logits = logits + flat[width * classes :]
        normaliser = log_sums(logits)
        error = np.exp(logits - normaliser[:, None]) - target
        value = float((normaliser - (logits * target).sum(axis=1)).sum() + penalty / 2 * (change**2).sum())
        slope = (inside.T @ error + penalty * change).ravel()
        return value, np.concatenate([slope, error.sum(axis=0)]) if with_bias else slope

    start = np.zeros(width * classes + (classes if with_bias else 0))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "gtol": 1e-5}).x
    bias = found[width * classes :] if with_bias else np.zeros(classes)
    change: NDArray[np.float64] = found[: width * classes].reshape(width, classes).T @ axes
    return change, bias
