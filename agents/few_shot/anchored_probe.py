"""A linear probe that starts from the texts and moves away from them only as far as the images ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agents.few_shot.classifier import FewShotClassifier
from agents.few_shot.logistic import solve
from agents.few_shot.prototypes import expected_centres
from agents.few_shot.selection import calibrated, held_out_choice
from agents.few_shot.shots import Shots, checked_shots
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATIOS = (1 / 16, 1 / 4, 1.0, 4.0, 16.0)
"""τ²/σ² as in `fit_prototypes`, in factors of four: finer steps change fewer decisions than the choice among them errs by."""
USUAL = RATIOS.index(1.0)


def fit_anchored_probe(
    rows: NDArray[np.floating],
    labels: NDArray[np.integer],
    texts: NDArray[np.floating],
    *,
    ratio: float | None = None,
    folds: int = 5,
    seed: int = 0,
) -> FewShotClassifier:
    """Fit logistic regression whose penalty draws each class's weights to its text vector.

    The idea is that of CLAP (Silva-Rodríguez et al. 2024, eq. 6-8) and LP++ (Huang et al. 2024). It departs from both: the
    strength of the penalty is not learned per class and not found on a validation set, but follows from the model of
    `fit_prototypes`, so that it is known with one image per class, too. Images and texts are centred on the mean over classes
    first, which takes the modality gap away. If deviations of centres from texts have the variance τ² and images around
    centres σ², then logits are x·centre/σ² and the penalty on a centre's distance from its text is 1/τ². The texts alone see
    the sum of both: the scale under which labels are likeliest by the texts is about 1/(σ² + τ²). With r = τ²/σ² this
    gives logits of scale · (1 + r) and a penalty of scale · (1 + r) / r.

    r = 1 (a text counts as one image) where classes have one image each; else by the likelihood of held-out images, where this
    beats r = 1 by more than a standard error.

    Args:
        rows: n×D image embeddings of any length.
        labels: n class indices.
        texts: K×D text vectors.
        ratio: r, more than 0; found as above by default.
        folds: the most folds of the cross-validation.
        seed: seed of the folds.

    Raises:
        UsageError: the arrays do not fit together, or the ratio is not above 0.
    """
    if ratio is not None and not 0 < ratio < np.inf:
        raise UsageError(f"ratio must be more than 0, not {ratio}")
    shots = checked_shots(rows, labels, texts)
    if ratio is None:
        ratio = held_out_choice(shots, RATIOS, USUAL, lambda part: _Centred.of(part).fitted, folds=folds, seed=seed)
    return _Centred.of(shots).fitted(ratio)


@dataclass(frozen=True, eq=False)
class _Centred:
    """Shots without the mean over classes: what all strengths begin with."""

    rows: NDArray[np.float64]
    labels: NDArray[np.int64]
    texts: NDArray[np.float64]
    middle: NDArray[np.float64]
    scale: float

    @classmethod
    def of(cls, shots: Shots) -> _Centred:
        present = shots.counts > 0
        middle = (shots.sums()[present] / shots.counts[present, None]).mean(axis=0)
        rows, texts = shots.rows - middle, expected_centres(shots) - middle
        return cls(rows, shots.labels, texts, middle, calibrated(rows @ texts.T, shots.labels))

    def fitted(self, ratio: float) -> FewShotClassifier:
        """The probe for this ratio."""
        scale = self.scale * (1 + ratio)
        offsets = scale * self.rows @ self.texts.T
        change, _ = solve(self.rows, self.labels, len(self.texts), penalty=scale / ratio, offsets=offsets, scale=scale)
        weights = scale * (self.texts + change)
        return FewShotClassifier(weights, -weights @ self.middle)
