"""What an image classifier is to the rest of the library: a black box that maps images to scores and counts its queries."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

Scores: TypeAlias = Literal["logits", "probabilities", "sigmoid", "top-k", "label"]
ImageShape: TypeAlias = tuple[int | None, int | None, int | None]

ANY_SHAPE: ImageShape = (None, None, None)
FLOOR = 1e-12  # smallest probability before the logarithm is taken, so that logarithms stay finite
TOLERANCE = 1e-3  # share of the scores' range; networks round differently in batches of other sizes, by far less than this


class ClassifierError(UsageError):
    """The classifier raised an error, returned scores of the wrong form, or was given images of a shape it does not take.

    A function that asks about the images in several requests may put the (K,) scores of those that were answered into
    `answered`, by their rows, before it raises this: then they are remembered, and need not be asked for again.
    """

    answered: Mapping[int, ArrayLike] = MappingProxyType({})


class EndpointError(ClassifierError):
    """The endpoint behind the classifier is down, or refuses us; it says nothing about the images that were asked about.

    What asks about many images should stop here, and go on when the endpoint is back.
    """


class Classifier(Protocol):
    """An image classifier as a black box.

    Attributes:
        scores: what it returns: "logits" (any finite numbers, higher for the likelier class) or "probabilities".
        class_names: the K class names in the order of the scores; None where they are unknown.
        image_shape: (height, width, channels) of the images it takes; None for each number that is unknown or free.
        identity: a text that changes whenever the answers may change, for caches; None where nobody can know.
    """

    scores: Scores
    class_names: tuple[str, ...] | None
    image_shape: ImageShape
    identity: str | None

    @property
    def queries(self) -> int:
        """How many images the underlying model has evaluated so far."""

    def __call__(self, images: ArrayLike) -> NDArray[np.float64]:
        """(N, K) scores of (N, H, W, C) images in [0, 1]. An image that was evaluated before may be answered from memory."""

    def ask_again(self, images: ArrayLike) -> NDArray[np.float64]:
        """(N, K) scores of (N, H, W, C) images in [0, 1]. The model evaluates every image again."""


def comparable(scores: NDArray[np.float64], kind: Scores) -> NDArray[np.float64]:
    """Scores on a scale on which differences between classes mean the same: logits as they are, logarithms of probabilities."""
    return scores if kind == "logits" else np.log(np.maximum(scores, FLOOR))


def as_probabilities(scores: NDArray[np.float64], kind: Scores) -> NDArray[np.float64]:
    """(N, K) probabilities: the softmax of logits, row by row, or probabilities as they are."""
    if kind == "probabilities":
        return scores
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return probabilities


def same_answer(first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    """Whether two (K,) answers to one image agree up to rounding. Networks round differently in batches of another size."""
    scale = max(float(np.ptp(first)), float(np.abs(first).max()) * 1e-2, 1e-6)
    return bool(np.abs(first - second).max() <= TOLERANCE * scale)
