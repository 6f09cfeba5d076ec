"""A table of results, as rows, Markdown, CSV or a data frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from saywhy_core.csv_rows import csv_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pandas import DataFrame


@dataclass(frozen=True)
class Table:
    """Rows of named values, and a summary of them.

    Every row has a value for every name in `columns`, in that order. `str(table)` is Markdown, and `frame` is a pandas
    DataFrame.
    """

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    summary: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter(self.rows)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return self.rows[index]

    def __str__(self) -> str:
        return self.to_markdown()

    def column(self, name: str) -> list[Any]:
        """The values of one column."""
        return [row[name] for row in self.rows]

    @property
    def frame(self) -> DataFrame:
        """The rows as a pandas DataFrame, with the columns in the order of the table. `None` becomes a missing value."""
        from pandas import DataFrame  # pandas takes a second to load

        return DataFrame.from_records([dict(row) for row in self.rows], columns=list(self.columns))

    def to_markdown(self) -> str:
        """The rows as a Markdown table with aligned columns."""
        cells = [[_shown(row[name]) for name in self.columns] for row in self.rows]
        widths = [max(len(text) for text in column) for column in zip(self.columns, *cells, strict=True)]
        lines = [_line(self.columns, widths), _line(["-" * width for width in widths], widths)]
        return "\n".join([*lines, *(_line(row, widths) for row in cells)])

    def to_csv(self) -> str:
        """The rows as CSV, with unrounded numbers, and texts that no spreadsheet computes (`saywhy_core.csv_rows`)."""
        return "".join(csv_row(cells) for cells in (self.columns, *([row[name] for name in self.columns] for row in self.rows)))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
