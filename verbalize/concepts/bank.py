"""A bank of concepts: directions of activations, found by dictionary learning."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

Extractor = Literal["nmf", "kmeans", "pca"]
_ROUNDS = 1_000  # of NMF; it stops earlier where its error hardly falls any more
_STEPS = 400  # of the coefficients for a fixed bank
_ROUNDING = 1e-5  # of the largest activation: a negative value up to this is rounding


@dataclass(frozen=True, eq=False)
class ConceptBank:
    """A dictionary W of K directions, with which activations A are about U W.

    Three ways of concept extraction are the same problem, min ||A - U W||, under different constraints (Fel et al. 2023,
    "A holistic approach to unifying automatic concept extraction and concept importance estimation"). With "nmf",
    U and W are not negative (CRAFT). With "kmeans", each row of U is one-hot (ACE). With "pca", the rows of W are orthonormal,
    and A is counted from its mean.

    Args:
        directions: (K, D) W. Rows of "nmf" have length 1, so that coefficients are amounts of activation.
        extractor: "nmf", "kmeans" or "pca".
        offset: (D,) what activations are counted from: their mean with "pca", else zeros.
    """

    directions: Floats
    extractor: Extractor
    offset: Floats

    def __len__(self) -> int:
        return len(self.directions)

    def encode(self, activations: ArrayLike) -> Floats:
        """(N, D) activations -> (N, K) coefficients U, for a fixed W.

        Raises:
            UsageError: the activations have another width, or the extractor is "nmf" and one is negative.
        """
        given = _checked(activations, self.extractor)
        if given.shape[1] != self.directions.shape[1]:
            raise UsageError(f"activations have width {given.shape[1]}, the bank {self.directions.shape[1]}")
        if not len(given):
            return np.zeros((0, len(self)))
        if self.extractor == "pca":
            found: Floats = (given - self.offset) @ self.directions.T
            return found
        if self.extractor == "kmeans":
            distances = (self.directions**2).sum(axis=1) - 2 * given @ self.directions.T
            nearest: Floats = np.eye(len(self))[distances.argmin(axis=1)]
            return nearest
        return _coefficients(given, self.directions)

    def decode(self, coefficients: ArrayLike) -> Floats:
        """(N, K) coefficients -> (N, D) activations U W."""
        found: Floats = np.asarray(coefficients, dtype=np.float64) @ self.directions + self.offset
        return found

    def error(self, activations: ArrayLike) -> float:
        """The share of the activations that the bank misses: ||A - U W|| / ||A||, 0 for activations of zeros."""
        given = _checked(activations, self.extractor)
        norm = float(np.linalg.norm(given))
        return float(np.linalg.norm(given - self.decode(self.encode(given)))) / norm if norm else 0.0


def fit_bank(activations: ArrayLike, count: int, *, extractor: Extractor = "nmf", seed: int = 0) -> ConceptBank:
    """Learn a bank of `count` concepts from (N, D) activations.

    Args:
        activations: (N, D) numbers; not negative for "nmf", such as those after a ReLU.
        count: the number of concepts.
        extractor: "nmf", "kmeans" or "pca"; see `ConceptBank`.
        seed: the seed of the start ("nmf" begins from singular vectors, whose zeros are filled at random).

    Raises:
        UsageError: the extractor is unknown, activations are negative for "nmf" or not finite, or there are fewer of them, or
            fewer directions, than concepts.
    """
    if extractor not in get_args(Extractor):
        raise UsageError(f"extractor must be one of {', '.join(get_args(Extractor))}, not {extractor!r}")
    given = _checked(activations, extractor)
    if not 1 <= count <= len(given) or (extractor != "kmeans" and count > given.shape[1]):
        raise UsageError(
            f"count must lie between 1 and {min(given.shape)} for activations of shape {given.shape}, not {count!r}"
        )
    zeros = np.zeros(given.shape[1])
    if extractor == "pca":
        from sklearn.decomposition import PCA

        made = PCA(count, random_state=seed).fit(given)
        return ConceptBank(np.asarray(made.components_), extractor, np.asarray(made.mean_))
    if extractor == "kmeans":
        from sklearn.cluster import KMeans

        if len(np.unique(given, axis=0)) < count:
            raise UsageError(f"there are fewer than {count} different activations; ask for fewer concepts")
        return ConceptBank(
            np.asarray(KMeans(count, n_init=10, random_state=seed).fit(given).cluster_centers_), extractor, zeros
        )
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the error of the bank, which is known, says how good it is
        factor = NMF(count, init="nndsvdar", max_iter=_ROUNDS, random_state=seed).fit(given)
    directions = np.asarray(factor.components_, dtype=np.float64)
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    return ConceptBank(directions / np.where(lengths > 0, lengths, 1.0), extractor, zeros)


def _coefficients(given: Floats, directions: Floats) -> Floats:
    """Non-negative least squares for all rows at once, by cyclic coordinate descent (the update of HALS, Cichocki 2009)."""
    gram, toward = directions @ directions.T, given @ directions.T
    # every start above 0 leads to the same minimum
    found: Floats = np.maximum(toward, 0.0) / np.maximum(gram.sum(axis=1), 1e-12)
    scale = float(np.abs(toward).max(initial=0.0)) or 1.0
    for _ in range(_STEPS):
        moved = 0.0
        for index in range(len(directions)):
            if gram[index, index] <= 0.0:
                continue
            step = np.maximum(found[:, index] + (toward[:, index] - found @ gram[:, index]) / gram[index, index], 0.0)
            moved = max(moved, float(np.abs(step - found[:, index]).max()))
            found[:, index] = step
        if moved <= 1e-7 * scale:
            break
    return found


def _checked(activations: ArrayLike, extractor: str) -> Floats:
    given = np.array(activations, dtype=np.float64)
    if given.ndim != 2:
        raise UsageError(f"activations must be (number, width), not of shape {given.shape}")
    if not np.isfinite(given).all():
        raise UsageError("an activation is not finite; the layer overflows or the image can't be used")
    if extractor == "nmf" and given.size:
        lowest = float(given.min())
        if lowest < -_ROUNDING * float(np.abs(given).max()):
            raise UsageError(
                f"the layer gives negative activations ({lowest:.3g}), which NMF can't factorise; "
                "choose a layer after a ReLU, or another extractor ('kmeans', 'pca')"
            )
        given = np.maximum(given, 0.0)
    return given
