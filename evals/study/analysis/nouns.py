"""What an analysis found: tables of numbers, and sentences whose numbers are cells of these tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from saywhy_core.csv_rows import csv_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from evals.study.analysis.exclusions import Flow

VERSION = 1
"""The version of `results.json`. 1: first."""

Value = str | float | int | None


@dataclass(frozen=True)
class Table:
    """A table of the analysis, which is also a CSV file and a part of `results.json`.

    Attributes:
        name: of the file without ".csv", such as "accuracy".
        title: for people.
        columns: the names of the columns.
        rows: each a value per column; None where a number can't be had.
        note: how the numbers were made, in sentences.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Value], ...]
    note: str = ""

    def to_csv(self) -> str:
        """The table with a line of column names; None is an empty cell, and no spreadsheet computes a text."""
        return csv_row(self.columns) + "".join(csv_row(row[name] for name in self.columns) for row in self.rows)


def table(name: str, title: str, columns: Iterable[str], rows: Iterable[Mapping[str, Any]], note: str = "") -> Table:
    """A table with its numbers rounded to six significant digits, so that every file holds the same."""
    names = tuple(columns)
    return Table(name, title, names, tuple({one: rounded(row.get(one)) for one in names} for row in rows), note)


def rounded(value: Any) -> Value:
    """A value as tables hold it: six significant digits, and None for what is no number."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (bool, int)):
        return int(value)
    number = float(value)
    if number != number or number in (float("inf"), float("-inf")):
        return None
    return float(f"{number:.6g}")


@dataclass(frozen=True)
class Figure:
    """A number in a sentence, and the cell that it comes from.

    Attributes:
        text: as the sentence says it, such as "90.8 %".
        table: the name of the table.
        row: the row, from 0.
        column: the column.
    """

    text: str
    table: str
    row: int
    column: str

    @property
    def anchor(self) -> str:
        """The id of the cell on the report page."""
        return f"{self.table}-{self.row + 1}-{self.column}"


@dataclass(frozen=True)
class Name:
    """A name in a sentence: it may hold digits that are no number.

    Attributes:
        text: the name.
        set_off: whether it is set in another type: the name of a condition such as "none" could be read as a word.
    """

    text: str
    set_off: bool = True


@dataclass(frozen=True)
class Sentence:
    """One or more sentences, whose numbers are all `Figure`s."""

    parts: tuple[str | Figure | Name, ...]

    def __str__(self) -> str:
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The numbers."""
        return tuple(part for part in self.parts if isinstance(part, Figure))

    def to_record(self) -> dict[str, Any]:
        """The text, and where each of its numbers comes from."""
        return {
            "text": str(self),
            "numbers": [{"text": one.text, "table": one.table, "row": one.row, "column": one.column} for one in self.figures],
        }


@dataclass(frozen=True)
class Paragraph:
    """Sentences under a heading, such as those about one task."""

    heading: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True)
class Analysis:
    """Everything that an analysis found, once; every file is made of it.

    Attributes:
        title: of the study.
        people: whether people answered; otherwise simulated participants did.
        settings: what was asked for: alpha, resamples, reference, exclusion rules, seed.
        flow: who was analysed.
        tables: by name.
        paragraphs: the results in words.
        limits: what the methods can't say here, in sentences.
        tidy: the analysed answers as CSV.
        script: the R script that computes the models from `tidy.csv`.
    """

    title: str
    people: bool
    settings: Mapping[str, Any]
    flow: Flow
    tables: Mapping[str, Table]
    paragraphs: tuple[Paragraph, ...]
    limits: tuple[str, ...]
    tidy: str
    script: str

    def to_record(self) -> dict[str, Any]:
        """The content of `results.json`."""
        return {
            "version": VERSION,
            "title": self.title,
            "participants": "people" if self.people else "simulated",
            "settings": dict(self.settings),
            "flow": [{"name": one.name, "participants": one.participants, "kept": one.kept} for one in self.flow.stages],
            "tables": {
                name: {"title": one.title, "note": one.note, "rows": [dict(row) for row in one.rows]}
                for name, one in self.tables.items()
            },
            "paragraphs": [
                {"heading": one.heading, "sentences": [sentence.to_record() for sentence in one.sentences]}
                for one in self.paragraphs
            ],
            "limits": list(self.limits),
        }
