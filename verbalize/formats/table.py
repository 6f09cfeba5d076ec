"""CSV and TSV: one word per row with its score. Columns of ids and labels say which rows are one map."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from saywhy_core.errors import Problem, UsageError
from saywhy_core.reading.ceilings import ceiling, check_ceiling, over
from saywhy_core.reading.documents import decode_lines, encoding_of, has_other_bytes, read_bytes
from saywhy_core.reading.records import told
from verbalize.formats.columns import Columns, check_joined, find_columns
from verbalize.formats.format import Format, ReadOptions, parse_signed
from verbalize.formats.word_lists import read_words
from verbalize.saliency import Prediction, SaliencyError, SpecialToken, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from verbalize.saliency import Saliency

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_EMPTY = [""]
_BARE_QUOTE = re.compile(r'(?:^|[\t\r\n])"(?=[\t\r\n]|$)')
_LINES_OF_A_ROW = 1000  # a cell of a text may have many lines; behind a mark that was not closed stands the rest of the file
_ROW = 2.5  # a row takes as much memory as so many cells, besides its own
_LOOKS = 4
_SHARED_MOST = 50_000  # different cells that are remembered
_SHARED = 32  # characters; shorter cells that are equal are kept once
_LISTED = 12  # names of columns in a remark
_WRONG = "a cell can't be used"
_OTHER_BYTES = "the row is not UTF-8 text; save the file as UTF-8"
_BIAS = "<BIAS>"  # eli5's name of the intercept, which is no word


@dataclass(frozen=True, slots=True)
class _Row:
    token: str
    score: float
    position: float | None


@dataclass
class _Group:
    """The rows of one map: those with one id and one label."""

    text_key: object
    id: str | None
    label: str | None
    line: int | None
    rows: list[_Row] = field(default_factory=list)
    text: str | None = None
    probability: str | None = None
    predicted: str | None = None
    signed: bool | None = None
    problem: Problem | None = None


def _read_file(path: Path, options: ReadOptions) -> Iterator[Saliency | Problem]:
    yield from read_table(decoded(read_bytes(path), str(path)), str(path), options)


def decoded(data: bytes, source: str) -> str:
    """The text of a table in UTF-8, with or without a byte order mark, or in UTF-16 with one.

    Bytes that are no UTF-8 stay in it (`saywhy_core.reading.documents.decode_lines`); `read_rows` tells of them.

    Raises:
        SaliencyError: it is in another encoding.
    """
    try:
        return data.decode("utf-16") if encoding_of(data) == "UTF-16" else decode_lines(data, source)
    except UnicodeDecodeError as error:
        raise SaliencyError(f"{source} is no UTF-16 text: {error.reason} at byte {error.start}; save it as UTF-8") from None
    except UsageError as error:
        raise SaliencyError(str(error)) from None


def read_table(text: str, source: str, options: ReadOptions) -> Iterator[Saliency | Problem]:
    """The maps of a table in CSV or TSV. A row that can't be read makes a problem of its map; the other maps are read."""
    yield from read_rows(list(_cells(text, source)), source, options)


def read_rows(
    rows: Sequence[tuple[int | None, Sequence[str]]], source: str, options: ReadOptions
) -> Iterator[TokenSaliency | Problem]:
    """The maps of the rows of a table, of which the first names the columns.

    Args:
        rows: (line, cells) of each row, without a line where the table is in no file; an empty row has no cells.
        source: the name of the table, for problems.
        options: what the caller knows.
    """
    filled = [row for _, row in rows if row]
    if not filled:
        raise SaliencyError(f"{source}: the table holds no rows")
    looks = len(filled) * len(filled[0])  # what the columns mean is found out by looking at each in each row
    if looks > _LOOKS * ceiling("values"):
        raise SaliencyError(over("values", f"{source} has {len(filled):,} rows of up to {len(filled[0]):,} columns", looks))
    columns = find_columns(filled, source)
    _check_bytes(rows, filled[0], columns, source)
    if columns.unread:
        listed = [f"{name!r:.80}" for name in columns.unread[:_LISTED]] + ["..."] * (len(columns.unread) > _LISTED)
        options.note(f"not read: the column{'s' * (len(columns.unread) > 1)} {', '.join(listed)}")
    if columns.header:
        header = next(number for number, (_, row) in enumerate(rows) if row)
        rows = rows[header + 1 :]
        if not columns.ids and not columns.text_names and all(row for _, row in _within(rows)):
            check_joined(filled[1:], columns, filled[0], source)
        rows = _filled_down(rows, columns.ids)
    if not any(row for _, row in rows):
        raise SaliencyError(f"{source}: the table holds no rows")
    of_one_text: dict[object, list[_Group]] = {}
    for group in _groups(rows, columns, source):
        of_one_text.setdefault(group.text_key, []).append(group)
    for groups in of_one_text.values():
        several = len(groups) > 1
        wrong = _contradiction(groups) if several and not columns.ranked else ""
        try:
            if wrong:
                raise SaliencyError(wrong)
            with told(SaliencyError, _WRONG):
                names = [options.class_name(group.label) for group in groups]
                chosen = options.chosen(names) if several else [0]
        except SaliencyError as error:
            yield Problem(source, str(error), groups[0].line, groups[0].id)
            continue
        for number in chosen:
            yield _read_group(groups[number], columns, options, source, several)


