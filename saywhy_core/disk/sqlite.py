"""SQLite files that several threads and processes share: one way to open them, with their version checked."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from saywhy_core.disk.databases import check_is_no_side_file, check_parts, head_of, is_database, side_files
from saywhy_core.disk.destinations import destination, is_stream
from saywhy_core.disk.files import check_is_no_input, input_at
from saywhy_core.disk.locks import FileLock
from saywhy_core.disk.troubles import FULL, UnusableFileError
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

BUSY_SECONDS = 60.0
"""How long a statement waits for another process to finish writing; a write takes milliseconds, a slow disk seconds."""

_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)  # the latter for quotas, and for disks that fail
_VIRTUAL = re.compile(r"\s*CREATE\s+VIRTUAL", re.IGNORECASE)
_WAL_PAUSE = 0.05  # seconds between two attempts to change the journal mode, for as long as a statement would wait


class Database(sqlite3.Connection):
    """A connection that gives its lock back when it is closed."""

    lock: FileLock | None = None

    def close(self) -> None:
        """Close the connection, and let another process write where this one had the file for itself."""
        super().close()
        if self.lock is not None:
            self.lock.release()


def open_database(
    path: str | os.PathLike[str],
    *,
    what: str,
    schema: str,
    version: int,
    read_only: bool = False,
    alone: bool = False,
    durable: bool = True,
    any_thread: bool = False,
) -> Database:
    """Open a SQLite file, made where there is none, in write-ahead mode: readers and a writer don't block each other.

    Statements commit by themselves; `transaction` makes several one.

    Args:
        path: the file; its folder is made where there is none. It is a plain path: "file:a" and ":memory:" name files, too.
            Where it is a link, the file that it leads to is opened, so that all who share it see the same side files and locks.
        what: what the file is, for errors: "reply cache".
        schema: CREATE TABLE IF NOT EXISTS statements; a file without these tables and their columns, or with views or
            triggers, is something else.
        version: of the schema, kept as `user_version`; a file of another version is refused.
        read_only: never write; the file must exist. It may lie in a folder that can't be written to.
        alone: let no other process open the file in this way until the connection is closed.
        durable: what was committed survives a power cut, not only a killed process.
        any_thread: let threads other than this one use the connection; they must take turns by themselves.

    Raises:
        UsageError: the file can't be opened, is something else or a file that is being read (`protected_inputs`), has another
            version, or (`alone`) is another process's. Or one of its side files (`saywhy_core.disk.databases`) is something
            else or is read. What is refused stays as it was, with what lies beside it.
    """
    file = Path(path)
    try:
        if is_stream(file) and not read_only:
            raise UnusableFileError(f"{file} can't be used as a {what}: it is a device or a pipe; name a file")
        file = destination(file).place
        if read_only and not file.is_file():
            raise UsageError(f"there is no {what} at {path}")
        _check_surroundings(file, what, read_only)
        if read_only:
            return _open_for_reading(file, what, schema, version, any_thread)
        _look(file, what, schema, version)
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file, what) if alone else None
        if lock is not None:
            lock.acquire()
        try:
            database = _open_for_writing(file, what, schema, version, durable, any_thread)
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        database.lock = lock
    except (sqlite3.Error, OSError) as error:
        cure = "delete it if it is damaged, or name another file, in a folder that you may write to"
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _NO_ROOM or getattr(error, "errno", None) in FULL:
            cure = "make room on the disk, or name another file, on a sound disk"
        raise UnusableFileError(f"{file} can't be used as a {what}: {error}; {cure}") from error
    return database


@contextmanager
def naming_file(path: str | os.PathLike[str], what: str) -> Iterator[None]:
    """Turn what SQLite says in a block, such as "database disk image is malformed", into an error that names the file.

    Raises:
        UnusableFileError: SQLite failed in the block.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise UnusableFileError(f"the {what} {path} is damaged ({error}); delete it, or name another file") from error
        full = code is not None and code & 0xFF in _NO_ROOM
        cure = "make room on the disk, or name another file" if full else "see who else uses it, or name another file"
        raise UnusableFileError(f"the {what} {path} can't be used: {error}; {cure}") from error


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """Make the statements of a block one transaction: all of them, or none where the block raises."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):  # SQLite has rolled back by itself, as it does where the disk is full
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _connect(where: str, any_thread: bool, *, uri: bool = False) -> Database:
    return sqlite3.connect(
        where, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=not any_thread, uri=uri, factory=Database
    )


def _check_surroundings(file: Path, what: str, read_only: bool) -> None:
    """Refuse what is no database, an input, and whatever lies in the place of a side file without being one."""
    check_is_no_side_file(file)
    if not read_only:
        check_is_no_input(file)
    for side in side_files(file):
        read = input_at(side)
        if read is not None:
            raise UnusableFileError(
                f"the {what} {file} keeps a part of itself in {side}, which is one of the files that are read; "
                f"name another {what}"
            )
    check_parts(file, what, read_only=read_only)
    if head_of(file) and not is_database(file):
        raise sqlite3.DatabaseError("file is not a database")
    if read_only and file.stat().st_size == 0:  # beside an empty file, SQLite deletes side files
        raise sqlite3.DatabaseError("the file is empty")


def _look(file: Path, what: str, schema: str, version: int) -> None:
    """Refuse another program's database that has changes beside it, which opening it for writing would carry out or undo."""
    wal, _, journal = side_files(file)
    while is_database(file) and (_holds(journal) or _holds(wal)):
        undone = _holds(journal)
        # ours has no journal once it holds tables; SQLite reads no file with a journal unless it is said to be beyond change
        uri = f"{file.as_uri()}?mode=ro{'&immutable=1' if undone else ''}"
        try:
            with closing(_connect(uri, any_thread=False, uri=True)) as database:
                _check(database, file, what, schema, version)
        except sqlite3.OperationalError:  # which whoever opens it for writing is told
            return
        except (UsageError, sqlite3.Error):
            if undone and not _holds(journal):  # another process made the file meanwhile
                continue
            raise
        return


