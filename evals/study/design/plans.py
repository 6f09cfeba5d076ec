"""Who sees what: the cells of a design, and the trials of each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.study.design.file import StudyFile


@dataclass(frozen=True)
class Trial:
    """An item under one condition, or two conditions of it beside each other."""

    item: str
    conditions: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """What a participant of this cell sees. Each participant is in one cell; cells are filled evenly.

    Attributes:
        name: such as "latin-2".
        trials: in the order of `items.jsonl`.
    """

    name: str
    trials: tuple[Trial, ...]


def cells_of(study: StudyFile, items: Sequence[str]) -> tuple[Cell, ...]:
    """The cells of a study's design.

    Args:
        study: the study.
        items: the ids of the items that are not for practice.
    """
    names = [condition.name for condition in study.conditions]
    design = study.design
    shown = list(items[: design.items])
    if design.kind == "between":
        return tuple(Cell(f"between-{name}", tuple(Trial(item, (name,)) for item in shown)) for name in names)
    if design.kind == "within":
        return (Cell("within", tuple(Trial(item, (name,)) for item in shown for name in names)),)
    if design.kind == "latin":
        return _rotated("latin", names, shown)
    if design.kind == "blocks":
        blocks = combinations(names, design.block_size or 2)
        return tuple(cell for block in blocks for cell in _rotated("blocks-" + "-".join(block), block, shown))
    groups = design.groups or [names]
    return tuple(cell for n, group in enumerate(groups) for cell in _rotated(f"mixed-{n + 1}", group, shown))


def _rotated(prefix: str, names: Sequence[str], items: Sequence[str]) -> tuple[Cell, ...]:
    """A cell per row of the cyclic Latin square: each item once, each condition equally often."""
    return tuple(
        Cell(f"{prefix}-{row + 1}", tuple(Trial(item, (names[(n + row) % len(names)],)) for n, item in enumerate(items)))
        for row in range(len(names))
    )
