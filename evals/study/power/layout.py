"""Who answers what under which condition, as arrays: a design with so many participants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from evals.study.design.plans import Cell


@dataclass(frozen=True, eq=False)
class Layout:
    """The answers to one task under two conditions.

    Attributes:
        participant: of each answer, shape (answers,).
        item: of each answer, shape (answers,).
        condition: of each answer: 0 for the reference, 1 for the other one; for comparisons 0.
        participants: how many participants there are, those without such an answer among them.
        items: how many items there are.
    """

    participant: NDArray[np.intp]
    item: NDArray[np.intp]
    condition: NDArray[np.intp]
    participants: int
    items: int


def layout_of(cells: Sequence[Cell], participants: int, reference: str, condition: str, *, compared: bool) -> Layout:
    """The answers under two conditions, with the participants spread evenly over the cells.

    Args:
        cells: of the design.
        participants: how many.
        reference: the first condition.
        condition: the second condition.
        compared: whether the task compares both beside each other.
    """
    names = {reference: 0, condition: 1}
    ids: dict[str, int] = {}
    for cell in cells:
        for trial in cell.trials:
            ids.setdefault(trial.item, len(ids))
    of_cell = []
    for cell in cells:
        mine = [
            (ids[trial.item], 0 if compared else names[trial.conditions[0]])
            for trial in cell.trials
            if (len(trial.conditions) > 1) == compared and all(name in names for name in trial.conditions)
        ]
        of_cell.append(np.array(mine, dtype=np.intp).reshape(-1, 2))
    rows = [of_cell[person % len(cells)] for person in range(participants)]
    joined = np.concatenate(rows) if rows else np.zeros((0, 2), dtype=np.intp)
    people = np.repeat(np.arange(participants), [len(row) for row in rows])
    return Layout(people.astype(np.intp), joined[:, 0], joined[:, 1], participants, len(ids))