def _holds(side: Path) -> bool:
    try:
        return side.stat().st_size > 0
    except OSError:
        return False


def _open_for_writing(file: Path, what: str, schema: str, version: int, durable: bool, any_thread: bool) -> Database:
    # Many builds of SQLite read "file:a" as an address, and all of them ":memory:" as no file; an absolute path is neither.
    database = _connect(str(file.absolute()), any_thread)
    try:
        fresh = not _check(database, file, what, schema, version)
        _enter_wal(database)
        database.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        if fresh:
            with transaction(database):
                for statement in schema.split(";"):
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {version}")
    except BaseException:
        database.close()
        raise
    return database


def _open_for_reading(file: Path, what: str, schema: str, version: int, any_thread: bool) -> Database:
    # Write-ahead mode needs a folder it may write to even for reading, unless the file is said to be beyond change.
    modes: tuple[Literal["mode=ro", "mode=ro&immutable=1"], ...] = ("mode=ro", "mode=ro&immutable=1")
    for mode in modes:
        database = _connect(f"{file.resolve().as_uri()}?{mode}", any_thread, uri=True)
        try:
            _check(database, file, what, schema, version)
            database.execute(f"SELECT 1 FROM {_main_table(schema)} LIMIT 1").fetchone()  # noqa: S608 - the schema is ours
        except sqlite3.OperationalError:
            database.close()
            if mode == modes[-1]:
                raise
        except BaseException:
            database.close()
            raise
        else:
            return database
    raise AssertionError("unreachable")


def _check(database: Database, file: Path, what: str, schema: str, version: int) -> bool:
    """Refuse a file that is something else before anything is changed in it; return whether it holds the tables already."""
    database.execute("BEGIN")  # so that both are read as they are at one moment
    try:
        found = int(database.execute("PRAGMA user_version").fetchone()[0])
        made = database.execute("SELECT name, type, sql FROM sqlite_master WHERE type != 'index'").fetchall()
    finally:
        if database.in_transaction:  # some failures have ended it already
            database.execute("ROLLBACK")
    tables = {name for name, kind, sql in made if kind == "table" and not _VIRTUAL.match(sql or "")}
    known = found > 0 and len(tables) == len(made)  # views, triggers and virtual tables are none of ours
    if made and not (known and _main_table(schema) in tables):
        raise _something_else(file, what)
    if found > version:
        raise UsageError(
            f"the {what} {file} was written by a newer version of saywhy (it has version {found}, this release writes version "
            f"{version}); update saywhy, or name another file"
        )
    if made and found < version:
        raise UsageError(
            f"the {what} {file} has version {found}, and this release reads version {version}; delete it or name another file"
        )
    if made and any(columns - _columns(database, table) for table, columns in _needed(schema).items()):
        raise _something_else(file, what)
    return bool(made)


def _something_else(file: Path, what: str) -> UsageError:
    return UsageError(f"{file} is a database, but no {what}; name another file")


def _needed(schema: str) -> dict[str, set[Any]]:
    """The tables of a schema, and the columns of each: name, type, whether it may be empty, place in the key."""
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(schema)
        tables = [row[0] for row in fresh.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: _columns(fresh, table) for table in tables}


def _columns(database: sqlite3.Connection, table: str) -> set[Any]:
    return set(database.execute('SELECT name, upper(type), "notnull", pk FROM pragma_table_info(?)', (table,)))


def _enter_wal(database: Database) -> None:
    # Changing the mode needs the file alone, and SQLite does not wait for that as it waits for other locks.
    stop = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > stop:
                raise
            time.sleep(_WAL_PAUSE)
        else:
            return


def _main_table(schema: str) -> str:
    match = re.search(r"CREATE TABLE IF NOT EXISTS (\w+)", schema)
    if match is None:
        raise ValueError("a schema begins with CREATE TABLE IF NOT EXISTS")
    return match[1]
