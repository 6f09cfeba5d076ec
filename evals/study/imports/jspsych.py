"""What saywhy's pages hand over without a server: for each participant a JSON object with all responses.

On a web host the participant downloads it, or the host collects it; JATOS keeps it as the result of a component. A file may
hold one object, a list of them, or one per line. Data of other jsPsych experiments are tables, whose columns a mapping names
(`evals.study.imports.read_columns`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from evals.study.answers import Participant, Status
from evals.study.flow.keys import Key, Way
from evals.study.flow.returning import Page, Returning
from evals.study.imports.importing import Import
from evals.study.pages.bundle import FORMAT
from saywhy_core.errors import Problem
from saywhy_core.legible import legible
from saywhy_core.reading.documents import NotJsonError, parse_json, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from evals.study.answers import Answers
    from evals.study.folder import Study

VERSION = 1
_LOOKED_AT = 2_000  # bytes: the name of the form stands at the beginning


def _fits(path: Path, head: bytes) -> bool:
    return not path.is_dir() and is_handed_over(head)


def is_handed_over(head: bytes) -> bool:
    """Whether the first bytes of a text are those of what the pages hand over."""
    text = head[:_LOOKED_AT].decode("utf-8-sig", "replace").lstrip()
    return text[:1] in ("[", "{") and f'"{FORMAT}"' in text


def _read(paths: Sequence[Path], study: Study | None, problems: list[Problem]) -> Answers:
    assert study is not None
    returning = Returning(study, problems)
    for path in paths:
        where = legible(str(path))
        take_all(returning, read_text(path, holds="answers that saywhy's pages handed over"), where)
    return returning.answers()


def take_all(returning: Returning, text: str, where: str) -> None:
    """Take in what a text holds: one participant, a list of them, or one per line."""
    for line, found in _objects(text, where, returning.problems):
        try:
            _take(returning, found, where, line)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            told = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            returning.problems.append(Problem(where, f"a participant's answers can't be used: {told}", line))


def _objects(text: str, where: str, problems: list[Problem]) -> Iterator[tuple[int | None, Any]]:
    try:
        found = parse_json(text, where)
    except NotJsonError as error:
        if not error.several:
            raise
    else:
        yield from ((None, one) for one in (found if isinstance(found, list) else [found]))
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield number, parse_json(line)
            except ValueError as error:
                problems.append(Problem(where, str(error), number))


def _take(returning: Returning, found: Any, where: str, line: int | None) -> None:
    study = returning.study
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError("they are not of saywhy's pages; for data of another experiment, give a mapping of columns")
    if found["version"] != VERSION:
        raise ValueError(f"they are of version {found['version']!r}, and version {VERSION} is known")
    if found["study"] != study.digest:
        raise ValueError(
            f"they belong to another version of the study ({found['study']}, and this is {study.digest}): study.yaml or "
            "items.jsonl was changed since the pages were made"
        )
    names = [cell.name for cell in study.cells]
    if found["cell"] not in names:
        raise ValueError(f"the study has no cell {found['cell']!r}")
    way = Way(names.index(found["cell"]) + 1, int(found["seed"]))
    status: Status = next((one for one in get_args(Status) if one == found["status"]), "left")
    person = str(found["participant"])
    pages = [
        Page(
            person,
            Key(way, int(one["step"])),
            dict(one["responses"]),
            where,
            line,
            seconds=None if one.get("seconds") is None else float(one["seconds"]),
            tries=int(one.get("tries") or 1),
            submitted=str(one.get("submitted") or ""),
        )
        for one in found["answers"]
    ]
    returning.join(
        Participant(
            code=person,
            status="left" if status == "active" else status,
            started=str(found.get("started") or ""),
            finished=str(found.get("finished") or ""),
        )
    )
    for page in pages:
        returning.add(page)


JSPSYCH = Import("what saywhy's pages hand over without a server, as JSON", _fits, _read)
