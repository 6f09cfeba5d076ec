"""CSV and TSV: one word per row with its score; a column `id` groups the rows of several texts."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from saywhy_core.errors import Problem
from verbalize.formats.format import Format, ReadOptions
from verbalize.saliency import SaliencyError, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

    from verbalize.saliency import Saliency

_COLUMNS = {
    "token": ("token", "tokens", "word", "words", "piece", "feature"),
    "score": ("score", "scores", "attribution", "attributions", "saliency", "importance", "value"),
    "id": ("id", "record", "sample", "idx"),
    "label": ("label", "class", "prediction"),
    "text": ("text",),
}


@dataclass
class _Group:
    line: int
    tokens: list[str] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    label: str | None = None
    text: str | None = None
    problem: Problem | None = None


def _read_file(path: Path, options: ReadOptions) -> Iterator[Saliency | Problem]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        yield from _read(stream, str(path), options)


def _read(stream: TextIO, source: str, options: ReadOptions) -> Iterator[Saliency | Problem]:
    """The maps of a table. A row that can't be read makes a problem of its text; the other texts are read."""
    groups: dict[str, _Group] = {}
    for name, group in _rows(stream, source, groups, options):
        groups.setdefault(name, group)
    if not groups:
        raise SaliencyError(f"{source}: the table holds no rows")
    for name, group in groups.items():
        if group.problem:
            yield group.problem
            continue
        try:
            yield TokenSaliency.from_pieces(
                group.tokens, group.scores, options.query(group.label), text=group.text or None, id=name or None
            )
        except SaliencyError as error:
            yield Problem(source, str(error), group.line, name or None)


def _rows(stream: TextIO, source: str, groups: dict[str, _Group], options: ReadOptions) -> Iterator[tuple[str, _Group]]:
    sample = stream.read(8192)
    stream.seek(0)
    delimiter = max(",;\t", key=sample.partition("\n")[0].count)
    reader = csv.reader(stream, delimiter=delimiter)
    columns: dict[str, int] | None = None
    try:
        for row in reader:
            if not row:
                continue
            if columns is None:
                columns, is_header = _columns(row, source)
                if is_header:
                    unread = [cell for place, cell in enumerate(row) if place not in columns.values()]
                    if unread:
                        options.note(f"not read: the column{'s' * (len(unread) > 1)} {', '.join(map(repr, unread))}")
                    continue
            name = _cell(row, columns, "id") or ""
            group = groups.get(name) or _Group(reader.line_num)
            yield name, group
            _add(row, columns, group, Problem(source, "", reader.line_num, name or None))
    except (csv.Error, UnicodeDecodeError) as error:
        raise SaliencyError(f"{source}, line {reader.line_num}: the table can't be read: {error}") from None


def _columns(row: list[str], source: str) -> tuple[dict[str, int], bool]:
    names = [cell.strip().casefold() for cell in row]
    found = {column: names.index(word) for column, words in _COLUMNS.items() for word in words if word in names}
    if "token" in found and "score" in found:
        return found, True
    if len(row) == 2:
        try:
            float(row[1])
        except ValueError:
            pass
        else:
            return {"token": 0, "score": 1}, False
    raise SaliencyError(f"{source}: the table needs columns 'token' and 'score' in its first line, which is {row!r:.100}")


def _cell(row: list[str], columns: dict[str, int], name: str) -> str | None:
    index = columns.get(name)
    return row[index] if index is not None and index < len(row) else None


def _add(row: list[str], columns: dict[str, int], group: _Group, where: Problem) -> None:
    token, score = _cell(row, columns, "token"), _cell(row, columns, "score")
    try:
        if token is None or score is None:
            raise ValueError(f"the row has {len(row)} cells, too few")
        group.scores.append(float(score))
        group.tokens.append(token)
    except ValueError as error:
        group.problem = group.problem or Problem(where.where, f"no word and score: {error}", where.line, where.id)
    group.label = group.label or _cell(row, columns, "label")
    group.text = group.text or _cell(row, columns, "text")


FORMAT = Format(
    "csv", "CSV or TSV with columns token and score (id, label, text)", suffixes=(".csv", ".tsv"), read_file=_read_file
)
