"""JATOS' results: a text with the data of one result per line, or a zip (`.jrzip` or `.zip`) with a `data.txt` for each."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import TYPE_CHECKING

from evals.study.flow.returning import Returning
from evals.study.imports.importing import Import
from evals.study.imports.jspsych import is_handed_over, take_all
from saywhy_core.errors import Problem, UsageError
from saywhy_core.legible import legible
from saywhy_core.reading.ceilings import ceiling, check_ceiling
from saywhy_core.reading.documents import decode_text, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from evals.study.answers import Answers
    from evals.study.folder import Study

_DATA = re.compile(r"(?:^|/)(?:data\.txt|[^/]*\.(?:json|txt))$")
_OWN = "metadata.json"
_ZIP = b"PK\x03\x04"


def _fits(path: Path, head: bytes) -> bool:
    if path.is_dir() or not head.startswith(_ZIP):
        return False
    try:
        with zipfile.ZipFile(path) as packed:
            return any(_DATA.search(name) for name in packed.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def _read(paths: Sequence[Path], study: Study | None, problems: list[Problem]) -> Answers:
    assert study is not None
    returning = Returning(study, problems)
    for path in paths:
        found = False
        for where, text in _texts(path):
            if not text.strip():
                continue
            if not is_handed_over(text[:2000].encode()):
                problems.append(Problem(where, "the result holds nothing of saywhy's pages"))
                continue
            found = True
            try:
                take_all(returning, text, where)
            except UsageError as error:
                problems.append(Problem(where, str(error)))
        if not found and not problems:
            raise UsageError(f"{legible(str(path))} holds no result with data; export the results with their data")
    return returning.answers()


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    data = read_bytes(path, holds="results of JATOS")
    shown = legible(str(path))
    if not data.startswith(_ZIP):
        yield shown, decode_text(data, shown)
        return
    for name, content in _unpacked(data, shown):
        where = f"{shown}, {legible(name)}"
        yield where, decode_text(content, where)


def _unpacked(data: bytes, shown: str) -> list[tuple[str, bytes]]:
    """The results of a zip by name, held in memory within the ceiling: nothing is written to the disk."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            names = [one for one in packed.infolist() if _DATA.search(one.filename) and not one.filename.endswith(_OWN)]
            size = sum(one.file_size for one in names)
            if size <= ceiling("bytes"):
                return [(one.filename, packed.read(one)) for one in names]
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        ValueError,
        OSError,
    ) as error:
        raise UsageError(f"{shown} can't be unpacked: {legible(str(error))}; export the results again") from None
    check_ceiling("bytes", size, shown)
    return []


JATOS = Import("results of JATOS, as a zip", _fits, _read)
