"""How fast a decision can change: a Lipschitz constant, given or estimated from samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.bounds.radii.grid import power_of
from adversarial.bounds.radii.probe import Evaluator, check_classes, check_options, checked_image, read_pixels
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Predict: TypeAlias = Callable[[NDArray[np.float32]], ArrayLike]

# Step of the finite differences that estimate a slope: small beside [0, 1], and far above the rounding of float32 images.
DIFFERENCE = 0.01


@dataclass(frozen=True)
class LipschitzConstant:
    """How fast the classifier's decision can change.

    Attributes:
        value: the greatest change, per unit of distance, of any difference between two scores, wherever only the chosen
            pixels change, within [0, 1]. Without a target, the differences between the label's score and another one are
            enough. The scores are those that the classifier returns, logits or probabilities.
        estimated: whether it was estimated from samples. Nothing that rests on an estimate is certain.
        norm: the distance in which it is measured, one that is a p-norm ("l1", "l2", "linf"); None for the distance of the
            bound, and L-infinity where that is L0.
        note: where it comes from, in words.

    Raises:
        UsageError: the value is not finite or below 0, or the norm is no p-norm.
    """

    value: float
    estimated: bool = False
    norm: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and self.value >= 0):
            raise UsageError(f"a Lipschitz constant is a finite number of at least 0, not {self.value!r}")
        if self.norm is not None:
            power_of(self.norm)


def estimate_lipschitz(
    classifier: Predict,
    image: ArrayLike,
    pixels: Sequence[tuple[int, int]] | NDArray[np.bool_],
    *,
    norm: str = "linf",
    label: int | None = None,
    target: int | None = None,
    radius: float | None = None,
    samples: int = 32,
    batch_size: int = 256,
    seed: int = 0,
) -> LipschitzConstant:
    """The steepest slope seen at the image and at random images near it: an estimate, too small if anything.

    Slopes of the score differences are taken along each coordinate, by finite differences of 0.01, at `samples` images: the
    original, and others in which the chosen pixels are drawn uniformly within `radius` and [0, 1]. The dual norm of the slopes
    at an image (their sum for L-infinity, the root of their squares for L2, the largest for L1) is the constant there, and the
    largest of all is the estimate. This takes samples × (1 + coordinates) queries.

    Args:
        classifier: (N, H, W, C) float32 -> (N, K) scores.
        image: (H, W, C) in [0, 1].
        pixels: (y, x) each, or an (H, W) mask.
        norm: a distance that is a p-norm ("l1", "l2", "linf"); "l0" gives the constant that `grid_bound` uses in L0, which
            is the one in L-infinity.
        label: the class of the image; None for the predicted one.
        target: the class to reach, where there is one.
        radius: how far from the original slopes are taken, in each coordinate; None for the whole of [0, 1].
        samples: images at which slopes are taken.
        batch_size: images per call of the classifier.
        seed: of the random images.

    Raises:
        UsageError: an argument is out of range.
    """
    original = checked_image(image)
    places = read_pixels(pixels, original.shape)
    check_options(1.0, norm, radius, batch_size)
    if samples < 1:
        raise UsageError(f"samples must be at least 1, not {samples}")
    evaluate = Evaluator(classifier, original, places, batch_size)
    scores = evaluate.images(original[None])
    own = int(scores[0].argmax()) if label is None else label
    check_classes(own, target, scores.shape[1])
    centre = original[places[:, 0], places[:, 1]].astype(np.float64)
    reach = 1.0 if radius is None or norm == "l0" else radius
    low, high = np.maximum(centre - reach, 0), np.minimum(centre + reach, 1)
    points = np.random.default_rng(seed).uniform(low, high, size=(samples, *centre.shape))
    points[0] = centre
    used = "linf" if norm == "l0" else norm
    starts = points.astype(np.float32).reshape(samples, -1)
    diagonal = np.arange(centre.size)
    probes = np.repeat(starts[:, None], 1 + centre.size, axis=1)  # each point, and beside it one step along each coordinate
    # inward, so that no step leaves [0, 1]
    probes[:, 1 + diagonal, diagonal] += np.where(starts > 0.5, -DIFFERENCE, DIFFERENCE).astype(np.float32)
    taken = np.abs(probes[:, 1 + diagonal, diagonal].astype(np.float64) - starts)
    gaps = _differences(evaluate.values(probes.reshape(-1, *centre.shape)), own, target)
    gaps = gaps.reshape(samples, 1 + centre.size, -1)
    slopes = np.abs(gaps[:, 1:] - gaps[:, :1]) / taken[:, :, None]
    power = power_of(used)
    dual = {1.0: math.inf, math.inf: 1.0}.get(power) or power / (power - 1)
    steepest = float(np.linalg.norm(slopes, ord=dual, axis=1).max())
    note = f"estimated from {samples} images near the original"
    return LipschitzConstant(steepest, estimated=True, norm=used, note=note)


def _differences(scores: Floats, label: int, target: int | None) -> Floats:
    pivot = label if target is None else target
    return np.asarray(scores[:, [pivot]] - np.delete(scores, pivot, axis=1))
