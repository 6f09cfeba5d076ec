"""Whatever a classifier answers, as finite rows of scores whose greatest value is its decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from saywhy_core.arrays import to_numpy
from saywhy_core.classifiers.answers.advice import EDGE, SLACK, fitting, one_hot, seen, wrong_shape
from saywhy_core.classifiers.answers.rounding import within_rounding
from saywhy_core.classifiers.answers.top_k import are_pairs, fill, label_numbers, read_pairs
from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from saywhy_core.classifiers.answers.kinds import Scores

    Floats: TypeAlias = NDArray[np.float64]

MASKED = 20.0  # logits by which a masked class stays behind the last of the others, or their whole spread if that is more
# Numbers that programs write in the place of -inf: what 16-bit floats can hold, and all that is far beyond the other logits.
SENTINELS = (-65504.0, -10000.0)
FAR, BEYOND = -1e8, 300.0
LARGEST = 2**53  # whole numbers up to it are exact


def read_answer(
    answer: Any, kind: Scores, images: int, *, names: Sequence[str] | None = None, classes: int | None = None
) -> Floats:
    """The (N, K) finite scores of an answer about N images; the greatest of each row is the decision, the first at a tie.

    - "logits": (N, K). A masked class (-inf, or a number that stands for it) gets one well below all others of its row.
    - "probabilities": (N, K) in [0, 1] with rows that sum to 1, as far as their rounding allows.
    - "sigmoid": (N,) or (N, 1) probabilities of class 1 of two, which become (N, 2); or (N, K), as they are.
    - "top-k": (N, K) with NaN, 0 or -inf for the classes left out, or per image a list of (class, score) pairs or
      {"label": ..., "score": ...}. The classes left out share what is left of 1 (see `fill`).
    - "label": (N,) class numbers or names, or (N, K) rows with one greater number; they become rows of 0 with a single 1.

    Args:
        answer: an array, a tensor of another library, or lists.
        kind: what the scores are said to be.
        images: N.
        names: the class names, where they are known.
        classes: K, where it is known.

    Raises:
        UsageError: the answer is something else. The sentence tells what was seen, and which kind would fit.
    """
    if answer is None:
        raise UsageError("the classifier's answer is no array of numbers but None; return the scores from the function")
    if isinstance(answer, Mapping):
        keys = ", ".join(map(repr, list(answer)[:5]))
        raise UsageError(f"the classifier's answer is no array of numbers but has the keys {keys:.120}; return one of these")
    if kind in ("top-k", "label") and are_pairs(answer, images):
        pairs = read_pairs(answer, images, names, classes)
        return fill(pairs) if kind == "top-k" else _rows(np.nanargmax(pairs, axis=1), pairs.shape[1])
    values = _array(answer)
    if kind == "label":
        return _labels(values, images, names, classes)
    if values.dtype.kind in "U":
        raise UsageError(
            f"the classifier's answer is no array of numbers but holds {_held(values)}; say {argument('scores', 'label')} if "
            "these are class names"
        )
    scores = values.astype(np.float64)
    if kind == "sigmoid":
        return _sigmoid(scores, images, classes)
    if scores.ndim != 2 or len(scores) != images or scores.shape[1] < 2:
        raise UsageError(wrong_shape(scores, images, classes))
    if kind == "top-k":
        return fill(scores)
    return _logits(scores) if kind == "logits" else _probabilities(scores)


def _array(answer: Any) -> NDArray[Any]:
    try:
        values = to_numpy(answer)
        if values.dtype.kind == "S":
            values = np.char.decode(values, "utf-8", "replace")
        if values.dtype.kind == "O":
            held = values.ravel()[:1].tolist()
            values = values.astype(np.str_ if held and isinstance(held[0], str) else np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        what = type(answer).__name__
        raise UsageError(f"the classifier's answer, of type {what}, is no array of numbers: {str(error)[:200]}") from error
    return values


def _held(values: NDArray[Any]) -> str:
    return f"texts such as {str(values.ravel()[0])!r:.60}" if values.size else "nothing"


def _logits(scores: Floats) -> Floats:
    wrong = np.isnan(scores) | np.isposinf(scores)
    if wrong.any():
        row, column = (int(place) for place in np.argwhere(wrong)[0])
        raise UsageError(
            f"the classifier returned scores that are not finite ({scores[row, column]} for class {column} in row {row} of "
            f"{len(scores)}); {'it may overflow' if np.isposinf(scores[row, column]) else fitting(scores)}"
        )
    lowest = scores.min()
    if lowest > FAR and not np.isin(lowest, SENTINELS) and not (scores == SENTINELS[1]).any():
        return scores
    return _unmasked(scores)


def _unmasked(scores: Floats) -> Floats:
    """The scores with a number well below all others of the row in the place of a mask, row by row."""
    found = scores.copy()
    for number, row in enumerate(scores):
        masked = np.isneginf(row)
        if masked.all():
            raise UsageError(
                f"the classifier returned scores that are not finite (-inf for every class in row {number} of {len(scores)}); "
                "it masks all classes, so that there is no decision"
            )
        others = row[~masked]
        lowest = others.min()
        if lowest <= FAR or lowest in SENTINELS:
            stands = ~masked & (row == lowest if lowest > FAR else row <= lowest / 2)
            rest = row[~masked & ~stands]
            if rest.size and -lowest >= BEYOND * max(1.0, float(np.abs(rest).max())):
                masked, others = masked | stands, rest
        spread = float(np.ptp(others))
        found[number, masked] = others.min() - max(MASKED, spread)
    return found


def _probabilities(scores: Floats) -> Floats:
    bad = ~np.isfinite(scores).all(axis=1)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise UsageError(f"the classifier returned scores that are not finite (row {row} of {len(scores)}); {fitting(scores)}")
    empty = np.flatnonzero(~scores.any(axis=1))
    if len(empty):
        raise UsageError(
            f"the classifier's scores are no probabilities: row {int(empty[0])} of {len(scores)} is 0 for every class, so that "
            "there is no decision; let it send more decimals"
        )
    summing = np.abs(scores.sum(axis=1) - 1) <= SLACK
    inside = scores.min() >= -EDGE and scores.max() <= 1 + EDGE
    if not inside or not (summing.all() or within_rounding(scores[~summing]).all()):
        raise UsageError(f"the classifier's scores are no probabilities ({seen(scores)}); {fitting(scores)}")
    return scores


def _sigmoid(scores: Floats, images: int, classes: int | None) -> Floats:
    single = scores.shape in ((images,), (images, 1))
    if not single and (scores.ndim != 2 or len(scores) != images):
        raise UsageError(wrong_shape(scores, images, classes))
    if not np.isfinite(scores).all():
        row = int(np.flatnonzero(~np.isfinite(scores.reshape(images, -1)).all(axis=1))[0])
        raise UsageError(f"the classifier returned scores that are not finite (row {row} of {images}); {fitting(scores)}")
    if scores.min() < -EDGE or scores.max() > 1 + EDGE:
        raise UsageError(f"the classifier's scores are no sigmoids, which lie in [0, 1] ({seen(scores)}); {fitting(scores)}")
    if single and classes is not None and classes != 2:
        raise UsageError(
            f"the classifier returned one sigmoid per image, which tells two classes apart, but has {classes} classes; "
            "return one column per class"
        )
    scores = np.clip(scores, 0.0, 1.0)
    return np.stack([1 - scores.reshape(images), scores.reshape(images)], axis=1) if single else scores


def _labels(values: NDArray[Any], images: int, names: Sequence[str] | None, classes: int | None) -> Floats:
    texts = values.dtype.kind == "U"
    if values.shape == (images,) or values.shape == (images, 1):
        listed = values.reshape(images)
        numbers = np.zeros(images) if texts else listed.astype(np.float64)
        broken = ~((numbers == np.rint(numbers)) & (np.abs(numbers) < LARGEST))
        if broken.any():
            raise UsageError(f"the classifier answered {numbers[broken][0]:.6g}, which is no class number; {fitting(numbers)}")
        if classes is None:
            raise UsageError(
                "class numbers don't show how many classes there are; give classes=N with their number (--option classes=N for "
                "a command), or the class names (in the name of a target names=FILE)"
            )
        labels = label_numbers(listed.tolist(), names, classes) if texts else numbers.astype(np.int64)
        wrong = labels[(labels < 0) | (labels >= classes)]
        if len(wrong):
            raise UsageError(f"the classifier answered with class {wrong[0]}, and classes have numbers from 0 to {classes - 1}")
        return _rows(labels, classes)
    if texts or values.ndim != 2 or len(values) != images:
        scores = np.zeros(values.shape) if texts else values.astype(np.float64)
        raise UsageError(wrong_shape(scores, images, classes))
    scores = values.astype(np.float64)
    marked = np.isfinite(scores).all(axis=1) & one_hot(scores)
    if not marked.all():
        row = int(np.flatnonzero(~marked)[0])
        different = np.unique(scores[row])
        if different.size == 2:
            what = f"marks {int((scores[row] == different.max()).sum())} classes"
        else:
            what = f"holds {different.size} different numbers" if different.size > 2 else "marks no class"
        raise UsageError(f"row {row} is no decision for one class: it {what} ({seen(scores)}); {fitting(scores)}")
    return _rows(scores.argmax(axis=1), scores.shape[1])


def _rows(labels: NDArray[np.integer], classes: int) -> Floats:
    rows = np.zeros((len(labels), classes))
    rows[np.arange(len(labels)), labels] = 1.0
    return rows
