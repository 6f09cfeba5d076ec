"""What an attack found, for people and for programs: sentences, pictures, and a JSON record."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarial.distances.distance import DISTANCES
from adversarial.findings.pictures import panel_png, save_pictures
from saywhy_core.files import atomic_open
from verbalize.parts.places import located
from verbalize.parts.regions import find_regions, place_in_words
from verbalize.write.template import TemplateVerbalizer

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from adversarial.result import AttackResult

VERSION = 1
RECORD = "result.json"
MOST_LISTED = 1_000


def changed_mask(result: AttackResult) -> NDArray[np.bool_]:
    """(H, W) which pixels the adversarial example changes; none where there is no example."""
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

    A failed attack is told as one: not finding an example is no proof that there is none.

    Args:
        result: of the attack.
        class_names: one name a class; classes are numbered without them.
        budget: the most queries that were allowed.
    """
    label = class_name(result.label, class_names)
    goal = "another class" if result.target is None else class_name(result.target, class_names)
    spent = _queries(result.queries, budget)
    if not result.success or result.adversarial is None:
        return (
            f"No change that turns {label} into {goal} was found within {spent}. "
            f"That does not show that there is none.{_nearest(result)}{_remarks(result)}"
        )
    now = goal if result.adversarial_label is None else class_name(result.adversarial_label, class_names)
    mask = changed_mask(result)
    if not mask.any():
        return f"The image is classified as {now}, not as {label}, without any change; there was nothing to attack."
    found = _found_after(result)
    when = f"It was found after {_count(found, 'query', 'queries')}; the attack made {spent}."
    if found == result.queries:
        when = f"It was found with the last of {_count(found, 'query', 'queries')}."
    return f"{_change(result, mask)} turns {label} into {now}. {when}{_remarks(result)}"


def class_name(index: int, class_names: Sequence[str] | None) -> str:
    """A class as sentences name it: quoted by its name, or by its number where it has none."""
    return f"'{class_names[index]}'" if class_names is not None and index < len(class_names) else f"class {index}"


def finding_record(
    result: AttackResult,
    class_names: Sequence[str] | None = None,
    *,
    budget: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The result as plain JSON values, with a version; infinite distances become null.

    `changed` lists the changed pixels as [y, x, values before, values after], and is null where there are over 1,000;
    `settings` (seed, target, manipulation, ...) are kept as they are.
    """

    def named(index: int | None) -> dict[str, Any] | None:
        if index is None:
            return None
        known = class_names is not None and index < len(class_names)
        return {"index": int(index), "name": class_names[index] if class_names is not None and known else None}

    mask = changed_mask(result)
    after = result.original if result.adversarial is None else result.adversarial
    changed = None
    if mask.sum() <= MOST_LISTED:
        values = zip(np.argwhere(mask).tolist(), result.original[mask].tolist(), after[mask].tolist(), strict=True)
        changed = [[y, x, before, now] for (y, x), before, now in values]
    return {
        "version": VERSION,
        "sentence": finding_in_words(result, class_names, budget=budget),
        "touched": touched_in_words(result),
        "success": bool(result.success),
        "label": named(result.label),
        "adversarial_label": named(result.adversarial_label) if result.success else None,
        "goal": named(result.target),
        "distance": {"name": result.norm, "value": _finite(result.distance) if result.success else None},
        "distances": {name: _finite(value) for name, value in result.distances.items()} if result.success else {},
        "queries": int(result.queries),
        "budget": budget,
        "trace": [[int(queries), _finite(float(best))] for queries, best in np.asarray(result.trace).reshape(-1, 2)],
        "place": place_in_words(mask, mask.shape) if mask.any() else None,
        "changed_pixels": int(mask.sum()),
        "changed": changed,
        "shape": list(result.original.shape),
        "features": [
            {
                "centre": list(feature.centre),
                "weight": feature.weight,
                "distance": _finite(feature.distance),
                "queries": feature.queries,
            }
            for feature in result.features
        ],
        "note": result.note,
        "settings": dict(settings or {}),
    }


def touched_in_words(result: AttackResult) -> str:
    """The map of what the search touched, in the words that every map is put into."""
    return TemplateVerbalizer().verbalize(result.touched).text


def write_finding(
    result: AttackResult,
    directory: str | os.PathLike[str],
    class_names: Sequence[str] | None = None,
    *,
    budget: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write a result's pictures and its record into a directory, and return the record.

    `panel.png` shows the original, the adversarial example, their difference and, where one guided the search, the density
    side by side; `original.png`, `adversarial.png`, `difference.png` and `density.png` show each alone, small images enlarged
    in whole steps.
    `images.npz` holds the original and the adversarial image as they are (float32; 8-bit pictures round). `result.json` is
    written last: where it stands, the rest is whole.
    """
    folder = Path(directory)
    record = finding_record(result, class_names, budget=budget, settings=settings)
    mask = changed_mask(result)
    before = class_name(result.label, class_names)
    after = None
    if result.success and result.adversarial is not None:
        after = before if result.adversarial_label is None else class_name(result.adversarial_label, class_names)
    adversarial = result.adversarial if after is not None else None
    density = result.density
    map_ = None if density is None else (density.density, density.source)
    with atomic_open(folder / "panel.png", "wb") as stream:
        stream.write(panel_png(result.original, adversarial, mask, before=before, after=after, density=map_))
    save_pictures(folder, result.original, adversarial, None if density is None else density.density)
    with atomic_open(folder / "images.npz", "wb") as stream:
        if adversarial is None:
            np.savez_compressed(stream, original=result.original)
        else:
            np.savez_compressed(stream, original=result.original, adversarial=adversarial)
    with atomic_open(folder / RECORD) as stream:
        lines = (
            f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}" for key, value in record.items()
        )
        stream.write("{\n" + ",\n".join(lines) + "\n}\n")
    return record


def _change(result: AttackResult, mask: NDArray[np.bool_]) -> str:
    count = int(mask.sum())
    where = located(place_in_words(mask, mask.shape))
    pixels = f"{_count(count, 'pixel', 'pixels')} {where}"
    return f"Changing {DISTANCES.get(result.norm).change_in_words(pixels, float(result.distances[result.norm]))}"


def _nearest(result: AttackResult) -> str:
    regions = find_regions(result.touched)
    if not regions:
        return ""
    return f" Changes {located(regions[0].place)} came nearest to it."


def _remarks(result: AttackResult) -> str:
    """What was found of single features, and what else a reader must know."""
    text = ""
    tried = [feature for feature in result.features if feature.queries > 0]
    if tried:
        flips = sum(math.isfinite(feature.distance) for feature in tried)
        features = _count(len(tried), "feature", "features")
        text = f" Of {features} tried alone, {flips if flips else 'none'} could be made to turn it."
    return f"{text} Note: {result.note}." if result.note else text


def _found_after(result: AttackResult) -> int:
    """The query at which the distance reached what it came to."""
    trace = np.asarray(result.trace, dtype=np.float64).reshape(-1, 2)
    reached = trace[trace[:, 1] <= trace[:, 1].min()] if len(trace) else trace
    return int(reached[0, 0]) if len(reached) else result.queries


def _queries(queries: int, budget: int | None) -> str:
    if budget is None or queries == budget:
        return _count(queries, "query", "queries")
    return f"{queries:,} of {_count(budget, 'query', 'queries')}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
