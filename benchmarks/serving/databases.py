"""Two databases of audits, compared: all tables, all columns, and the arrays."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BEGUN = ("created",)  # it differs between any two audits
OF_A_PLACE = ("folder", "target")  # settings that say where the audit was begun and under which address its target was


def differences(one: Path, other: Path, ignored: Sequence[str] = BEGUN) -> list[str]:
    """What differs between the audits in two folders, one sentence each.

    Of the table `about` the names `ignored` are left out, and of its settings the folder and the address.
    """
    found = []
    with sqlite3.connect(one / "audit.sqlite") as first, sqlite3.connect(other / "audit.sqlite") as second:
        for table, key in (("about", 1), ("images", 1), ("weather", 3)):
            columns = [row[1] for row in first.execute(f"PRAGMA table_info({table})")]
            if columns != [row[1] for row in second.execute(f"PRAGMA table_info({table})")]:
                found.append(f"the columns of {table} differ")
                continue
            rows, others = (
                {row[:key]: _placeless(row) for row in database.execute(f"SELECT * FROM {table}")}
                for database in (first, second)
            )
            for name in sorted({*rows, *others}, key=repr):
                if table == "about" and name[0] in ignored:
                    continue
                if name not in rows or name not in others:
                    found.append(f"{table} {name}: only in one of them")
                    continue
                for column, mine, theirs in zip(columns, rows[name], others[name], strict=True):
                    if mine != theirs:
                        found.append(f"{table} {name}, {column}: {str(mine)[:80]!r} and {str(theirs)[:80]!r}")
    files = {path.name for folder in (one, other) for path in (folder / "images").glob("*.npz")}
    for name in sorted(files):
        if not all((folder / "images" / name).is_file() for folder in (one, other)):
            found.append(f"images/{name}: only in one of them")
            continue
        with np.load(one / "images" / name) as mine, np.load(other / "images" / name) as theirs:
            if sorted(mine.files) != sorted(theirs.files):
                found.append(f"images/{name}: it holds {sorted(mine.files)} and {sorted(theirs.files)}")
                continue
            found += [f"images/{name}, {part}" for part in mine.files if not np.array_equal(mine[part], theirs[part])]
    return found


def _placeless(row: tuple[object, ...]) -> tuple[object, ...]:
    if row[0] != "settings":
        return row
    return ("settings", {name: value for name, value in json.loads(str(row[1])).items() if name not in OF_A_PLACE})
