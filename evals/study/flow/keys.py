"""Ways through a study that are laid out beforehand, for platforms that can't ask saywhy for the next page; and their keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evals.study.flow.way import steps_for

if TYPE_CHECKING:
    from evals.study.folder import Study
    from evals.study.steps import Step

_KEY = re.compile(r"c([1-9][0-9]{0,5})w([1-9][0-9]{0,8})p([1-9][0-9]{0,5})(?:v([0-9a-f]{6}))?")


@dataclass(frozen=True)
class Way:
    """A cell of the design, and the seed of one participant in it. Both are told by numbers, so that no name leaks a condition.

    Attributes:
        cell: the number of the cell in `Study.cells`, from 1.
        seed: as `steps_for` takes it, from 1.
    """

    cell: int
    seed: int


@dataclass(frozen=True)
class Key:
    """A page of a way.

    As a text it is such as "c2w1p14v3fa90c": cell 2, way 1, page 14, of the study whose digest begins with 3fa90c.

    Attributes:
        way: the way.
        step: the number of the page, from 0.
        version: the beginning of the study's digest; "" where it is not known.
    """

    way: Way
    step: int
    version: str = ""

    def __str__(self) -> str:
        return f"c{self.way.cell}w{self.way.seed}p{self.step + 1}{f'v{self.version}' if self.version else ''}"


def key_of(study: Study, way: Way, step: Step) -> Key:
    """The key of a page, with the version of the study."""
    return Key(way, step.number, study.digest[:6])


def parse_key(text: str) -> Key | None:
    """The key that a text writes; None where it writes none."""
    if (found := _KEY.fullmatch(text.strip())) is None:
        return None
    cell, seed, page = map(int, found.groups()[:3])
    return Key(Way(cell, seed), page - 1, found[4] or "")


def ways_of(study: Study, *, most: int = 1) -> tuple[Way, ...]:
    """Ways for the participants that the study plans: evenly many of each cell, those of one seed beside each other.

    Args:
        study: the study.
        most: how many ways of each cell there are at most; a study plans no more than it has participants.
    """
    cells = len(study.cells)
    each = max(1, min(most, -(-study.file.design.participants // cells)))
    return tuple(Way(cell, seed) for seed in range(1, each + 1) for cell in range(1, cells + 1))


def way_steps(study: Study, way: Way) -> tuple[Step, ...]:
    """All pages of a way.

    Raises:
        IndexError: the study has no such cell.
    """
    if way.cell < 1:
        raise IndexError(way.cell)
    return steps_for(study, study.cells[way.cell - 1], way.seed)
