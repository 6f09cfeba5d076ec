"""Tables of answers as files hold them: CSV, TSV, JSON and JSON Lines, with the line of each row."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError
from saywhy_core.legible import legible
from saywhy_core.reading.ceilings import check_ceiling
from saywhy_core.reading.documents import parse_json, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from evals.study.imports.mapping import Column

DELIMITERS = ",;\t|"
_LOOKED_AT = 30  # rows: enough to tell a delimiter from a sign in a text


@dataclass(frozen=True)
class Table:
    """A table as its file holds it.

    Attributes:
        name: the file, as errors name it.
        header: the headings of its columns.
        rows: the cells of each row, as many as there are headings.
        lines: the line of the file where each row begins, from 1.
    """

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    def records(self) -> Iterator[tuple[int, dict[str, str]]]:
        """The line of each row, and its cells by heading. Of headings that stand twice, the last counts."""
        for line, row in zip(self.lines, self.rows, strict=True):
            yield line, dict(zip(self.header, row, strict=True))


def read_table(path: str | os.PathLike[str]) -> Table:
    """Read a table of CSV, TSV, JSON (a list of flat objects) or JSON Lines; what it is, its content tells.

    Raises:
        UsageError: it is none of these, or a row has more cells than there are headings; the line is named.
    """
    return parse_table(read_text(path, holds="a table of answers"), legible(os.fspath(path)))


def parse_table(text: str, name: str) -> Table:
    """As `read_table`, of a text; `name` is what errors call it."""
    if not text.strip():
        raise UsageError(f"{name} is empty; give a table with a line of headings")
    return _with_parts(_of_objects(text, name) if text.lstrip()[0] in "[{" else parse_csv(text, name))


def _with_parts(table: Table) -> Table:
    """The table with a column more for each key of columns that hold JSON objects: jsPsych's "response" gives "response.Q0"."""
    found: dict[str, list[str]] = {}
    for place, heading in enumerate(table.header):
        cells = [row[place].strip() for row in table.rows]
        for number, text in enumerate(cells):
            for key, value in _parts(text).items():
                found.setdefault(f"{heading}.{key}", [""] * len(cells))[number] = cell(value)
    added = {name: cells for name, cells in found.items() if name not in table.header}
    if not added:
        return table
    rows = tuple((*row, *(cells[number] for cells in added.values())) for number, row in enumerate(table.rows))
    return Table(table.name, (*table.header, *added), rows, table.lines)


def _parts(text: str) -> dict[str, Any]:
    if not text.startswith("{"):
        return {}
    try:
        found = parse_json(text)
    except UsageError:
        return {}
    return found if isinstance(found, dict) else {}


def parse_csv(text: str, name: str, *, headings: int = 1) -> Table:
    """The table of a CSV text, whose delimiter is told from its first rows.

    Args:
        text: the text.
        name: what errors call it.
        headings: how many rows stand before the answers; the first has the names of the columns.
    """
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    header: tuple[str, ...] = ()
    for number, (line, row) in enumerate(_csv_rows(text, name)):
        if number == 0:
            header = tuple(row)
            continue
        if number < headings or not any(cell.strip() for cell in row):
            continue
        if len(row) > len(header):
            raise UsageError(f"{name}, line {line}: this row has {len(row)} cells, and there are {len(header)} headings")
        rows.append((*row, *("",) * (len(header) - len(row))))
        lines.append(line)
    check_ceiling("records", len(rows), name)
    return Table(name, header, tuple(rows), tuple(lines))


def _csv_rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    before = 0
    try:
        for row in reader:
            yield before + 1, row
            before = reader.line_num
    except csv.Error as error:
        raise UsageError(f"{name}, line {before + 1}: this is no row of CSV ({error})") from None


def _delimiter(text: str) -> str:
    """The delimiter under which most of the first rows have as many cells as the first; then, under which these are most."""

    def regular(delimiter: str) -> tuple[float, int]:
        try:
            rows = list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), _LOOKED_AT))
        except csv.Error:
            return 0.0, 0
        cells = len(rows[0]) if rows else 0
        return (sum(len(row) == cells for row in rows) / len(rows) if cells > 1 else 0.0), cells

    return max(DELIMITERS, key=regular)


def _of_objects(text: str, name: str) -> Table:
    found = _objects(text, name)
    check_ceiling("records", len(found), name)
    header = tuple(dict.fromkeys(key for _, one in found for key in one))
    return Table(
        name,
        header,
        tuple(tuple(cell(one.get(key)) for key in header) for _, one in found),
        tuple(line for line, _ in found),
    )


def _objects(text: str, name: str) -> list[tuple[int, dict[str, Any]]]:
    """The objects of a JSON list, or of JSON Lines, with their lines (of a list: the number of the object)."""
    lines = text.splitlines()
    if text.lstrip().startswith("{"):
        found = [(number, parse_json(line, f"{name}, line {number}")) for number, line in enumerate(lines, 1) if line.strip()]
    else:
        found = list(enumerate(parse_json(text, name), 1))
    for number, one in found:
        if not isinstance(one, dict):
            raise UsageError(f"{name}, record {number}: this is no object with a value for each column")
    return found


def cell(value: Any) -> str:
    """A value of JSON as the cell of a table."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def plain(heading: str) -> str:
    """A heading as headings are compared: one space for any white space, and lower case."""
    return " ".join(heading.split()).casefold()


def find_column(table: Table, column: Column, what: str) -> int | None:
    """The place of a column in a table; None where it has none.

    Raises:
        UsageError: several columns fit; `what` says what is looked for.
    """
    headings = [plain(one) for one in table.header]
    if isinstance(column, (str, list)):
        names: Sequence[str] = [column] if isinstance(column, str) else column
        candidates = [[place for place, one in enumerate(headings) if one == plain(name)] for name in names]
    elif column.named is not None:
        return find_column(table, column.named, what)
    elif column.matches is not None:
        pattern = re.compile(column.matches, re.IGNORECASE)
        candidates = [[place for place, one in enumerate(table.header) if pattern.search(" ".join(one.split()))]]
    else:
        wanted = [plain(word) for word in column.words or ()]
        candidates = [[place for place, one in enumerate(headings) if all(_has(one, word) for word in wanted)]]
    for places in candidates:
        if len(places) > 1:
            both = " and ".join(repr(" ".join(table.header[place].split())) for place in places[:2])
            raise UsageError(f"{table.name}: the headings {both} both fit {shown(column)} for {what}; make the mapping exact")
        if places:
            return places[0]
    return None


def need_column(table: Table, column: Column, what: str) -> int:
    """As `find_column`.

    Raises:
        UsageError: there is none, or several.
    """
    if (found := find_column(table, column, what)) is None:
        known = ", ".join(repr(" ".join(one.split())) for one in table.header[:12])
        raise UsageError(f"{table.name}: no heading fits {shown(column)} for {what}; the headings are {known}")
    return found


def shown(column: Column) -> str:
    """A column of a mapping, in words."""
    if isinstance(column, str):
        return repr(column)
    if isinstance(column, list):
        return " or ".join(map(repr, column))
    if column.named is not None:
        return shown(column.named)
    return f"the pattern {column.matches!r}" if column.matches is not None else f"the words {', '.join(column.words or ())}"


def _has(heading: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", heading) is not None
