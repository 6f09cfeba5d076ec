"""Finished images whose files were changed afterwards: their rows are about what they were."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeAlias

from adversarial.audit.records import FINISHED
from adversarial.audit.sources import Source
from saywhy_core.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from adversarial.audit.store import AuditStore

Stamp: TypeAlias = tuple[int, int]
WHAT = (
    "its file was changed after it was audited, and its row is about what it was; "
    "bring the file back, or audit what it is now in another folder"
)


def file_stamp(path: str) -> Stamp | None:
    """The size of a file and when it was last touched, in nanoseconds; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - Path.stat raises for names that no file can have
    except (OSError, ValueError):
        return None
    return found.st_size, max(found.st_mtime_ns, found.st_ctime_ns)


def changed_images(
    store: AuditStore, place: Callable[[str], str], digest: Callable[[Source], str | None]
) -> tuple[list[Problem], dict[int, Stamp]]:
    """The finished images whose pixels are others now, and the stamps of files that were looked at and are unchanged.

    A file with the stamp that it had is not read. Images whose files are gone are no changed ones.

    Args:
        store: the audit.
        place: where a file is, by the path in its row.
        digest: what tells the pixels of an image from others, as its row has it; None where it can't be read.
    """
    known, now = store.stamps(), dict[str, Stamp | None]()
    changed: list[Problem] = []
    unchanged: dict[int, Stamp] = {}
    for record in store.images(*FINISHED):
        path = place(record.path)
        if path not in now:
            now[path] = file_stamp(path)
        stamp = now[path]
        if stamp is None or record.pixels is None or known.get(record.id) == stamp:
            continue
        if digest(Source(record.name, record.path, record.part)) == record.pixels:
            unchanged[record.id] = stamp
        else:
            changed.append(Problem(record.name, WHAT))
    return changed, unchanged
