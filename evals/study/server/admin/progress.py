"""How a study is going: people per cell, times, and where they leave."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from evals.study.quality import Flag, flags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.study.server.store import Person, Store

STATES = ("complete", "active", "left", "screened out", "withdrawn")


@dataclass(frozen=True)
class CellProgress:
    """A cell of the design.

    Attributes:
        name: of the cell.
        counts: state -> participants, for each of `STATES`.
        minutes: the median time from joining to the end, of those who completed.
    """

    name: str
    counts: Mapping[str, int]
    minutes: float | None


@dataclass(frozen=True)
class Progress:
    """How a study is going.

    Attributes:
        title: of the study.
        wanted: how many are to complete it.
        recruiting: whether new participants are let in.
        cells: by cell.
        minutes: the median over all cells.
        unconsented: places of those who have not agreed yet, or never did. They are in none of the other counts.
        held: how many of these places are held now; the others are free again.
        dropout: page -> how many left there, in the order of the pages.
        flags: participant -> flags.
        source: "people" or "simulated".
    """

    title: str
    wanted: int
    recruiting: bool
    cells: tuple[CellProgress, ...]
    minutes: float | None
    unconsented: int
    held: int
    dropout: Mapping[str, int]
    flags: Mapping[str, list[Flag]]
    source: str

    def total(self, state: str) -> int:
        """Participants of a state in all cells."""
        return sum(cell.counts[state] for cell in self.cells)

    def to_record(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self) | {"totals": {state: self.total(state) for state in STATES}}


def progress_of(store: Store) -> Progress:
    """How a study is going now."""
    people = store.people()
    consented = [person for person in people if person.consented]
    status = {person.id: store.status(person) for person in consented}
    cells = []
    for cell in store.study.cells:
        inside = [person for person in consented if person.cell == cell.name]
        counts: Counter[str] = Counter(status[person.id] for person in inside)
        cells.append(CellProgress(cell.name, {state: counts[state] for state in STATES}, _minutes(inside)))
    places = {person.code: (person.cell, person.seed) for person in consented if person.status != "withdrawn"}
    return Progress(
        title=store.study.file.title,
        wanted=store.study.file.design.participants,
        recruiting=store.recruiting,
        cells=tuple(cells),
        minutes=_minutes(consented),
        unconsented=len(people) - len(consented),
        held=sum(not person.consented and store.status(person) == "active" for person in people),
        dropout=_dropout(store, [person for person in consented if status[person.id] == "left"]),
        flags=flags(store.answers(), store.study, places),
        source=store.source,
    )


def _minutes(people: list[Person]) -> float | None:
    times = [(one.finished - one.joined) / 60 for one in people if one.status == "complete" and one.finished is not None]
    return round(max(median(times), 0.0), 1) if times else None


def _dropout(store: Store, left: list[Person]) -> dict[str, int]:
    """By page, since the pages of a cell have the same names in everybody's order."""
    counted = Counter((person.cell, person.done) for person in left)
    names: Counter[tuple[int, str]] = Counter()
    examples = {(person.cell, person.done): person for person in left}
    for place, number in counted.items():
        steps = store.steps(examples[place])
        names[place[1], steps[min(place[1], len(steps) - 1)].name] += number
    return {name: number for (_, name), number in sorted(names.items())}
