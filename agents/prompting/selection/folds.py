"""Folds of the labelled images: what candidates are worth on images that their search did not see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from agents.few_shot.folds import without_copies
from agents.few_shot.selection import calibrated
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_FOLDS = 3
"""Folds that are made where none are asked for: each costs a search, and three leave two thirds of the images to each."""


@dataclass(frozen=True)
class FoldScore:
    """A kind of prompts over all folds: on the images of the search, and on those it did not see.

    Attributes:
        name: what was chosen: "template", "templates", "descriptions", or weights of prompts.
        search_accuracy: mean top-1 accuracy on the images that the prompts were searched with.
        unseen_accuracy: the same on the images left out; every image is left out once.
        search_likelihood: mean log probability of the true class on the former.
        unseen_likelihood: the same on the latter.
        seed: the seed of the search.
    """

    name: str
    search_accuracy: float
    unseen_accuracy: float
    search_likelihood: float
    unseen_likelihood: float
    seed: int = 0

    @property
    def gap(self) -> float:
        """How much of the accuracy on the search's images does not hold on unseen ones."""
        return self.search_accuracy - self.unseen_accuracy


@dataclass(frozen=True)
class CrossValidation:
    """What folds of the labelled images say about the prompts.

    Attributes:
        folds: how many; 0 where none could be made.
        chosen: the kind of prompts that was taken.
        scores: one per kind of prompts and seed; empty without folds.
        note: why there are no folds, or why they say little; empty otherwise.
    """

    folds: int
    chosen: str
    scores: tuple[FoldScore, ...] = ()
    note: str = ""

    @property
    def gap(self) -> float | None:
        """The gap of the chosen kind, averaged over seeds; None where it is unknown."""
        found = [score.gap for score in self.scores if score.name == self.chosen]
        return float(np.mean(found)) if found else None


def fold_count(
    labels: NDArray[np.int64], classes: int, folds: int | None, rows: NDArray[np.floating] | None = None
) -> tuple[int, str]:
    """How many folds these labels allow, and why there are fewer than asked for.

    Every class with images must keep one outside each fold, so that no class has more images than folds can part. The folds
    themselves are drawn by `agents.few_shot.folds.stratified_folds`.

    Args:
        labels: n class indices.
        classes: how many classes there are.
        folds: how many are wanted; None for up to three.
        rows: n×D embeddings; copies of an image count as one, because they come into one fold.

    Raises:
        UsageError: 1 fold, or fewer than 0.
    """
    if folds is not None and (folds < 0 or folds == 1):
        raise UsageError(f"folds must be 0 (none) or at least 2, not {folds}")
    counts = np.bincount(without_copies(labels, rows)[1], minlength=classes)
    fewest = int(counts[counts > 0].min())
    wanted = MOST_FOLDS if folds is None else folds
    if wanted == 0:
        return 0, "no folds were asked for, so that the gap to unseen images is unknown"
    if fewest < 2:
        return 0, (
            "a class has one labelled image only, so that no fold can be left out, and the gap to unseen images is unknown; "
            "give each class at least two"
        )
    if folds is not None and fewest < wanted:
        return fewest, f"a class has {fewest} labelled images only, so that {fewest} folds were made in the place of {folds}"
    return min(wanted, fewest), ""


def fold_score(
    name: str, cosines: NDArray[np.floating], inside: NDArray[np.bool_], labels: NDArray[np.int64], seed: int
) -> tuple[FoldScore, NDArray[np.bool_]]:
    """The figures of a kind of prompts: every image is left out of one fold's search, and seen by all the others'.

    Each kind is judged at its own temperature, the one under which the images left out are likeliest; else a kind that merely
    happens to fit the scale of the search would win.

    Args:
        name: of the kind.
        cosines: F×n×K, of the images with the class vectors of each fold.
        inside: F×n, whether a fold's search saw an image.
        labels: n class indices.
        seed: of the search.

    Returns:
        The figures, and whether each image is right under the search that did not see it, fold by fold.
    """
    every = np.broadcast_to(labels, inside.shape)
    scale = calibrated(cosines[~inside], every[~inside])
    logits = scale * cosines.astype(np.float64)
    likelihood = np.take_along_axis(logits, every[:, :, None], axis=2)[:, :, 0] - logsumexp(logits, axis=2)
    right = cosines.argmax(axis=2) == every
    score = FoldScore(
        name,
        float(right[inside].mean()),
        float(right[~inside].mean()),
        float(likelihood[inside].mean()),
        float(likelihood[~inside].mean()),
        seed,
    )
    return score, right[~inside]


def clearly_better(hits: NDArray[np.bool_], usual: NDArray[np.bool_]) -> bool:
    """Whether a kind is right more often than the usual one by two standard errors of the difference, image by image.

    Folds of few images make many kinds look better by chance, and the best-looking of many is mostly lucky.
    """
    only, lost = int((hits & ~usual).sum()), int((usual & ~hits).sum())
    return bool(only - lost > 2 * np.sqrt(only + lost))
