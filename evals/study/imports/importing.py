"""What an import is, the registry of all of them, and which of them reads a file."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from saywhy_core.errors import UsageError, argument
from saywhy_core.legible import legible
from saywhy_core.reading.documents import open_file
from saywhy_core.registry import Registry

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from evals.study.answers import Answers
    from evals.study.folder import Study
    from saywhy_core.errors import Problem

HEAD = 65_536
"""Bytes of a file that are looked at to tell what it is."""


@dataclass(frozen=True)
class Import:
    """A form of answers.

    Args:
        summary: one line about the form.
        fits: `fits(path, head)`: whether a file or folder has this form; head are the first bytes of a file, and empty for a
            folder.
        read: `read(paths, study, problems)` reads files of this form; study is the opened study or None, and rows that can't
            be used are added to problems, while the others go on.
        judged: whether answers are judged again by the study, which has to be given then, since the platform does not hold
            right answers.
    """

    summary: str
    fits: Callable[[Path, bytes], bool]
    read: Callable[[Sequence[Path], Study | None, list[Problem]], Answers]
    judged: bool = True


IMPORTS: Registry[Import] = Registry(
    "form of answers",
    "saywhy.study_imports",
    {
        "database": "evals.study.imports.database:DATABASE",
        "tidy": "evals.study.imports.tidy:TIDY",
        "jspsych": "evals.study.imports.jspsych:JSPSYCH",
        "jatos": "evals.study.imports.jatos:JATOS",
        "potato": "evals.study.imports.potato:POTATO",
        "label-studio": "evals.study.imports.label_studio:LABEL_STUDIO",
        "qualtrics": "evals.study.imports.qualtrics:QUALTRICS",
    },
    expects=Import,
)


def detect(path: str | os.PathLike[str]) -> str:
    """The name of the form of a file or folder in `IMPORTS`, told from its content.

    Raises:
        UsageError: it has none of them.
    """
    place = Path(path)
    head = b""
    if not place.is_dir():
        with open_file(place) as stream:
            head = stream.read(HEAD)
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise UsageError(
            f"{legible(str(path))} is in UTF-16, as Excel writes 'Unicode text'; save it as 'CSV UTF-8' and give that file"
        )
    for name, one in IMPORTS.usable():
        if one.fits(place, head):
            return name
    raise UsageError(
        f"{legible(str(path))}: no answers of a form that is known ({', '.join(IMPORTS)}); for a table of another form, say "
        f"which column is what by {argument('columns')}"
    )


def read_answers(
    paths: Sequence[str | os.PathLike[str]],
    *,
    study: Study | None = None,
    form: str | None = None,
    columns: str | os.PathLike[str] | None = None,
    problems: list[Problem] | None = None,
) -> Answers:
    """Read answers of any form.

    Args:
        paths: files or folders of one form.
        study: the study that was answered, for forms that hold no right answers.
        form: the name of the form in `IMPORTS`; by default, the content tells it.
        columns: the mapping of columns, for tables of another form.
        problems: where rows that can't be used are noted, while the others go on. Without it, the first is an error.

    Raises:
        UsageError: a file has no known form, files have several forms, the study is missing, or nothing can be used.
    """
    from evals.study.imports.columns import read_columns

    if not paths:
        raise UsageError("no file with answers is given; name one or more")
    if columns is not None:
        if form is not None or study is not None:
            other = argument("form") if form is not None else argument("study")
            raise UsageError(f"{other} has no effect beside {argument('columns')}; leave out one of them")
        return read_columns(paths, columns, problems=problems)
    places = [Path(path).resolve() for path in paths]
    if (twice := next((path for path, place in zip(paths, places, strict=True) if places.count(place) > 1), None)) is not None:
        raise UsageError(f"{legible(str(twice))} is given twice; name each file once")
    forms = {path: form or detect(path) for path in paths}
    chosen = forms[paths[0]]
    if (odd := next((path for path in paths if forms[path] != chosen), None)) is not None:
        raise UsageError(f"{paths[0]} is of the form {chosen} and {odd} of the form {forms[odd]}; give files of one form")
    kind = IMPORTS.get(chosen)
    if kind.judged and study is None:
        raise UsageError(
            f"{paths[0]} is of the form {chosen}, which holds no right answers; name the study by {argument('study')}"
        )
    if not kind.judged and study is not None:
        raise UsageError(f"{paths[0]} is of the form {chosen}, which needs no study; leave out {argument('study')}")
    noted: list[Problem] = []
    answers = kind.read([Path(path) for path in paths], study, noted)
    if noted and (problems is None or not answers.rows):
        raise UsageError(str(noted[0]))
    if problems is not None:
        problems += noted
    return answers
