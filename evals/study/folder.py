"""A study's folder: `study.yaml`, `items.jsonl`, pictures, the fetched assets of its pages, and the answers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from evals.study.checking import built_problems, item_problems, read_whole_file
from evals.study.design.plans import cells_of
from evals.study.items import item_from_record
from evals.study.shortcut import shortcut_labels
from saywhy_core.errors import UsageError
from saywhy_core.legible import legible
from saywhy_core.reading.documents import parse_json, read_json, read_text

if TYPE_CHECKING:
    import os

    from evals.study.design.file import StudyFile
    from evals.study.design.plans import Cell
    from evals.study.items import Item

STUDY_FILE, ITEMS_FILE, IMAGES, ASSETS, DATABASE = "study.yaml", "items.jsonl", "images", "assets", "answers.db"
BUILT_FILE = "built.json"
"""What `saywhy study build` made the items from; studies that were made by hand have none."""


_UNSEEN = ("completion", "exclusions", "analysis")  # parts of study.yaml


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
        trials = [item for item in self.items.values() if not item.practice]
        strata = {item.id: f"{item.predicted}/{item.facts.get('model_right', '')}" for item in trials}
        return cells_of(self.file, [item.id for item in trials], strata=strata)

    @cached_property
    def shortcuts(self) -> dict[tuple[str, str], str]:
        """(item, condition) -> the label that the most important word alone suggests."""
        return shortcut_labels(self.items.values())

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """What the researcher should know before, in sentences, such as items without the right answer that a task needs."""
        items, place = tuple(self.items.values()), self.folder / BUILT_FILE
        built = read_json(place, holds="what a study was built from") if place.is_file() else None
        found = (*item_problems(self.file, items), *built_problems(self.file, items, built))
        cells, people = len(self.cells), self.file.design.participants
        if cells <= people:
            return found
        few = (
            f"the design has {cells} cells and {people} participants, so that some cells stay empty and items are not seen "
            "equally often under each condition; take more participants, or fewer conditions"
        )
        return (*found, few)

    @cached_property
    def digest(self) -> str:
        """A digest of what participants see and are asked: answers to one version are not mixed with those to another.

        Times, limits, completion codes, the number of participants and the analysis can change while a study runs.
        """
        seen = self.file.model_dump(mode="json", exclude_defaults=True, exclude={*_UNSEEN, "design", "server"})
        design = self.file.design.model_dump(mode="json", exclude_defaults=True, exclude={"participants"})
        pauses = self.file.server.break_after
        content = hashlib.sha256(json.dumps([seen, design, pauses], sort_keys=True).encode())
        content.update((self.folder / ITEMS_FILE).read_bytes())
        return content.hexdigest()[:16]


def open_study(folder: str | os.PathLike[str]) -> Study:
    """Open a study's folder, and check it.

    What participants could not be shown is an error. What the researcher should know before, such as fewer items than the
    design asks for, is in `Study.problems`.

    Raises:
        UsageError: it is none, or something in it is wrong; the file and the line are named.
    """
    place = Path(folder)
    if not (place / STUDY_FILE).is_file():
        raise UsageError(f"{place} is no study: it holds no {STUDY_FILE}; make one with saywhy study build")
    file = read_whole_file(place / STUDY_FILE)
    items: dict[str, Item] = {}
    where = place / ITEMS_FILE
    for number, line in enumerate(read_text(where, holds="items").split("\n"), 1):  # texts may hold other line ends
        if not line.strip():
            continue
        try:
            item = item_from_record(parse_json(line))
        except UsageError as error:
            raise UsageError(f"{where}, line {number}: {error}; build the study again") from error
        except KeyError as error:
            raise UsageError(f"{where}, line {number}: this is no item (it has no {error}); build the study again") from error
        except (TypeError, ValueError) as error:
            raise UsageError(f"{where}, line {number}: this is no item ({error}); build the study again") from error
        if item.id in items:
            raise UsageError(f"{where}, line {number}: there is an item {legible(item.id)!r:.80} already; give each its own id")
        items[item.id] = item
    for condition in file.conditions:
        lacking = [item.id for item in items.values() if condition.name not in item.stimuli]
        if lacking:
            raise UsageError(
                f"{where}: item {legible(lacking[0])!r:.80} has no condition {condition.name}; build the study again"
            )
    if all(item.practice for item in items.values()):
        raise UsageError(f"{where} holds no items that are not for practice; build the study again")
    return Study(place, file, items)
