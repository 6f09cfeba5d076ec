"""What an attack found, as a JSON record and as a folder with pictures."""

from __future__ import annotations

import json
import math
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np

from adversarial.findings.pictures import PICTURES, panel_png, picture_files
from adversarial.findings.words import changed_mask, class_name, finding_in_words, touched_in_words
from saywhy_core.disk.destinations import check_own, enclosed
from saywhy_core.disk.files import atomic_open
from saywhy_core.disk.troubles import unwritable
from saywhy_core.secrets import redact
from verbalize.parts import place_in_words

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from adversarial.result import AttackResult

VERSION = 1  # of the record's form
RECORD = "result.json"
IMAGES = "images.npz"
MEMBERS = (RECORD, IMAGES, *PICTURES)
"""The names of all files in the folder of a finding."""
MOST_LISTED = 1_000  # changed pixels; a longer list would make the record larger than the images beside it


def finding_record(
    result: AttackResult,
    class_names: Sequence[str] | None = None,
    *,
    budget: int | None = None,
    settings: Mapping[str, Any] | None = None,
    survives: Mapping[str, bool] | None = None,
) -> dict[str, Any]:
    """The result as plain JSON values, with a version; infinite distances become null.

    `changed` lists the changed pixels as [y, x, values before, values after]; it is null where they are over 1,000.

    Args:
        result: the attack's result.
        class_names: one name per class; without them, classes have numbers only.
        budget: the queries that were allowed.
        settings: what else is to be kept (seed, target, manipulation, ...), as JSON values.
        survives: whether the adversarial image stays one when it is saved as "png" or "jpeg", where that was asked.
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
                "measured": feature.measured,
            }
            for feature in result.features
        ],
        "note": result.note,
        "survives": dict(survives or {}),
        "settings": dict(settings or {}),
    }


def write_finding(
    result: AttackResult,
    directory: str | os.PathLike[str],
    class_names: Sequence[str] | None = None,
    *,
    budget: int | None = None,
    settings: Mapping[str, Any] | None = None,
    survives: Mapping[str, bool] | None = None,
) -> dict[str, Any]:
    """Write a result's pictures and its record into a folder, and return the record.

    `panel.png` shows the original, the adversarial example, their difference and, where one guided the search, the density
    side by side, enlarged where they are small; `original.png`, `adversarial.png`, `difference.png` and `density.png` show each
    alone, in the image's own size: `adversarial.png` is the adversarial example of an image of 8 bits, pixel by pixel.
    `images.npz` holds the original and the adversarial image as they are (float32; 8-bit pictures round), and as float16,
    scaled to 1, the maps `density` and `touched`. `result.json` takes
    its place last, and that of an earlier result goes first: where it is, the other files are whole and belong to it.

    Args:
        result: the attack's result.
        directory: the folder; it is made where there is none.
        class_names: as for `finding_record`.
        budget: as for `finding_record`.
        settings: as for `finding_record`.
        survives: as for `finding_record`.

    Raises:
        UnusableFileError: one of the files can't be written, or a link or no file is in its place. Nothing is changed.
    """
    folder = Path(directory)
    for name in MEMBERS:
        check_own(folder / name, folder)
    record = finding_record(result, class_names, budget=budget, settings=settings, survives=survives)
    mask = changed_mask(result)
    before = class_name(result.label, class_names)
    after = None
    if result.success and result.adversarial is not None:
        after = before if result.adversarial_label is None else class_name(result.adversarial_label, class_names)
    adversarial = result.adversarial if after is not None else None
    density = result.density
    map_ = None if density is None else (density.density, density.source)
    pictures = {"panel.png": panel_png(result.original, adversarial, mask, before=before, after=after, density=map_)}
    pictures |= picture_files(result.original, adversarial, None if density is None else density.density)
    images: dict[str, Any] = {"original": result.original} | ({} if adversarial is None else {"adversarial": adversarial})
    images["touched"] = compact_map(result.touched.scores)
    if density is not None:
        images["density"] = compact_map(density.density)
    text = record_text(record)
    with enclosed(folder), ExitStack() as written:

        def writing(name: str) -> BinaryIO:
            return cast("BinaryIO", written.enter_context(atomic_open(folder / name, "wb")))

        # all files are written before the first of them takes its place, the record last: a full disk changes nothing
        streams = [writing(RECORD), writing(IMAGES)]
        streams[0].write(text.encode("utf-8", "backslashreplace"))
        np.savez_compressed(streams[1], **images)
        for name, content in pictures.items():
            streams.append(writing(name))
            streams[-1].write(content)
        for stream in streams:
            stream.flush()
        written.callback(_clear, folder, pictures)
    return record


def record_text(record: Mapping[str, Any]) -> str:
    """The record as JSON with one line per value; keys of endpoints are taken out."""
    lines = (f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}" for key, value in record.items())
    return redact("{\n" + ",\n".join(lines) + "\n}\n")


def compact_map(values: NDArray[Any]) -> NDArray[np.float16]:
    """A map (H, W) in half precision, scaled so that its largest value is 1."""
    top = float(np.abs(values).max()) if values.size else 0.0
    return np.asarray(values / top if top > 0 else values, dtype=np.float16)


def _clear(folder: Path, kept: Iterable[str]) -> None:
    """Remove an earlier result's record, which a kill must not leave beside other pictures, and pictures that it alone had."""
    for name in (RECORD, *PICTURES):
        if name not in kept:
            try:
                (folder / name).unlink(missing_ok=True)
            except OSError as error:
                raise unwritable(folder / name, error) from error


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
