"""Qualtrics' CSV export of a survey that saywhy's text file made: three header lines, and a column for each question.

The first line has the tags of the questions ("c1w1p4q2": the second question of a page), the second their texts, the third
Qualtrics' import ids.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from evals.study.answers import Participant
from evals.study.flow.keys import parse_key
from evals.study.flow.returning import Page, Returning
from evals.study.imports.importing import Import
from evals.study.imports.tables import parse_csv
from saywhy_core.errors import Problem, UsageError
from saywhy_core.legible import legible
from saywhy_core.reading.documents import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from evals.study.answers import Answers
    from evals.study.flow.keys import Key
    from evals.study.folder import Study
    from evals.study.steps import Question

_TAG = re.compile(r"(c\d+w\d+p\d+(?:v[0-9a-f]{6})?)q(\d+)(?:_(\d+))?")
_PREVIEWS = ("survey preview", "spam", "1", "8")
"""`Status` of rows that no participant made: previews (1) and what Qualtrics takes for spam (8)."""
_NO_CHOICE = "0"


def _fits(path: Path, head: bytes) -> bool:
    return not path.is_dir() and b"ImportId" in head and b"ResponseId" in head


def _read(paths: Sequence[Path], study: Study | None, problems: list[Problem]) -> Answers:
    assert study is not None
    returning = Returning(study, problems)
    for path in paths:
        table = parse_csv(read_text(path, holds="an export of Qualtrics"), legible(str(path)), headings=3)
        columns = {heading: found for heading in table.header if (found := _TAG.fullmatch(heading)) is not None}
        if "ResponseId" not in table.header or not columns:
            raise UsageError(
                f"{table.name}: this is no CSV export of a survey that saywhy made: it has no column ResponseId, or no "
                "question such as c1w1p4q1"
            )
        for line, cells in table.records():
            if cells.get("Status", "").strip().casefold() in _PREVIEWS:
                problems.append(Problem(table.name, "the row is a preview or spam, as its Status says", line))
                continue
            _take(returning, columns, cells, table.name, line)
    return returning.answers()


def _take(returning: Returning, columns: Mapping[str, re.Match[str]], cells: Mapping[str, str], where: str, line: int) -> None:
    person = cells["ResponseId"].strip()
    finished = cells.get("Finished", "").strip().casefold() in ("true", "1", "yes")
    returning.join(
        Participant(
            code=person,
            status="complete" if finished else "left",
            started=cells.get("StartDate", ""),
            finished=cells.get("EndDate", "") if finished else "",
        )
    )
    pages: dict[Key, dict[str, Any]] = {}
    for heading, tag in columns.items():
        key = parse_key(tag[1])
        value = cells[heading].strip()
        if key is None or not value:
            continue
        step = returning.step(key)
        if step is None or int(tag[2]) > len(step.questions):
            returning.problems.append(Problem(where, f"the study has no question {heading}", line))
            continue
        question = step.questions[int(tag[2]) - 1]
        responses = pages.setdefault(key, {})
        if tag[3] is not None:  # a column for each choice of a question with several
            if value != _NO_CHOICE:
                responses.setdefault(question.name, []).append(_numbered(question, tag[3]))
        else:
            responses[question.name] = _response(question, value)
    for key, responses in pages.items():
        returning.add(Page(person, key, responses, where, line))


def _response(question: Question, value: str) -> Any:
    if question.kind == "parts":
        return list(_several(question, value))
    if question.kind == "choice" and value not in [one for pair in question.options for one in pair]:
        return _numbered(question, value)
    return value


def _numbered(question: Question, value: str) -> str:
    """The option of a number from 1 on, which is what an export without choice text holds."""
    if value.isdigit() and 1 <= int(value) <= len(question.options):
        return question.options[int(value) - 1][0]
    return value


def _several(question: Question, value: str) -> Iterator[str]:
    """The options in a cell with commas between them, some of which may have commas themselves: the longest that fits first."""
    shown = sorted(((label, known) for known, label in question.options), key=lambda pair: -len(pair[0]))
    rest = value
    while rest:
        fits = next(((label, known) for label, known in shown if rest == label or rest.startswith(f"{label},")), None)
        if fits is None:
            first, _, rest = rest.partition(",")
            yield _numbered(question, first.strip())
            continue
        yield fits[1]
        rest = rest[len(fits[0]) :].removeprefix(",").lstrip()


QUALTRICS = Import("a CSV export of Qualtrics, of a survey that saywhy made", _fits, _read)
