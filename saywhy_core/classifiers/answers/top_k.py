"""Answers that name the first few classes with their probabilities, and leave the others out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from saywhy_core.classifiers.answers.advice import SLACK, fitting, seen
from saywhy_core.classifiers.answers.rounding import FLOOR, rounding_units, surplus
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

BELOW = 1 - 1e-6  # of the least class seen: what was left out may not come before it, nor tie with it
PERCENT = 20  # greater numbers that sum to at most 100 are rather percentages than logits
FIRST = 1 + 1e-9  # a tie between the first two is decided as the answer lists them
LABEL, SCORE = ("label", "class", "name", "index"), ("score", "probability", "confidence")
_NUMBER = re.compile(r"(?:LABEL_)?([0-9]{1,9})")


def are_pairs(answer: Any, images: int) -> bool:
    """Whether an answer lists classes with their scores, rather than an array of scores."""
    if isinstance(answer, np.ndarray):
        return answer.ndim == 3 and len(answer) == images and answer.shape[2] == 2
    if not isinstance(answer, list | tuple):
        return False
    return any(_is_named(one) or (isinstance(one, list | tuple) and any(map(_is_pair, one))) for one in answer)


def read_pairs(answer: Any, images: int, names: Sequence[str] | None, classes: int | None) -> Floats:
    """(N, K) scores of a list, per image, of (class, score) pairs or {"label": ..., "score": ...}; NaN for classes left out.

    Raises:
        UsageError: a class is unknown or named twice, a score is no number, or the number of classes is not known.
    """
    if classes is None:
        raise UsageError(
            "the answer names a few classes and doesn't show how many there are; give classes=N with their number "
            "(--option classes=N for a command), or the class names (in the name of a target names=FILE)"
        )
    rows = list(answer)
    if images == 1 and rows and all(map(_is_named, rows)):  # the list of the images was left out
        rows = [rows]
    if len(rows) != images:
        raise UsageError(f"the classifier answered {images} images with {len(rows)} lists of classes; one per image is wanted")
    places = _places(names)
    scores = np.full((images, classes), np.nan)
    for number, row in enumerate(rows):
        listed = [row] if _is_named(row) else list(row)
        if not listed:
            raise UsageError(f"the answer about image {number} names no class at all")
        first = None
        for one in listed:
            name, score = _pair(one, number)
            place = _place(name, places, classes)
            if not np.isnan(scores[number, place]):
                raise UsageError(f"the answer about image {number} names the class {name!r:.80} twice")
            scores[number, place] = score
            first = place if first is None else first
        if scores[number, first] == np.nanmax(scores[number]):
            scores[number, first] *= FIRST
    return scores


def fill(rows: Floats) -> Floats:
    """(N, K) probabilities of all classes: those left out (NaN, -inf or 0) share what is left.

    What is left is 1 less the sum of those seen, at least half a unit where these were rounded; a class that was left out never
    gets as much as the least class seen, so that the decision stays.

    Raises:
        UsageError: these are no probabilities, or an image has none.
    """
    given = np.where(np.isneginf(rows), np.nan, rows)
    seen_ = ~np.isnan(given) & (given != 0)
    values = np.where(seen_, given, 0.0)
    if not np.isfinite(values).all() or values.min() < 0:
        raise UsageError(f"the scores of the first classes must be probabilities; {_fitting(given)} ({seen(given)})")
    empty = np.flatnonzero(~seen_.any(axis=1))
    if len(empty):
        raise UsageError(f"the answer about image {int(empty[0])} names no class at all")
    sums, units = values.sum(axis=1), rounding_units(values)
    over = np.flatnonzero(sums > 1 + np.maximum(SLACK, surplus(values)))
    if len(over):
        row = int(over[0])
        raise UsageError(
            f"the scores of the first classes must be probabilities, but row {row} sums to {sums[row]:.4g}; {_fitting(given)}"
        )
    hidden = (~seen_).sum(axis=1)
    left = np.maximum(1 - sums, np.where(units > 0, units / 2, FLOOR))
    least = np.where(seen_, values, np.inf).min(axis=1) * BELOW
    share = np.minimum(left / np.maximum(hidden, 1), least)
    return np.where(seen_, values, share[:, None])


def _fitting(given: Floats) -> str:
    if np.isfinite(given).all():
        return fitting(given)
    known = given[np.isfinite(given)]
    if known.size and known.min() >= 0 and known.max() > PERCENT and np.nansum(given, axis=1).max() <= 100 * (1 + SLACK):
        return "divide them by 100 if they are percentages"
    return "give the softmax of the scores instead"


def _is_pair(one: Any) -> bool:
    return isinstance(one, Mapping) or (isinstance(one, list | tuple) and len(one) == 2)


def _is_named(one: Any) -> bool:
    """Whether something is one class with its score by itself: {"label": ...} or ("cat", 0.9)."""
    return isinstance(one, Mapping) or (_is_pair(one) and isinstance(one[0], str))


def _pair(one: Any, number: int) -> tuple[Any, float]:
    if isinstance(one, Mapping):
        keys = [next((key for key in wanted if key in one), None) for wanted in (LABEL, SCORE)]
        if keys[0] is None or keys[1] is None:
            raise UsageError(
                f"the answer about image {number} has an entry with the keys {', '.join(map(str, one))!s:.80}; it needs label "
                "and score"
            )
        name, score = one[keys[0]], one[keys[1]]
    else:
        try:
            name, score = one
        except (TypeError, ValueError):
            raise UsageError(
                f"the answer about image {number} holds {one!r:.60}; it must be a list of (class, score) pairs"
            ) from None
    try:
        value = float(score)
    except (TypeError, ValueError):
        value = float("nan")
    if isinstance(score, str) or not np.isfinite(value):
        raise UsageError(f"the score of the class {name!r:.80} of image {number} is {score!r:.40}, and no finite number")
    return name, value


def _places(names: Sequence[str] | None) -> dict[str, int]:
    """Each name's place; -1 for a name of several classes."""
    places: dict[str, int] = {}
    for place, name in enumerate(names or ()):
        places[name.strip()] = -1 if name.strip() in places else place
    return places


def _place(name: Any, places: Mapping[str, int], classes: int) -> int:
    if isinstance(name, str):
        place = places.get(name.strip())
        if place is None and (number := _NUMBER.fullmatch(name.strip())):
            place = int(number[1])
        if place == -1:
            raise UsageError(f"the answer names the class {name!r:.80}, which two classes are called; let it give numbers")
        if place is None or place >= classes:
            known = "the class names, which are needed to read it, are not known" if not places else "no class is called so"
            raise UsageError(f"the answer names the class {name!r:.80}: {known}")
        return place
    try:
        place = int(name)
    except (TypeError, ValueError, OverflowError):
        place = -1
    if place != name or not 0 <= place < classes:
        raise UsageError(f"the answer names the class {name!r:.80}, and classes have numbers from 0 to {classes - 1}")
    return place


def label_numbers(answer: Sequence[str], names: Sequence[str] | None, classes: int | None) -> NDArray[np.int64]:
    """(N,) numbers of classes given by their names.

    Raises:
        UsageError: a class is unknown.
    """
    places = _places(names)
    known = len(names) if names else classes if classes is not None else 10**9
    return np.array([_place(str(name), places, known) for name in answer], dtype=np.int64)
