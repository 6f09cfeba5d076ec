"""What numbers look like that a classifier answered, and what to say of them instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from saywhy_core.classifiers.answers.rounding import within_rounding
from saywhy_core.errors import Bare, argument

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

SLACK = 1e-2  # networks of 16-bit numbers return probabilities with sums that are off by up to a percent
EDGE = 1e-4  # and single probabilities beyond 0 and 1 by as much


def say_scores(where: str, what: str = "its scores are") -> str:
    """What to say where nobody said what a classifier answers."""
    return f"{where} doesn't say what {what}; give {argument('scores', Bare('logits|probabilities|sigmoid|top-k|label'))}"


def seen(values: Floats) -> str:
    """What the numbers look like, such as "rows sum to 3.2, values from 0.1 to 0.98", without a verb for the user."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return "no value is a finite number"
    span = f"values from {finite.min():.4g} to {finite.max():.4g}"
    if values.ndim != 2 or values.shape[1] < 2 or not np.isfinite(values).all():
        return span
    sums = values.sum(axis=1)
    row = int(np.abs(sums - 1).argmax())
    return f"row {row} sums to {sums[row]:.4g}, {span}"


def fitting(values: Floats) -> str:
    """What to say or do with numbers (N,), (N, 1) or (N, K) that are not of the kind that was said."""
    if not np.isfinite(values).all():
        if values.ndim == 2 and values.shape[1] > 1 and np.isfinite(values).any(axis=1).all():
            return f"say {argument('scores', 'top-k')} if classes without a number were left out"
        return "every class needs a finite number"
    if not values.size:
        return "the answer is empty"
    whole = bool((values == np.rint(values)).all())
    inside = bool(values.min() >= -EDGE and values.max() <= 1 + EDGE)
    if values.ndim == 1 or values.shape[1] == 1:
        if whole and not (inside and values.ndim == 2):
            return f"say {argument('scores', 'label')} if these are class numbers"
        if inside:
            return f"say {argument('scores', 'sigmoid')} if each is the probability of class 1 of two"
        return "return a column of zeros before it, if each number is the logit of class 1 of two"
    sums = values.sum(axis=1)
    off = max(100 * SLACK, min(values.shape[1] / 2, 50.0) if whole else 0.0)
    if not inside and values.min() >= -EDGE and values.max() <= 100 + EDGE and (np.abs(sums - 100) <= off).all():
        return "these look like percentages: divide them by 100"
    # of numbers from 0 to 1, a decision is marked by a 1 among zeros; (0.9, 0.05, 0.05) is none
    if one_hot(values).all() and (not inside or (whole and (sums == 1).all())):
        return f"say {argument('scores', 'label')} if each row marks the decision alone"
    if inside:
        if (np.abs(sums - 1) <= SLACK).all() or within_rounding(values).all():
            return f"say {argument('scores', 'probabilities')}"
        if (np.abs(values.sum(axis=0) - 1) <= SLACK).all():
            return "its columns sum to 1: transpose it, so that each image has a row"
        if (sums <= 1 + SLACK).all():
            return (
                f"say {argument('scores', 'top-k')} if the classes with 0 were left out, or {argument('scores', 'sigmoid')} if "
                "classes don't exclude each other"
            )
        return f"say {argument('scores', 'sigmoid')} if classes don't exclude each other"
    if values.max() <= EDGE and (np.abs(np.exp(values).sum(axis=1) - 1) <= SLACK).all():
        return f"say {argument('scores', 'logits')}: these are logarithms of probabilities, for which that holds as well"
    return f"say {argument('scores', 'logits')} if these are any numbers, higher for the likelier class"


def one_hot(rows: Floats) -> NDArray[np.bool_]:
    """(N,) whether each row (N, K) holds one number throughout, and a greater one exactly once; of two columns, whole ones."""
    highest, lowest = rows.max(axis=1, keepdims=True), rows.min(axis=1, keepdims=True)
    high, low = rows == highest, rows == lowest
    marked = (high.sum(axis=1) == 1) & (low.sum(axis=1) == rows.shape[1] - 1)
    return np.asarray(marked & (rows == np.rint(rows)).all(axis=1) if rows.shape[1] == 2 else marked)


def wrong_shape(values: Floats, images: int, classes: int | None) -> str:
    """What is wrong with an answer that has no row of scores per image, and what to return instead."""
    shape = tuple(values.shape)
    said = (
        f"the classifier answered {images} image{'s' * (images != 1)} with an array of shape {shape}; it must return one row "
        "per image and one column per class, and at least two columns"
    )
    if values.ndim == 2 and shape[1] == images and shape[0] != images and (classes is None or shape[0] == classes):
        return f"{said}: this has one column per image, so transpose it"
    if values.ndim == 1 and images == 1 and values.size > 1:
        return f"{said}: the axis of the images is missing, so return array[None]"
    if len(shape) in (1, 2) and shape[0] == images and values.size == images:
        return f"{said}: {fitting(values)} ({seen(values)})"
    if values.ndim > 2 and shape[0] == images and int(np.prod(shape[2:])) == 1:
        return f"{said}: remove the last axes, which hold one number each"
    return said
