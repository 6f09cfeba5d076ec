"""Rows of CSV, the same way for every table that is written: a cell stays one cell, and no spreadsheet computes it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SPECIAL = re.compile(r'[",;\t\r\n]|^\s|\s\Z')
_FORMULA = re.compile(r"'*(?:\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])")
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")


def csv_row(cells: Iterable[object]) -> str:
    """The line of a row, with its line end. `None` is an empty cell.

    A cell is quoted where it holds a quotation mark, a comma, a semicolon, a tab or any line end, or begins or ends with white
    space. Python's writer leaves a carriage return alone, which its reader takes for the end of the row.

    A text that a spreadsheet would take for a formula gets an apostrophe in front, as spreadsheets themselves mark a text: one
    that begins with `=`, `+`, `-` or `@`, also behind white space or apostrophes, or with a tab or a line end, and is no
    number. `text_of` gives the text again.
    """
    written = [_cell(cell) for cell in cells]
    return '""\n' if written == [""] else ",".join(written) + "\n"  # an empty line would be no row


def text_of(cell: str) -> str:
    """The text of a cell that `csv_row` wrote: without the apostrophe that it put in front of what looks like a formula."""
    return cell[1:] if cell.startswith("'") and _computed(cell[1:]) else cell


def _computed(text: str) -> bool:
    return _FORMULA.match(text) is not None and not _NUMBER.fullmatch(text)


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    if isinstance(value, str) and _computed(text):
        text = f"'{text}"
    return '"{}"'.format(text.replace('"', '""')) if _SPECIAL.search(text) else text
