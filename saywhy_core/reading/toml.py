"""Settings in TOML, read within bounds."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError
from saywhy_core.legible import legible
from saywhy_core.reading.documents import read_text

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 2**20
"""Characters of a file of settings: some thousand times what anyone writes by hand, and a second to read."""


def read_toml(path: str | os.PathLike[str] | Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        UsageError: there is no such file, it is not UTF-8, larger than `LARGEST`, nested too deep, or no TOML.
    """
    text = read_text(path, holds="settings in TOML")
    shown = legible(os.fspath(path))
    if len(text) > LARGEST:
        raise UsageError(f"{shown} has {len(text):,} characters, and settings have at most {LARGEST:,}")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{shown} is no TOML: {legible(str(error))}") from None
    except RecursionError:
        raise UsageError(f"{shown} is nested too deep") from None
    except ValueError:
        raise UsageError(f"{shown} holds a whole number of thousands of digits") from None
