"""The database of saywhy's own server, `answers.db`, or `simulated.db` of a dry run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.study.answers import Answers
from evals.study.imports.importing import Import
from evals.study.server.store import read_answers
from saywhy_core.errors import Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from evals.study.answers import Answer, Participant
    from evals.study.folder import Study

_HEAD = b"SQLite format 3\x00"


def _fits(path: Path, head: bytes) -> bool:
    return not path.is_dir() and head.startswith(_HEAD)


def _read(paths: Sequence[Path], study: Study | None, problems: list[Problem]) -> Answers:
    assert study is not None
    rows: list[Answer] = []
    items: dict[str, Mapping[str, str]] = {}
    people: dict[str, Participant] = {}
    for path in paths:
        found = read_answers(study, path)
        if both := set(people) & set(found.participants):
            raise UsageError(f"participant {min(both)!r} is in {path} and in a database before it; give each database once")
        rows += found.rows
        people |= found.participants
        items.update(found.items)
    if not people:
        problems.append(Problem(str(paths[0]), "nobody who consented is in the database yet"))
    return Answers(tuple(rows), people, items)


DATABASE = Import("the database of saywhy's server", _fits, _read)
