"""What participants answered: one row per question, and one row per participant."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Literal

from saywhy_core.csv_rows import csv_row
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

VERSION = 1

Phase = Literal[
    "consent", "instructions", "demographics", "comprehension", "practice", "trial", "attention", "break", "debriefing"
]
Status = Literal["complete", "left", "withdrawn", "screened out", "active"]

PEOPLE = "people"
"""The source of answers that people gave. Every other source is a simulated participant: "simulated:" and its name."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer to one question.

    Attributes:
        participant: the participant's code.
        phase: the part of the study that the question belongs to; only "trial" is analysed.
        task: the name of the task, as `study.yaml` gives it ("simulation", "helpfulness"); or of the question, outside trials.
        kind: the kind of the task ("simulation", "rating"); or of the question.
        response: what was answered, as a text: the option's value, the rating, the free text.
        step: the place of the page in the participant's own order, from 0.
        trial: the number of the trial in the participant's own order, from 1; None outside of trials.
        item: the item's id; "" outside of trials.
        condition: the condition's name; two with " vs " between where a participant compared them; "" outside of trials.
        expected: the right answer, where there is one.
        correct: whether the answer is right; None where no answer is.
        value: the answer as a number (a rating; 1 or 0 for right or wrong), where it is one.
        seconds: time from the page's appearance to its submission.
        tries: how often the page was submitted until it was accepted, from 1.
        submitted: when, ISO 8601 in UTC.
    """

    participant: str
    phase: Phase
    task: str
    kind: str
    response: str
    step: int = 0
    trial: int | None = None
    item: str = ""
    condition: str = ""
    expected: str | None = None
    correct: bool | None = None
    value: float | None = None
    seconds: float | None = None
    tries: int = 1
    submitted: str = ""


@dataclass(frozen=True, kw_only=True)
class Participant:
    """One person, or one simulated participant.

    Attributes:
        code: the participant's code, which tells nobody who it is.
        cell: the name of the cell of the design.
        source: `PEOPLE`, or "simulated:" and the name of the simulated participant.
        status: "complete", "left" (closed the page or ran out of time), "withdrawn", "screened out" (failed a check that ends
            the study) or "active".
        attributes: demographics and other facts by name.
    """

    code: str
    cell: str = ""
    source: str = PEOPLE
    status: Status = "complete"
    started: str = ""
    finished: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answers:
    """All answers of a study, in the form that every import makes and every analysis takes.

    Attributes:
        rows: the answers.
        participants: by code, in the order of their first answers; each participant of a row is among them.
        items: facts about the items by id, such as {"label": "positive", "model_right": "yes", "coverage": "0.61"}.
    """

    rows: tuple[Answer, ...]
    participants: Mapping[str, Participant]
    items: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = {row.participant for row in self.rows} - set(self.participants)
        if unknown:
            raise UsageError(f"there are answers of participant {min(unknown)!r}, who is not among the participants")

    def of_phase(self, *phases: Phase) -> Iterator[Answer]:
        """The answers of these parts of the study."""
        return (row for row in self.rows if row.phase in phases)

    def only(self, codes: Iterable[str]) -> Answers:
        """The answers of these participants alone."""
        kept = set(codes)
        return replace(
            self,
            rows=tuple(row for row in self.rows if row.participant in kept),
            participants={code: one for code, one in self.participants.items() if code in kept},
        )

    @property
    def sources(self) -> tuple[str, ...]:
        """Who answered: `PEOPLE`, simulated participants, or both."""
        return tuple(dict.fromkeys(one.source for one in self.participants.values()))

    def to_csv(self) -> str:
        """The tidy table: a row per answer, with the columns of `COLUMNS`, then `participant_*` and `item_*` facts.

        Participants without any answer have one row with empty answers, so that dropouts are counted. Texts that a spreadsheet
        would compute have an apostrophe in front (`saywhy_core.csv_rows`), which reading the table takes off.
        """
        of_participants = list(dict.fromkeys(name for one in self.participants.values() for name in one.attributes))
        of_items = list(dict.fromkeys(name for facts in self.items.values() for name in facts))
        lines = [
            csv_row([*COLUMNS, *(f"participant_{name}" for name in of_participants), *(f"item_{name}" for name in of_items)])
        ]
        answered = {row.participant for row in self.rows}
        silent = [
            Answer(participant=code, phase="consent", task="", kind="", response="")
            for code in self.participants
            if code not in answered
        ]
        for row in (*self.rows, *silent):
            person = self.participants[row.participant]
            facts = self.items.get(row.item, {})
            lines.append(csv_row(
                [
                    row.participant, person.cell, person.source, person.status, person.started, person.finished,
                    *(_cell(getattr(row, name)) for name in _OF_ANSWERS),
                    *(person.attributes.get(name, "") for name in of_participants),
                    *(facts.get(name, "") for name in of_items),
                ]
            ))  # fmt: skip
        return "".join(lines)


_OF_ANSWERS: tuple[str, ...] = tuple(one.name for one in fields(Answer) if one.name != "participant")
COLUMNS: tuple[str, ...] = ("participant", "cell", "source", "status", "started", "finished", *_OF_ANSWERS)
"""The columns of the tidy table, before those of facts about participants and items."""


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return repr(value) if isinstance(value, float) else str(value)