def _read_group(group: _Group, columns: Columns, options: ReadOptions, source: str, several: bool) -> TokenSaliency | Problem:
    if group.problem:
        return group.problem
    try:
        with told(SaliencyError, _WRONG):
            check_ceiling("tokens", len(group.rows), "the map")
            return _map(group, columns, options, several)
    except SaliencyError as error:
        return Problem(source, str(error), group.line, group.id)


def _check_bytes(rows: Sequence[tuple[int | None, Sequence[str]]], first: Sequence[str], columns: Columns, source: str) -> None:
    """See whether of each row with bytes that are no UTF-8 it is known which map it belongs to; then only that map is refused.

    Raises:
        SaliencyError: they stand in the first row, in the name or the label of a text, or in a row with another number of
            cells, where the wrong byte may have been the end of a cell or a row.
    """
    name = {*columns.ids, columns.places.get("label"), columns.places.get("text") if columns.text_names else None}
    for line, row in rows:
        if has_other_bytes("".join(row)):
            wrong = {place for place, cell in enumerate(row) if has_other_bytes(cell)}
            if row is first or len(row) != len(first) or wrong & name:
                raise SaliencyError(
                    f"{source} is not UTF-8 text: line {line} holds other bytes, and it can't be told which maps miss a word; "
                    "save it as UTF-8"
                )


class _Lines:
    """The lines of a text, of which those that were taken last can be given back."""

    def __init__(self, text: str) -> None:
        self._found = _LINE.finditer(text)
        self._back: list[str] = []
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._back.pop() if self._back else next(self._found)[0]
        self.taken.append(line)
        if len(self.taken) > _LINES_OF_A_ROW:
            raise csv.Error("a quotation mark is opened and not closed")
        return line

    def give_back(self) -> str:
        """Give back all lines since the last row but the first, which is returned."""
        first, *others = self.taken
        self._back += reversed(others)
        self.taken.clear()
        return first


