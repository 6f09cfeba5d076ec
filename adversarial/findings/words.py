"""What an attack found, in sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from adversarial.attacks.per_feature import partly_in_words
from adversarial.distances.distance import DISTANCES
from adversarial.result import NOTHING_MORE, had_nothing_more
from verbalize.parts import find_regions, located, place_in_words
from verbalize.write import TemplateVerbalizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from adversarial.result import AttackResult

ONLY = "the only pixel of the picture"


def changed_mask(result: AttackResult) -> NDArray[np.bool_]:
    """(H, W) True where the adversarial example changes the pixel; False everywhere where there is no example."""
    if not result.success or result.adversarial is None:
        return np.zeros(result.original.shape[:2], dtype=bool)
    return np.asarray((result.adversarial != result.original).any(axis=2))


def finding_in_words(
    result: AttackResult,
    class_names: Sequence[str] | None = None,
    *,
    budget: int | None = None,
) -> str:
    """What the attack found, in a sentence or two, such as "Changing 4 pixels at the upper right turns 'stop' into 'yield'.".

    Where no adversarial example was found, the sentence says that this is no proof that there is none.

    Args:
        result: the attack's result.
        class_names: one name per class; without them, classes are numbered.
        budget: the queries that were allowed.
    """
    label = class_name(result.label, class_names)
    goal = "another class" if result.target is None else class_name(result.target, class_names)
    spent = _queries(result.queries, budget)
    over = had_nothing_more(result.note)
    if result.features and result.distance > 0 and not result.undecided:
        return _of_features(result, label, goal, class_names, spent)
    if result.undecided:
        return f"Whether a change turns {label} into {goal} is not known: {result.undecided}.{_remarks(result)}"
    if not result.success or result.adversarial is None:
        more = ", and the search had nothing more to ask" if over else ""
        return (
            f"No change that turns {label} into {goal} was found within {spent}{more}. "
            f"There may still be one.{_nearest(result)}{_remarks(result)}"
        )
    now = goal if result.adversarial_label is None else class_name(result.adversarial_label, class_names)
    mask = changed_mask(result)
    if not mask.any() and result.label == result.target:
        return f"The image is classified as {now}, the class to reach, without any change; there was nothing to attack."
    if not mask.any():
        return f"The image is classified as {now}, not as {label}, without any change; there was nothing to attack."
    found = _found_after(result)
    fewest = ": one pixel is the fewest" if DISTANCES.get(result.norm).counts_pixels and mask.sum() == 1 else ""
    more = f" and had nothing more to ask{fewest}" if over else ""
    when = f"It was found after {_count(found, 'query', 'queries')}; the attack made {spent}{more}."
    if found == result.queries and not over:
        when = f"It was found with the last of {_count(found, 'query', 'queries')}."
    return f"{_change(result, mask)} turns {label} into {now}. {when}{_remarks(result)}"


def class_name(index: int, class_names: Sequence[str] | None) -> str:
    """A class as sentences name it: its name in quotation marks, or its number where it has no name."""
    return f"'{class_names[index]}'" if class_names is not None and index < len(class_names) else f"class {index}"


def touched_in_words(result: AttackResult) -> str:
    """The map of how much each pixel mattered to the search, in the words that any saliency map is put into."""
    return TemplateVerbalizer().verbalize(result.touched).text


def _change(result: AttackResult, mask: NDArray[np.bool_]) -> str:
    count = int(mask.sum())
    where = located(place_in_words(mask, mask.shape))
    pixels = ONLY if mask.size == 1 else f"{_count(count, 'pixel', 'pixels')} {where}"
    return f"Changing {DISTANCES.get(result.norm).change_in_words(pixels, float(result.distances[result.norm]))}"


def _nearest(result: AttackResult) -> str:
    regions = find_regions(result.touched)
    if not regions or result.original[..., 0].size == 1:
        return ""
    return f" Of the changes tried, those {located(regions[0].place)} came closest to flipping the decision."


def _remarks(result: AttackResult) -> str:
    """What else a reader must know, beside what the sentence says of it."""
    notes = "; ".join(one for one in result.note.split("; ") if one != NOTHING_MORE)
    return f" Note: {notes}." if notes else ""


def _of_features(result: AttackResult, label: str, goal: str, class_names: Sequence[str] | None, spent: str) -> str:
    """What the competitive game found: the farthest of the nearest changes inside each feature, or features that held."""
    count = len(result.features)
    measured = [feature for feature in result.features if feature.measured]
    held = sum(not math.isfinite(feature.distance) for feature in measured)
    tried = f" {len(measured):,} of {_count(count, 'feature', 'features')} were searched." if len(measured) < count else ""
    # the rest of the sentence says for how many features it holds, as the note by itself must
    remarks = _remarks(result).replace(f"{partly_in_words(result.features)}: ", "")
    mask = changed_mask(result)
    if held or not mask.any():
        one = held == len(measured) == 1
        where = f"in {'the one feature' if one else f'{held:,} of {len(measured):,} features'} searched alone, "
        text = f"No change that turns {label} into {goal} was found {where}within {spent}. There may still be one.{tried}"
        return f"{text}{remarks}"
    now = goal if result.adversarial_label is None else class_name(result.adversarial_label, class_names)
    each = "each of" if len(measured) == count else f"{len(measured):,} of"
    more = "" if len(measured) == count else "; another feature may need a larger one"
    features = _count(count, "feature", "features")
    text = f"{_change(result, mask)} turns {label} into {now}."
    return (
        f"{text} It is the largest of the smallest changes found in {each} {features} alone{more}; the attack made {spent}."
        f"{remarks}"
    )


def _found_after(result: AttackResult) -> int:
    """The query by which the final distance was reached."""
    trace = np.asarray(result.trace, dtype=np.float64).reshape(-1, 2)
    reached = trace[trace[:, 1] <= trace[:, 1].min()] if len(trace) else trace
    return int(reached[0, 0]) if len(reached) else result.queries


def _queries(queries: int, budget: int | None) -> str:
    if budget is None or queries == budget:
        return _count(queries, "query", "queries")
    return f"{queries:,} of {_count(budget, 'query', 'queries')}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
