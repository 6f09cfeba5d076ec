"""Images that are added to an audit: new ones, and those that moved, which keep their rows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from adversarial.audit.records import ImageRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from adversarial.audit.sources import Source
    from adversarial.audit.store import AuditStore


def new_sources(store: AuditStore, sources: Sequence[Source], same: Callable[[str], str]) -> list[Source]:
    """Those that are no rows of the audit yet, by their paths; `same` makes one text of the paths of one file."""
    known = {(same(record.path), record.part) for record in store.images()} if sources else set()
    return [source for source in sources if (same(source.path), source.part) not in known]


def add_sources(
    store: AuditStore, fresh: Sequence[Source], *, there: Callable[[str], bool], digest: Callable[[Source], str | None]
) -> int:
    """Add images under names that are free; one whose file was moved keeps its row, which gets the new path.

    An image has moved where the file of a row is gone and the new one has the same pixels; or the same name, where the row's
    image was never attacked, so that its pixels are not known.

    Args:
        store: the audit.
        fresh: the images, see `new_sources`.
        there: whether there is a file, by its path.
        digest: what tells the pixels of an image from others, see `pixels_digest`; None where it can't be read.

    Returns:
        How many had moved.
    """
    gone = [record for record in store.images() if not there(record.path)] if fresh else []
    by_pixels: defaultdict[str, list[ImageRecord]] = defaultdict(list)
    by_name: dict[str, ImageRecord] = {}
    for record in gone:
        if record.pixels:
            by_pixels[record.pixels].append(record)
        else:
            by_name[record.name] = record
    names = {record.name for record in store.images()}
    made: list[ImageRecord] = []
    moved, last = 0, store.last()
    for source in fresh:
        same = by_pixels.get(digest(source) or "") if by_pixels else None
        if same:
            store.move(same.pop(0), source.path, source.part)
            moved += 1
        elif source.name in by_name:
            record = by_name.pop(source.name)
            label = record.label if source.label is None else source.label
            store.write(_fresh(replace(record, label=label), source))
            moved += 1
        else:
            last += 1
            made.append(_fresh(ImageRecord(id=last, name=_free(source.name, names), path="", label=source.label), source))
            names.add(made[-1].name)
    store.add(made)
    return moved


def _fresh(record: ImageRecord, source: Source) -> ImageRecord:
    return replace(
        record, path=source.path, part=source.part, status="failed" if source.error else "waiting", error=source.error or None
    )


def _free(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted} ({number})", number + 1
    return name
