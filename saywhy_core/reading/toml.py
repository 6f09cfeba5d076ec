"""Settings in TOML, read within bounds."""

from __future__ import annotations

import os
import re
import tomllib
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError
from saywhy_core.legible import legible
from saywhy_core.reading.documents import read_text

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 2**20
"""Characters of a file of settings: some thousand times what anyone writes by hand, and a second to read."""
MOST_MARKS = 10_000
"""Keys, brackets and dots in a file of settings: Python's parser makes objects for each."""
DEEPEST = 16
"""Parts of one key, such as a.b.c: Python's parser takes memory for the square of their number."""
_LONGEST = 8192
"""Bits of a whole number, some 2,500 digits: one of more than 4,300 digits can't be written out, not in an error either."""

_QUOTED = re.compile(
    r'''"""(?:\\.|[^\\])*?(?:"""|\\?\Z)|\'\'\'.*?(?:\'\'\'|\Z)|"(?:\\.|[^"\\\n])*"?|'[^'\n]*'?|#[^\n]*''', re.DOTALL
)


def read_toml(path: str | os.PathLike[str] | Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        UsageError: there is no such file, it is not UTF-8, larger than `LARGEST`, nested too deep, or no TOML, or has more than
            `MOST_MARKS` keys, brackets and dots, or more than `DEEPEST` parts in one key.
    """
    text = read_text(path, holds="settings in TOML")
    shown = legible(os.fspath(path))
    if len(text) > LARGEST:
        raise UsageError(f"{shown} has {len(text):,} characters, and settings have at most {LARGEST:,}")
    _check_marks(text, shown)
    try:
        found = tomllib.loads(text)
        _check_numbers(found)
        return found
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{shown} is no TOML: {legible(str(error))}") from None
    except RecursionError:
        raise UsageError(f"{shown} is nested too deep") from None
    except ValueError:
        raise UsageError(f"{shown} holds a whole number of thousands of digits; no option takes one") from None


def _check_numbers(value: object) -> None:
    """See whether each whole number can be written out, in an error, too; hexadecimal ones are read at any length.

    Raises:
        ValueError: one can't.
    """
    if isinstance(value, (dict, list)):
        for one in value.values() if isinstance(value, dict) else value:
            _check_numbers(one)
    elif isinstance(value, int) and value.bit_length() > _LONGEST:
        raise ValueError


def _check_marks(text: str, shown: str) -> None:
    """See how much there is to make of a text, before Python's parser makes it.

    Raises:
        UsageError: too much.
    """
    bare = _QUOTED.sub("_", text)  # dots and brackets in values of text count for nothing
    parts = 1 + max(piece.count(".") for piece in re.split(r"[,=\[\]{}\n]", bare))
    if parts > DEEPEST:
        raise UsageError(f"{shown} has a key of {parts:,} parts, and a key of settings has at most {DEEPEST}")
    marks = sum(map(bare.count, ".=[{,"))
    if marks > MOST_MARKS:
        raise UsageError(f"{shown} has {marks:,} keys, brackets and dots, and settings have at most {MOST_MARKS:,}")
