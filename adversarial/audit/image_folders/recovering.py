"""The row of an image from the files of its finding, where the database has none: it is older than that, or was lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from adversarial.audit.image_folders.folders import read_record
from adversarial.audit.records import wrong_field
from adversarial.findings.record import IMAGES, RECORD
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from adversarial.audit.records import ImageRecord, Status


def recovered(row: ImageRecord, folder: Path) -> ImageRecord | None:
    """The row of a finished finding, as far as its `result.json` tells; None where that holds too little.

    The confidence of the classifier, and its answers in the weather, are not in it.

    Args:
        row: the image's row as it waits.
        folder: of the finding.
    """
    try:
        said = read_record(folder / RECORD)
        made = None if said is None else _row(row, said)
    except (UsageError, KeyError, TypeError, ValueError, AttributeError):
        return None
    if made is None or wrong_field(made):
        return None
    return replace(made, file=f"{folder.name}/{IMAGES}" if (folder / IMAGES).is_file() else None)


def _row(row: ImageRecord, said: dict[str, Any]) -> ImageRecord:
    label, flipped, found = said["label"], said["adversarial_label"] or {}, said["success"] is True
    distance = said["distance"]["value"]
    wrong = found and distance == 0
    seen = flipped if wrong else label  # an image is attacked where the classifier sees its label
    trace = tuple((queries, best) for queries, best in said["trace"])
    queries = said["queries"]
    status: Status = "wrong" if wrong else "found" if found else "held"
    return replace(
        row,
        status=status,
        label=label["index"],
        label_name=label["name"],
        predicted=seen["index"],
        predicted_name=seen["name"],
        adversarial_label=flipped["index"] if found else None,
        adversarial_name=flipped["name"] if found else None,
        norm=said["distance"]["name"],
        distance=distance if found else None,
        distances=said["distances"],
        queries=queries + len(said.get("survives") or {}),
        search_queries=queries,
        found_after=next((asked for asked, best in trace if found and best == distance), None),
        trace=trace,
        changed_pixels=said["changed_pixels"] if found else None,
        place=said["place"],
        sentence=said["sentence"],
        touched=said.get("touched"),
        survives=said.get("survives") or {},
        note=said.get("note") or None,
        error=None,
    )
