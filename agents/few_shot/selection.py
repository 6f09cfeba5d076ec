"""Chooses a setting by the log likelihood of held-out images, and stays with the usual one where these can't decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from agents.few_shot.folds import stratified_folds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from agents.few_shot.classifier import FewShotClassifier
    from agents.few_shot.shots import Shots

T = TypeVar("T")


def log_sums(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log Σ exp over the last axis; scipy's function takes ten times as long for arrays as small as these."""
    top = logits.max(axis=-1)
    found: NDArray[np.float64] = np.log(np.exp(logits - top[..., None]).sum(axis=-1)) + top
    return found


def log_likelihoods(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """The log probability of each image's true class under softmax: ...×n numbers from ...×n×K logits."""
    true = scores[..., np.arange(len(labels)), labels]
    found: NDArray[np.float64] = true - log_sums(scores)
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


def held_out_choice(
    shots: Shots,
    settings: Sequence[T],
    usual: int,
    begin: Callable[[Shots], Callable[[T], FewShotClassifier]],
    *,
    folds: int,
    seed: int,
) -> T:
    """The setting under which held-out images are likeliest, as `choose` says; the usual one where none can be held out.

    Args:
        shots: the labelled images.
        settings: S values to choose from.
        usual: the index of the one to use without evidence.
        begin: does what all settings share for some shots, and returns what fits a classifier with one setting.
        folds: the most folds of the cross-validation.
        seed: seed of the folds.
    """
    fold = stratified_folds(shots.labels, folds, rows=shots.rows, seed=seed)
    judged = np.flatnonzero(fold >= 0)
    if len(judged) < 2:
        return settings[usual]
    values = np.zeros((len(settings), len(shots.rows)))
    for number in range(int(fold.max()) + 1):
        out = fold == number
        fitted = begin(shots.of(~out))
        for index, setting in enumerate(settings):
            values[index, out] = log_likelihoods(fitted(setting).scores(shots.rows[out]), shots.labels[out])
    return settings[choose(values[:, judged], usual)]


def calibrated(cosines: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """The factor from cosines n×K to logits under which the labels are likeliest (Guo et al. 2017, §4.2).

    The grid ends at 300: where the texts get all images right, the likelihood would rise for ever.
    """
    wide = np.asarray(cosines, dtype=np.float64)
    values = [log_likelihoods(part[:, None, None] * wide, labels).mean(axis=1) for part in _parts(SCALES, cosines.size)]
    return float(SCALES[int(np.concatenate(values).argmax())])


SCALES = np.geomspace(1.0, 300.0, 60)
FLOATS = 2_000_000  # logits held at a time (16 MB)


def _parts(scales: NDArray[np.float64], size: int) -> list[NDArray[np.float64]]:
    """The scales in parts whose logits fit together."""
    step = max(1, FLOATS // max(size, 1))
    return [scales[at : at + step] for at in range(0, len(scales), step)]
