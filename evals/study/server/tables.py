"""The database of a study's answers: its tables, and how it is opened and made private."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from saywhy_core.disk.sqlite import Database, open_database, transaction
from saywhy_core.disk.troubles import UnusableFileError
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from evals.study.folder import Study

VERSION = 1
WHAT = "database of answers"
SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS participants (
    id INTEGER PRIMARY KEY, code TEXT NOT NULL, token TEXT NOT NULL, person TEXT, cell TEXT NOT NULL, seed INTEGER NOT NULL,
    source TEXT NOT NULL, status TEXT NOT NULL, done INTEGER NOT NULL, consented INTEGER NOT NULL,
    joined REAL NOT NULL, seen REAL NOT NULL, finished REAL
);
CREATE TABLE IF NOT EXISTS links (
    participant INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (participant, name)
);
CREATE TABLE IF NOT EXISTS surroundings (participant INTEGER PRIMARY KEY, address TEXT NOT NULL, agent TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS pages (
    participant INTEGER NOT NULL, step INTEGER NOT NULL, tries INTEGER NOT NULL, responses TEXT NOT NULL, seconds REAL,
    accepted INTEGER NOT NULL, reply TEXT NOT NULL, submitted REAL NOT NULL, PRIMARY KEY (participant, step, tries)
);
CREATE TABLE IF NOT EXISTS answers (
    id INTEGER PRIMARY KEY, participant INTEGER NOT NULL, step INTEGER NOT NULL, tries INTEGER NOT NULL, phase TEXT NOT NULL,
    task TEXT NOT NULL, kind TEXT NOT NULL, response TEXT NOT NULL, trial INTEGER, item TEXT NOT NULL, condition TEXT NOT NULL,
    expected TEXT, correct INTEGER, value REAL, seconds REAL, submitted TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS participants_code ON participants (code);
CREATE UNIQUE INDEX IF NOT EXISTS participants_token ON participants (token);
CREATE UNIQUE INDEX IF NOT EXISTS participants_person ON participants (person);
CREATE INDEX IF NOT EXISTS answers_participant ON answers (participant)
"""
_PRIVATE = 0o600  # answers are people's: nobody else on this machine reads them


def open_tables(study: Study, path: Path, source: str) -> Database:
    """Open or make the database of a study's answers.

    Raises:
        UsageError: it can't be used, or it holds answers to another version of the study, or of another source.
    """
    if not path.exists():  # so that the files that SQLite puts beside it are private, too
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(_PRIVATE)
    with _keeping():
        database = open_database(path, what=WHAT, schema=SCHEMA, version=VERSION, alone=True, any_thread=True)
    try:
        database.execute("PRAGMA secure_delete = ON")  # what is deleted on request is overwritten
        with transaction(database):
            _check_meta(study, path, source, database)
    except BaseException:
        database.close()
        raise
    return database


def read_tables(path: Path) -> Database:
    """Open the database of answers for reading, beside a server that may be writing."""
    with _keeping():
        return open_database(path, what=WHAT, schema=SCHEMA, version=VERSION, read_only=True, any_thread=True)


def open_beside(path: Path) -> Database:
    """Open a database of answers for a change beside a server that may be writing, too."""
    database = open_database(path, what=WHAT, schema=SCHEMA, version=VERSION)
    database.execute("PRAGMA secure_delete = ON")
    return database


def write_out(database: Database) -> None:
    """Write the log of changes into the database, and empty it: what was deleted stays in neither."""
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def meta(database: Database, name: str, default: str = "") -> str:
    """A fact about the whole study."""
    row = database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return default if row is None else str(row[0])


def put_meta(database: Database, name: str, value: str) -> None:
    """Keep a fact about the whole study."""
    database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


def _check_meta(study: Study, path: Path, source: str, database: Database) -> None:
    kept = meta(database, "source")
    kind, wanted = kept.partition(":")[0], source.partition(":")[0]
    if kept and kind != wanted:
        raise UsageError(
            f"{path} holds answers of {_who(kind)}, and those of {_who(wanted)} are not mixed with them; name another file"
        )
    before = meta(database, "digest")
    if before and before != study.digest:
        answered = database.execute("SELECT count(*) FROM participants WHERE consented").fetchone()[0]
        if answered:
            raise UsageError(
                f"{study.folder} has changed since {path} got its first answers ({before}, now {study.digest}), and answers "
                "to two versions are not mixed; put study.yaml and items.jsonl back as they were, or move "
                f"{path.name} elsewhere, and a new one is begun"
            )
        database.execute("DELETE FROM participants")
    _check_addresses(study, path, database)
    put_meta(database, "digest", study.digest)
    put_meta(database, "source", source)
    if not meta(database, "secret"):
        put_meta(database, "secret", secrets.token_hex(32))


def _check_addresses(study: Study, path: Path, database: Database) -> None:
    """Whether addresses are kept is part of what people agreed to: it stays as it was for the first of them."""
    wanted = "yes" if study.file.server.keep_addresses else "no"
    before = meta(database, "addresses", wanted)
    if before != wanted and database.execute("SELECT count(*) FROM participants WHERE consented").fetchone()[0]:
        was, now = ("true", "false") if before == "yes" else ("false", "true")
        raise UsageError(
            f"{study.folder}: server.keep_addresses was {was} when people agreed to take part, and is {now} now; put it "
            f"back, or move {path.name} elsewhere, and a new one is begun"
        )
    put_meta(database, "addresses", wanted)


@contextmanager
def _keeping() -> Iterator[None]:
    """Advise nobody to delete people's answers."""
    try:
        yield
    except UnusableFileError as error:
        why, advised, _ = str(error).partition("; delete it")
        if not advised:
            raise
        raise UnusableFileError(
            f"{why}; it may hold people's answers, so put a copy of it back, or keep it elsewhere, and a new one is begun"
        ) from error.__cause__


def _who(kind: str) -> str:
    return "people" if kind == "people" else "simulated participants"