def _cells(text: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of each row; an empty row is an empty list.

    A row that opens a quotation mark and does not close it would swallow the rows below it. It keeps the cells before the mark.
    """
    first = (_LINE.search(text.lstrip("\r\n")) or _EMPTY)[0]
    delimiter = max(",;\t", key=first.count)
    _check_size(text, delimiter, source)
    # a bare quotation mark is a word of the text, as NLTK and pandas can write it
    bare = delimiter == "\t" and _BARE_QUOTE.search(text) is not None
    lines, number = _Lines(text), 0
    shared: dict[str, str] = {}
    while True:
        reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE if bare else csv.QUOTE_MINIMAL)
        try:
            for row in reader:
                if len(lines.taken) > 1 and _is_open(lines.taken, delimiter):
                    break
                number += len(lines.taken)
                lines.taken.clear()
                if len(shared) > _SHARED_MOST:
                    shared.clear()
                cells = [shared.setdefault(cell, cell) if len(cell) < _SHARED else cell for cell in row]
                yield number, cells if any(cell.strip() for cell in row) else []
            else:
                return
        except csv.Error:
            if not lines.taken:
                return
        broken = lines.give_back()
        number += 1
        yield number, broken.split('"')[0].split(delimiter)[:-1] or [broken.strip()]


def _is_open(lines: Sequence[str], delimiter: str) -> bool:
    """Whether the text of a row ends within quotation marks, as only that of a last row can."""
    try:
        list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "end of data" in str(error)
    return False


def _check_size(text: str, delimiter: str, source: str) -> None:
    cells = text.count(delimiter) + int(_ROW * (text.count("\n") + text.count("\r")))
    if cells > ceiling("values"):
        raise SaliencyError(
            over("values", f"{source} has up to {cells:,} cells, of which each row counts for {_ROW} more", cells)
        )


def _within(rows: Sequence[tuple[int | None, Sequence[str]]]) -> Sequence[tuple[int | None, Sequence[str]]]:
    """The rows without the empty ones at either end."""
    places = [number for number, (_, row) in enumerate(rows) if row]
    return rows[places[0] : places[-1] + 1] if places else ()


def _filled_down(
    rows: Sequence[tuple[int | None, Sequence[str]]], ids: Sequence[int]
) -> list[tuple[int | None, Sequence[str]]]:
    """The rows, where an id that is left blank is that of the row above, as in tables whose texts are named once."""
    if not ids:
        return list(rows)
    filled: list[tuple[int | None, Sequence[str]]] = []
    above: dict[int, str] = {}
    for line, row in rows:
        cells = row
        for place in ids:
            if place >= len(row):
                continue
            if row[place].strip():
                above[place] = row[place]
            elif place in above:
                cells = list(cells) if cells is row else cells
                cells[place] = above[place]  # type: ignore[index]
        filled.append((line, cells))
    return filled


def _number(cell: str) -> float:
    """The number in a cell.

    Raises:
        ValueError: it is none; the message says how to write one.
    """
    try:
        return float(cell)
    except ValueError:
        hint = ""
        if re.fullmatch(r"[-+]?\d+,\d+", cell):
            hint = f"; write it with a point ({cell.replace(',', '.')})"
        elif re.fullmatch(r"[-+]?[\d.,]+\s*%", cell):
            hint = "; write it as a number without the sign %"
        raise ValueError(f"the score {cell!r:.80} is not a number{hint}") from None


def _groups(body: Sequence[tuple[int | None, Sequence[str]]], columns: Columns, source: str) -> list[_Group]:
    """The maps of the rows, in the order of their first rows. Where nothing names a text, an empty row ends it."""
    groups: dict[object, _Group] = {}
    block = 0
    for line, row in body:
        if not row:
            block += 1
            continue
        name, label = columns.id_of(row), columns.cell(row, "label")
        key = name if name is not None else columns.cell(row, "text") if columns.text_names else block
        group = groups.setdefault((key, label), _Group(key, name, label, line))
        if has_other_bytes("".join(row)):
            group.problem = group.problem or Problem(source, _OTHER_BYTES, line, name)
            continue
        try:
            group.rows.append(_row(row, columns))
        except (ValueError, OverflowError) as error:
            group.problem = group.problem or Problem(source, f"no word and score: {error}", line, name)
        try:
            signed = parse_signed(columns.cell(row, "signed"))
            if None is not group.signed != signed is not None:
                raise SaliencyError("the rows of one text say both that its scores are signed and that they are not")
        except SaliencyError as error:
            group.problem = group.problem or Problem(source, str(error), line, name)
        else:
            group.signed = group.signed if signed is None else signed
        for field_name in ("text", "probability", "predicted"):
            if getattr(group, field_name) is None:
                setattr(group, field_name, columns.cell(row, field_name))
    return list(groups.values())


def _row(row: Sequence[str], columns: Columns) -> _Row:
    token, score, position = columns.cell(row, "token", blank=True), columns.cell(row, "score"), columns.cell(row, "position")
    if token is None or score is None:
        raise ValueError(f"the row has {len(row)} cells, too few" if token is None else "the score is empty")
    return _Row(token, _number(score), None if position is None else float(position))


def _contradiction(groups: list[_Group]) -> str:
    """What is wrong with a text that has several labels, or nothing where these are several outputs of a model.

    Outputs of one text list the same words for each label. A column of labels that differ from word to word (tags of entities,
    for example) does not say what the scores speak for.
    """
    words = {tuple(sorted(row.token for row in group.rows)) for group in groups}
    if len(words) == 1 or all(_BIAS in tokens for tokens in words):  # eli5 lists for each label the words that count there
        return ""
    labels = ", ".join(repr(group.label) for group in groups[:4])
    whose = "one text" if groups[0].id is None else repr(groups[0].id)
    return (
        f"the rows of {whose} carry several labels ({labels}) for different words, but a map speaks for one label; give each "
        "text an id of its own, or take the column out if it tags the words"
    )


def _map(group: _Group, columns: Columns, options: ReadOptions, several: bool) -> TokenSaliency:
    rows = group.rows
    in_order = None if columns.in_order else False
    if rows and all(row.position is not None for row in rows):
        if len({row.position for row in rows}) < len(rows):
            raise SaliencyError("the positions of the words start anew; give each text an id of its own")
        rows, in_order = sorted(rows, key=lambda row: row.position or 0.0), True
    words = [row for row in rows if row.token != _BIAS]
    query = options.query(group.label)
    name = group.id
    if several and group.label is not None:
        name = ".".join(part for part in (group.id, group.label) if part)
    return read_words(
        [row.token for row in words],
        [row.score for row in words],
        query,
        options,
        text=group.text,
        in_order=in_order,
        signed=False if columns.magnitude else group.signed,
        id=name,
        prediction=_prediction(group, query.label, options),
        special=[SpecialToken(_BIAS, row.score, 0) for row in rows if row.token == _BIAS],
    )


def _prediction(group: _Group, label: str, options: ReadOptions) -> Prediction | None:
    """The prediction that the table states. A probability alone is that of the label that the scores speak for."""
    predicted = label if group.predicted is None else options.class_name(group.predicted)
    if group.probability is None and group.predicted is None:
        return None
    if group.probability is None:
        return Prediction(predicted)
    if group.predicted is None:  # whose probability it is, and whether the label won, the table does not say
        return None
    return Prediction(predicted, float(group.probability))


FORMAT = Format(
    "csv",
    "CSV or TSV with a word and its score per row (and columns of ids, labels, texts, positions)",
    suffixes=(".csv", ".tsv"),
    read_file=_read_file,
)
