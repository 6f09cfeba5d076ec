"""The tidy table that `Answers.to_csv` writes."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args

from evals.study.answers import COLUMNS, Answer, Answers, Participant, Phase, Status
from evals.study.imports.importing import Import
from evals.study.imports.tables import read_table
from saywhy_core.errors import Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from evals.study.folder import Study

_NEEDED = ("participant", "phase", "task", "kind", "response")
_OF_PEOPLE, _OF_ITEMS = "participant_", "item_"


def _fits(path: Path, head: bytes) -> bool:
    first = head.decode("utf-8-sig", "replace").splitlines()[:1]
    return not path.is_dir() and bool(first) and set(_NEEDED) <= set(first[0].split(","))


def _read(paths: Sequence[Path], study: Study | None, problems: list[Problem]) -> Answers:  # noqa: ARG001 - all is in the table
    rows: list[Answer] = []
    people: dict[str, Participant] = {}
    items: dict[str, dict[str, str]] = {}
    for path in paths:
        table = read_table(path)
        if missing := [name for name in _NEEDED if name not in table.header]:
            raise UsageError(f"{table.name}: this is no tidy table of answers: it has no column {missing[0]!r}")
        for line, cells in table.records():
            try:
                person, row = _participant(cells), _answer(cells)
                if people.setdefault(person.code, person) != person:
                    raise ValueError(f"participant {person.code!r} has other facts in another row")
            except ValueError as error:
                problems.append(Problem(table.name, str(error), line))
                continue
            if row is not None:
                rows.append(row)
                if row.item:
                    items.setdefault(row.item, _facts(cells, _OF_ITEMS))
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
    return Answer(**found)


def _value(name: str, text: str) -> Any:
    try:
        match name:
            case "step" | "trial" | "tries":
                return int(text)
            case "value" | "seconds":
                return float(text)
            case "correct":
                return {"1": True, "0": False}[text]
    except (ValueError, KeyError):
        raise ValueError(f"{name} is {text!r}, which it can't be") from None
    return text


def _facts(cells: dict[str, str], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): value
        for name, value in cells.items()
        if name.startswith(prefix) and name not in COLUMNS and value
    }


TIDY = Import("the tidy table of answers that saywhy writes", _fits, _read, judged=False)
