"""Text plus image-mean prototypes: the mean of a class's images, drawn towards the vector of its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.few_shot.classifier import FewShotClassifier
from agents.few_shot.selection import calibrated, choose, log_likelihoods
from agents.few_shot.shots import Shots, checked_shots
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATIOS = (0.0, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0, 2.0, 4.0, 8.0, 16.0)
"""How many texts one image is worth: from the text alone to nearly the image mean alone, in factors of two."""
USUAL = RATIOS.index(1.0)
"""A text counts as much as one image: with one image per class the data do not say which of the two varies more."""


def fit_prototypes(
    rows: NDArray[np.floating], labels: NDArray[np.integer], texts: NDArray[np.floating], *, ratio: float | None = None
) -> FewShotClassifier:
    """Classify by the nearest class centre, which is the expected centre given the class's text and images.

    The model: a class's centre is its text vector, shifted by what images and texts differ in on the average (the modality
    gap; Liang et al. 2022), plus a deviation of variance τ²; an image is its class's centre plus a deviation of variance σ².
    The expected centre of a class with n images is then (text + n r · image mean) / (1 + n r) with r = τ²/σ² (the
    empirical Bayes estimate of Efron & Morris 1973). A class without images keeps its shifted text.

    One image per class can't tell τ² from σ². Then r = 1: a text counts as one image. Where classes have two images or more,
    r is the value under which each of them, left out of its class's mean, is likeliest; leaving out is a closed form here.
    r = 1 is kept where the gain is within one standard error.

    Args:
        rows: n×D image embeddings of any length.
        labels: n class indices.
        texts: K×D text vectors.
        ratio: r, at least 0; found as above by default.

    Raises:
        UsageError: the arrays do not fit together, or the ratio is negative.
    """
    if ratio is not None and not 0 <= ratio < np.inf:
        raise UsageError(f"ratio must be 0 or more, not {ratio}")
    shots = checked_shots(rows, labels, texts)
    return nearest_centre(centres(shots, found_ratio(shots) if ratio is None else ratio))


def expected_centres(shots: Shots) -> NDArray[np.float64]:
    """Where the texts alone expect the class centres: K×D, from the least-squares line b that leads from texts to image means.

    Every class with images counts once. A text that leads nowhere (b below 0) is worth nothing: then all centres are one point.
    """
    present = shots.counts > 0
    means = shots.sums()[present] / shots.counts[present, None]
    middle = shots.texts[present].mean(axis=0)
    spread = shots.texts[present] - middle
    squares = (spread**2).sum()
    slope = max(float((spread * (means - means.mean(axis=0))).sum() / squares), 0.0) if squares > 0 else 1.0
    moved: NDArray[np.float64] = means.mean(axis=0) + slope * (shots.texts - middle)
    return moved


def centres(shots: Shots, ratio: float) -> NDArray[np.float64]:
    """K×D expected centres of the classes."""
    found: NDArray[np.float64] = (expected_centres(shots) + ratio * shots.sums()) / (1 + ratio * shots.counts[:, None])
    return found


def nearest_centre(where: NDArray[np.float64]) -> FewShotClassifier:
    """The linear classifier that gives an image the class of the nearest centre: x·c - |c|²/2."""
    return FewShotClassifier(where, -(where**2).sum(axis=1) / 2)


def leave_one_out_scores(shots: Shots, ratio: float) -> NDArray[np.float64]:
    """n×K scores of each image by the centres without it; what the texts expect is a mean over all, and stays as it is."""
    where = centres(shots, ratio)
    scores: NDArray[np.float64] = shots.rows @ where.T - (where**2).sum(axis=1) / 2
    worth = 1 + ratio * shots.counts[shots.labels]
    own = where[shots.labels]
    without = (own * worth[:, None] - ratio * shots.rows) / (worth - ratio)[:, None]
    scores[np.arange(len(scores)), shots.labels] = (shots.rows * without).sum(axis=1) - (without**2).sum(axis=1) / 2
    return scores


def found_ratio(shots: Shots) -> float:
    """The ratio r = τ²/σ² as `fit_prototypes` says."""
    judged = shots.counts[shots.labels] >= 2
    if judged.sum() < 2:
        return RATIOS[USUAL]
    truth = shots.labels[judged]
    values = []
    for ratio in RATIOS:
        scores = leave_one_out_scores(shots, ratio)[judged]
        values.append(log_likelihoods(calibrated(scores, truth) * scores, truth))
    return RATIOS[choose(np.stack(values), USUAL)]
