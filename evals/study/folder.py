"""A study's folder: `study.yaml`, `items.jsonl`, pictures, the fetched assets of its pages, and the answers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from evals.study.design.plans import cells_of
from evals.study.design.reading import read_study_file
from evals.study.items import item_from_record
from saywhy_core.errors import UsageError
from saywhy_core.reading.documents import parse_json, read_text

if TYPE_CHECKING:
    import os

    from evals.study.design.file import StudyFile
    from evals.study.design.plans import Cell
    from evals.study.items import Item

STUDY_FILE, ITEMS_FILE, IMAGES, ASSETS, DATABASE = "study.yaml", "items.jsonl", "images", "assets", "answers.db"


@dataclass(frozen=True)
class Study:
    """An opened study.

    Attributes:
        folder: where it lies.
        file: what `study.yaml` says.
        items: by id, in their order; those for practice are among them.
    """

    folder: Path
    file: StudyFile
    items: dict[str, Item]

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Who sees what."""
        return cells_of(self.file, [item.id for item in self.items.values() if not item.practice])

    @cached_property
    def digest(self) -> str:
        """A digest of everything that participants see: answers to one version are not mixed with those to another."""
        content = hashlib.sha256()
        for name in (STUDY_FILE, ITEMS_FILE):
            content.update((self.folder / name).read_bytes())
        return content.hexdigest()[:16]


def open_study(folder: str | os.PathLike[str]) -> Study:
    """Open a study's folder, and check it.

    Raises:
        UsageError: it is none, or something in it is wrong; the file and the line are named.
    """
    place = Path(folder)
    if not (place / STUDY_FILE).is_file():
        raise UsageError(f"{place} is no study: it holds no {STUDY_FILE}; make one with saywhy study build")
    items: dict[str, Item] = {}
    where = place / ITEMS_FILE
    for number, line in enumerate(read_text(where, holds="items").splitlines(), 1):
        try:
            item = item_from_record(parse_json(line, f"{where}, line {number}"))
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"{where}, line {number}: this is no item ({error}); build the study again") from error
        items[item.id] = item
    return Study(place, read_study_file(place / STUDY_FILE), items)
