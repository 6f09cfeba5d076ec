"""Tip-Adapter (Zhang et al. 2022, eq. 2-5), the form without training: stored images beside the texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.few_shot.classifier import FewShotClassifier
from agents.few_shot.selection import calibrated, choose, log_likelihoods
from agents.few_shot.shots import Shots, checked_shots

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALPHAS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
BETAS = (1.0, 2.0, 5.5, 11.0, 22.0, 50.0)
"""The grids bracket the published α = 1 and β = 5.5."""
USUAL = (1.0, 5.5)


def fit_tip_adapter(
    rows: NDArray[np.floating],
    labels: NDArray[np.integer],
    texts: NDArray[np.floating],
    *,
    alpha: float | None = None,
    beta: float | None = None,
    scale: float | None = None,
) -> FewShotClassifier:
    """Add to the logits of the texts how near the stored images of each class are.

    The logits are `scale` · x·text + α · Σ exp(-β (1 - x·key)). It departs from the paper in three points. α and β are found by
    leaving each image out of the store, because a few images leave none for validation; only images whose class keeps
    another one are judged, and the published values stay where the gain is within one standard error. The scale is the one
    under which the labels are likeliest, because only CLIP's is trained to be 100. β is divided by the mean of 1 - cosine
    between two images, times the 0.3 that this is for CLIP's images, because other encoders spread images more.

    Args:
        rows: n×D image embeddings of any length.
        labels: n class indices.
        texts: K×D text vectors.
        alpha: α; by default found as above.
        beta: β, as it is in the formula; by default found as above.
        scale: the factor from cosines to logits; by default found as above.

    Raises:
        UsageError: the arrays do not fit together.
    """
    shots = checked_shots(rows, labels, texts)
    factor = calibrated(shots.rows @ shots.texts.T, shots.labels) if scale is None else scale
    unit_beta = _spread(shots)
    alphas = ALPHAS if alpha is None else (alpha,)
    betas = tuple(value * unit_beta for value in BETAS) if beta is None else (beta,)
    found_alpha, found_beta = _found(shots, factor, alphas, betas)
    return FewShotClassifier(
        factor * shots.texts, np.zeros(len(shots.texts)), shots.rows, shots.labels, found_alpha, found_beta
    )


CLIP_DISTANCE = 0.3
"""1 - cosine of two photographs under CLIP is about 0.3 on the average; the published β is made for it."""


def _spread(shots: Shots) -> float:
    count = len(shots.rows)
    if count < 2:
        return 1.0
    total = float((shots.rows.sum(axis=0) ** 2).sum())
    distance = 1 - (total - count) / (count * (count - 1))
    return CLIP_DISTANCE / max(distance, 1e-3)


def _found(shots: Shots, scale: float, alphas: tuple[float, ...], betas: tuple[float, ...]) -> tuple[float, float]:
    pairs = [(alpha, beta) for beta in betas for alpha in alphas]
    usual = (USUAL[0] if USUAL[0] in alphas else alphas[0], betas[BETAS.index(USUAL[1])] if len(betas) > 1 else betas[0])
    judged = shots.counts[shots.labels] >= 2
    if judged.sum() < 2 or len(pairs) == 1:
        return usual
    texts = scale * shots.rows[judged] @ shots.texts.T
    away = 1 - shots.rows[judged] @ shots.rows.T
    own = np.flatnonzero(judged)
    ownership = np.eye(len(shots.texts))[shots.labels]
    values: list[NDArray[np.float64]] = []
    for beta in betas:
        near = np.exp(-beta * away)
        near[np.arange(len(own)), own] = 0.0
        stored = near @ ownership
        values.extend(log_likelihoods(texts + alpha * stored, shots.labels[judged]) for alpha in alphas)
    return pairs[choose(np.stack(values), pairs.index(usual))]
