"""The tidy table that `Answers.to_csv` writes."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args

from evals.study.answers import COLUMNS, Answer, Answers, Participant, Phase, Status
from evals.study.imports.importing import Import
from evals.study.imports.tables import DELIMITERS, read_table
from saywhy_core.csv_rows import text_of
from saywhy_core.errors import Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from evals.study.folder import Study

_NEEDED = ("participant", "phase", "task", "kind", "response")
_OF_PEOPLE, _OF_ITEMS = "participant_", "item_"
_SAME_IS_RIGHT = ("simulation", "counterfactual", "trust")
"""Kinds of tasks whose response is right where it is the expected one, letter for letter."""
_ASKED_ONCE = ("simulation", "rating", "trust", "preference", "error_finding", "free_text", "choice", "number", "text", "agree")
"""Kinds that ask one question of a name on a page. Others (counterfactual) may ask several: only other files repeat them."""
_LARGEST = 1e12
"""No rating and no time is as large."""


def _fits(path: Path, head: bytes) -> bool:
    first = head.decode("utf-8-sig", "replace").splitlines()[:1]
    if path.is_dir() or not first:
        return False
    return any(set(_NEEDED) <= {name.strip('"') for name in first[0].split(sign)} for sign in DELIMITERS)


def _read(paths: Sequence[Path], study: Study | None, problems: list[Problem]) -> Answers:  # noqa: ARG001 - all is in the table
    rows: list[Answer] = []
    people: dict[str, Participant] = {}
    items: dict[str, dict[str, str]] = {}
    seen: dict[tuple[object, ...], tuple[list[Answer], str]] = {}
    for path in paths:
        again: list[tuple[int, str]] = []
        own: set[tuple[object, ...]] = set()  # pages whose first row stands in this file
        table = read_table(path)
        if missing := [name for name in _NEEDED if name not in table.header]:
            raise UsageError(f"{table.name}: this is no tidy table of answers: it has no column {missing[0]!r}")
        if lost := next((name for name in ("condition", "item") if name not in table.header), None):
            raise UsageError(
                f"{table.name}: this table of answers has no column {lost!r}, without which nothing can be compared; add it, "
                f"with the same name in each row where there is only one {lost}"
            )
        for line, written in table.records():
            cells = {name: text_of(cell) for name, cell in written.items()}
            try:
                person, row = _participant(cells), _answer(cells)
                if people.setdefault(person.code, person) != person:
                    raise ValueError(f"participant {person.code!r} has other facts in another row")
                if row is not None:
                    page = _asked(row)
                    known, there = seen.setdefault(page, ([], f"{table.name}, line {line}"))
                    if known and not (page in own and row.kind not in _ASKED_ONCE):
                        if row not in known:
                            raise ValueError(f"{_named(row)} is answered otherwise already ({there}); the first answer counts")
                        again.append((line, there))
                        continue
                    known.append(row)
                    own.add(page)
            except ValueError as error:
                problems.append(Problem(table.name, str(error), line))
                continue
            if row is not None:
                rows.append(row)
                if row.item:
                    items.setdefault(row.item, _facts(cells, _OF_ITEMS))
        if again:
            line, there = again[0]
            rest = f", and {len(again) - 1:,} more rows likewise" if len(again) > 1 else ""
            problems.append(Problem(table.name, f"this row stands there already ({there}){rest}; each is counted once", line))
    return Answers(tuple(rows), people, {item: facts for item, facts in items.items() if facts})


def _participant(cells: dict[str, str]) -> Participant:
    if not cells["participant"]:
        raise ValueError("the participant is blank")
    given = cells.get("status") or "complete"
    status: Status | None = next((one for one in get_args(Status) if one == given), None)
    if status is None:
        raise ValueError(f"the status is {given!r}, and one of {', '.join(get_args(Status))} is known")
    return Participant(
        code=cells["participant"],
        cell=cells.get("cell", ""),
        source=cells.get("source") or "people",
        status=status,
        started=cells.get("started", ""),
        finished=cells.get("finished", ""),
        attributes=_facts(cells, _OF_PEOPLE),
    )


def _answer(cells: dict[str, str]) -> Answer | None:
    """The answer of a row; None where the row only says that a participant is there."""
    if not cells["task"]:
        return None
    if cells["phase"] not in get_args(Phase):
        raise ValueError(f"the phase is {cells['phase']!r}, and one of {', '.join(get_args(Phase))} is known")
    found: dict[str, Any] = {}
    for one in fields(Answer):
        text = cells.get(one.name, "")
        if one.name in ("participant", "phase", "task", "kind", "response", "item", "condition", "submitted"):
            found[one.name] = text
        elif text:
            found[one.name] = _value(one.name, text)
    row = Answer(**found)
    if row.correct is not None and row.value is not None and row.expected and row.value != row.correct:
        raise ValueError(f"correct is {int(row.correct)} and value is {row.value:g}, which contradict each other")
    judged = row.kind in _SAME_IS_RIGHT and row.expected and row.correct is not None
    if judged and row.correct != (row.response == row.expected):
        raise ValueError(
            f"correct is {cells['correct']}, and the response is {row.response!r} where {row.expected!r} is expected"
        )
    return row


def _asked(row: Answer) -> tuple[object, ...]:
    """What can be answered once: a question about an item, or one try at another question."""
    tries = 0 if row.phase == "trial" else row.tries
    return (row.participant, row.phase, row.step, row.trial, row.item, row.condition, row.task, tries)


def _named(row: Answer) -> str:
    about = f" for item {row.item!r} under {row.condition!r}" if row.item else ""
    return f"{row.task!r} of participant {row.participant!r}{about}"


def _value(name: str, text: str) -> Any:
    try:
        match name:
            case "step" | "trial" | "tries":
                return int(text)
            case "value" | "seconds":
                number = float(text)
                if not abs(number) < _LARGEST or (name == "seconds" and number < 0):
                    raise ValueError
                return number
            case "correct":
                return {"1": True, "0": False}[text]
    except (ValueError, KeyError):
        raise ValueError(f"{name} is {text!r}, and it can be {_CAN_BE[name]}") from None
    return text


_CAN_BE = {
    "step": "a whole number",
    "trial": "a whole number",
    "tries": "a whole number",
    "value": "a number such as 4 or 4.5",
    "seconds": "a number of seconds from 0",
    "correct": "1 (right), 0 (wrong) or empty",
}


def _facts(cells: dict[str, str], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): value
        for name, value in cells.items()
        if name.startswith(prefix) and name not in COLUMNS and value
    }


TIDY = Import("the tidy table of answers that saywhy writes", _fits, _read, judged=False)
