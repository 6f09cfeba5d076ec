"""What an image classifier is to the rest of the library: a black box that maps images to scores and counts its queries."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from saywhy_core.classifiers.answers.kinds import Scores as Scores  # noqa: TC001 - the face shows it
from saywhy_core.classifiers.answers.rounding import FLOOR, least_told, lifted, log_odds, step_between
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

ImageShape: TypeAlias = tuple[int | None, int | None, int | None]

ANY_SHAPE: ImageShape = (None, None, None)
SUMS = 1e-2  # by which the sums of probabilities may be off: those of networks of 16-bit numbers are
STEPS = 1.01  # units of rounding that two answers may differ by
TOLERANCE = 1e-3  # share of the scores' range; networks round differently in batches of other sizes, by far less than this


class ClassifierError(UsageError):
    """The classifier raised an error, returned scores of the wrong form, or was given images of a shape it does not take.

    A function that asks about the images in several requests may put the (K,) scores of those that were answered into
    `answered`, by their rows, before it raises this: then they are remembered, and need not be asked for again.
    """

    answered: Mapping[int, ArrayLike] = MappingProxyType({})


class WidthError(ClassifierError):
    """The classifier returned another number of scores than it has classes: a setting is wrong, and not an image."""


class EndpointError(ClassifierError):
    """The endpoint behind the classifier is down, or refuses us; it says nothing about the images that were asked about.

    What asks about many images should stop here, and go on when the endpoint is back. `status` is the HTTP status, where the
    endpoint answered at all.
    """

    status: int | None = None


class Classifier(Protocol):
    """An image classifier as a black box.

    Attributes:
        scores: what its model returns: "logits" (any numbers, higher for the likelier class), "probabilities", "sigmoid" (one
            probability per class, or one for two classes), "top-k" (the probabilities of the first classes) or "label" (its
            decision alone). See `saywhy_core.classifiers.answers.reading.read_answer` for what becomes of each.
        class_names: the K class names in the order of the scores; None where they are unknown.
        image_shape: (height, width, channels) of the images it takes; None for each number that is unknown or free.
        identity: a text that changes whenever the answers may change, for caches; None where nobody can know.

    It may have further attributes. `concurrency` is how many calls it answers at once (1 where it has none): with 1, it is
    only called in the thread that uses it; with more, in threads. `keeps_images` is whether it leaves the array that it is
    called with as it was (false where it has none): then it is given the array itself, and otherwise a copy (see `lend`).
    """

    scores: Scores
    class_names: tuple[str, ...] | None
    image_shape: ImageShape
    identity: str | None

    @property
    def queries(self) -> int:
        """How many images the underlying model has evaluated so far."""

    def __call__(self, images: ArrayLike) -> NDArray[np.float64]:
        """(N, K) finite scores of (N, H, W, C) images in [0, 1]; the greatest of a row is the decision, the first at a tie.

        An image that was evaluated before may be answered from memory.
        """

    def ask_again(self, images: ArrayLike) -> NDArray[np.float64]:
        """(N, K) scores of (N, H, W, C) images in [0, 1]. The model evaluates every image again."""


def lend(asked: object, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Images (N, H, W, C) for a call of a classifier, or of a function: themselves if it `keeps_images`, else a copy.

    What normalises its input in place would otherwise change its caller's images, and every distance from them.
    """
    return images if getattr(asked, "keeps_images", False) else np.array(images, order="C")


def ask(classifier: Classifier, images: ArrayLike) -> NDArray[np.float64]:
    """(N, K) scores of images (N, H, W, C), which stay as they are whatever the classifier does with its input."""
    return classifier(lend(classifier, np.asarray(images)))


def ask_some_again(classifier: Classifier, images: ArrayLike, again: int) -> NDArray[np.float64]:
    """(N, K) scores of images (N, H, W, C): the first `again` are evaluated anew, and the others may be remembered.

    That is one call of a classifier with a method of this name, as `CallableClassifier` is, and otherwise two. The images stay
    as they are (see `lend`).
    """
    batch = lend(classifier, np.asarray(images))
    if not again:
        return classifier(batch)
    if again == len(batch):
        return classifier.ask_again(batch)
    together = getattr(classifier, "ask_some_again", None)
    if together is not None:
        return np.asarray(together(batch, again), dtype=np.float64)
    return np.concatenate([classifier.ask_again(batch[:again]), classifier(batch[again:])])


def comparable(scores: NDArray[np.float64], kind: Scores, least: float = FLOOR) -> NDArray[np.float64]:
    """Scores on a scale on which differences between classes mean the same.

    Logits and decisions are left as they are; of probabilities and top-k answers the logarithms are taken, of sigmoids the
    log-odds. Where probabilities were rounded, a 0 counts as half a unit. All results are finite.

    Args:
        scores: (N, K).
        kind: what they are.
        least: probabilities and sigmoids below it count as it, see `least_probability`; for other kinds it says nothing.
    """
    if kind in ("logits", "label"):
        return scores
    if kind == "sigmoid":
        return log_odds(scores, least)
    return np.log(lifted(scores, least) if kind == "probabilities" else np.maximum(scores, FLOOR))


def least_probability(scores: NDArray[np.float64], kind: Scores) -> float:
    """The `least` of `comparable` by which all answers of a classifier that answered with scores (K,) can be told apart.

    Floats of 64 bits tell probabilities down to 2e-308 apart, those of 32 and 16 bits down to 1e-45 and 6e-8. What the
    classifier sends is seen from the scores.
    """
    return least_told(scores) if kind in ("probabilities", "sigmoid") else FLOOR


def as_probabilities(scores: NDArray[np.float64], kind: Scores) -> NDArray[np.float64]:
    """(N, K) probabilities: the softmax of logits, row by row; top-k answers with what was left out; probabilities as they are.

    Rows of rounded probabilities whose sums are off by more than a percent are scaled to 1.

    Raises:
        UsageError: there are none: the classifier answers with its decision alone, or with one sigmoid per class.
    """
    if kind == "logits":
        powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
    if kind == "label":
        raise UsageError("the classifier answers with its decision alone, so that there are no probabilities")
    sums = scores.sum(axis=-1, keepdims=True)
    if kind == "sigmoid":
        if scores.shape[-1] != 2 or np.abs(sums - 1).max() > SUMS:
            raise UsageError("the classifier answers with one sigmoid per class, which are no probabilities of one class each")
        return scores
    off = np.abs(sums - 1) > (SUMS if kind == "probabilities" else 0.0)
    return np.asarray(np.where(off, scores / np.maximum(sums, FLOOR), scores)) if off.any() else scores


def confidence(scores: NDArray[np.float64], kind: Scores) -> NDArray[np.float64] | None:
    """(N,) the probability of each row's decision, as far as scores (N, K) tell it; None where they tell none."""
    if kind == "label":
        return None
    return np.asarray((scores if kind == "sigmoid" else as_probabilities(scores, kind)).max(axis=-1))


def same_answer(first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    """Whether two (K,) answers to one image agree up to rounding.

    Networks round differently in batches of another size; where probabilities are then rounded for the way, that can come to
    a whole unit.
    """
    apart = float(np.abs(first - second).max())
    scale = max(float(np.ptp(first)), float(np.abs(first).max()) * 1e-2, 1e-6)
    return apart <= TOLERANCE * scale or apart <= STEPS * step_between(first, second)
