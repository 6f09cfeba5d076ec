"""Asking a classifier about one image with other values in chosen pixels, and checking the arguments of a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.bounds.numbers import counted
from adversarial.distances.distance import DISTANCES
from saywhy_core.classifiers import lend
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Predict: TypeAlias = Callable[[NDArray[np.float32]], ArrayLike]


class Evaluator:
    """Asks the classifier in batches, and counts the images.

    Attributes:
        count: images that were asked about.
        scale: the largest absolute score seen.
    """

    def __init__(self, classifier: Predict, original: NDArray[np.float32], places: NDArray[np.int64], batch_size: int) -> None:
        self.classifier, self.original, self.places, self.batch_size = classifier, original, places, batch_size
        self.count, self.scale = 0, 0.0

    def images(self, images: NDArray[np.float32]) -> Floats:
        """(N, K) scores of (N, H, W, C) images.

        Raises:
            UsageError: the scores have another shape, or are not finite.
        """
        scores = np.asarray(self.classifier(lend(self.classifier, images)), dtype=np.float64)
        self.count += len(images)
        if scores.ndim != 2 or len(scores) != len(images) or scores.shape[1] < 2:
            raise UsageError(
                f"the classifier returned scores of shape {scores.shape} for {counted(len(images), 'image')}; "
                "it must return one row per image with at least two classes"
            )
        if not np.isfinite(scores).all():
            raise UsageError("the classifier returned scores that are not finite; nothing can be said of the grid")
        self.scale = max(self.scale, float(np.abs(scores).max()))
        return scores

    def values(self, values: NDArray[np.float32]) -> Floats:
        """(B, K) scores of the original with (B, P, C) values in the chosen pixels."""
        rows = []
        for start in range(0, len(values), self.batch_size):
            part = values[start : start + self.batch_size]
            images = np.repeat(self.original[None], len(part), axis=0)
            images[:, self.places[:, 0], self.places[:, 1]] = part
            rows.append(self.images(images))
        return np.concatenate(rows)


def checked_image(image: ArrayLike) -> NDArray[np.float32]:
    """An image (H, W, C) as float32.

    Raises:
        UsageError: it has another shape, is not finite, or leaves [0, 1].
    """
    picture = np.array(image, dtype=np.float32)
    if picture.ndim != 3 or not picture.size:
        raise UsageError(f"an image must be an array (height, width, channels), not of shape {picture.shape}")
    if not np.isfinite(picture).all() or picture.min() < 0 or picture.max() > 1:
        raise UsageError("an image must be finite and lie in [0, 1]; divide by its largest possible value")
    return picture


def read_pixels(pixels: Sequence[tuple[int, int]] | NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """The chosen pixels as rows (y, x), each once, in reading order.

    Raises:
        UsageError: there is none, or one lies outside the image.
    """
    given = np.asarray(pixels)
    if given.dtype == np.bool_:
        if given.shape != shape[:2]:
            raise UsageError(f"the mask of pixels has shape {given.shape}, the image {shape[:2]}")
        given = np.argwhere(given)
    if given.ndim != 2 or given.shape[1] != 2 or not len(given) or not np.issubdtype(given.dtype, np.integer):
        raise UsageError("choose at least one pixel, as (y, x) pairs of whole numbers or as a mask that is true somewhere")
    places = given.astype(np.int64)
    outside = ((places < 0) | (places >= np.array(shape[:2]))).any(axis=1)
    if outside.any():
        y, x = places[outside][0]
        raise UsageError(f"the pixel ({y}, {x}) lies outside the image of {shape[0]} by {shape[1]} pixels")
    return np.unique(places, axis=0)


def check_options(tau: float, norm: str, radius: float | None, batch_size: int) -> None:
    """Refuse options that are out of range.

    Raises:
        UsageError: one of them is.
    """
    if not 0 < tau <= 1:
        raise UsageError(f"tau must lie above 0 and be at most 1, not {tau!r}")
    distance = DISTANCES.get(norm)
    if norm != "l0" and distance.power is None:
        known = ", ".join(name for name, one in DISTANCES.usable() if name == "l0" or one.power is not None)
        raise UsageError(f"bounds know L0 and the distances that are p-norms ({known}), not {norm!r}; choose one of these")
    if radius is not None and not (radius > 0 and (norm != "l0" or float(radius).is_integer())):
        kind = "a whole number of pixels" if norm == "l0" else "a distance above 0"
        raise UsageError(f"in {distance.title} the radius must be {kind}, not {radius!r}")
    if batch_size < 1:
        raise UsageError(f"batch_size must be at least 1, not {batch_size}")


def check_classes(label: int, target: int | None, classes: int) -> None:
    """Refuse a label or target that is no class, or a target that is the label.

    Raises:
        UsageError: so it is.
    """
    for what, index in (("label", label), ("target", target)):
        if index is not None and not 0 <= index < classes:
            raise UsageError(f"the {what} {index} is no class; the classifier has {classes}, counted from 0")
    if label == target:
        raise UsageError(f"the target is the label itself ({label}); choose another class, or none")
