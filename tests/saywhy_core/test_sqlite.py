"""The one way to open an SQLite file: versions, other files, several processes, one writer alone."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading

import pytest

from saywhy_core.disk.files import atomic_open, protected_inputs
from saywhy_core.disk.journal import Journal
from saywhy_core.disk.sqlite import open_database, transaction
from saywhy_core.errors import UsageError

SCHEMA = "CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY, name TEXT NOT NULL); CREATE INDEX IF NOT EXISTS named ON runs (name)"


def opened(path, **options):
    return open_database(path, **({"what": "audit", "schema": SCHEMA, "version": 2} | options))


def names(path):
    database = opened(path, read_only=True)
    try:
        return [row[0] for row in database.execute("SELECT name FROM runs ORDER BY id")]
    finally:
        database.close()


def test_a_new_file_has_tables_version_and_write_ahead_mode(tmp_path):
    database = opened(tmp_path / "deep" / "a.sqlite")
    database.execute("INSERT INTO runs (name) VALUES ('x')")
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA user_version").fetchone() == (2,)
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert names(tmp_path / "deep" / "a.sqlite") == ["x"]  # committed, and readable beside the writer
    database.close()
    assert opened(tmp_path / "deep" / "a.sqlite", durable=False).execute("PRAGMA synchronous").fetchone() == (1,)


def test_a_transaction_is_whole_or_nothing(tmp_path):
    database = opened(tmp_path / "a.sqlite")
    with pytest.raises(KeyboardInterrupt), transaction(database):
        database.execute("INSERT INTO runs (name) VALUES ('x')")
        raise KeyboardInterrupt
    with transaction(database):
        database.executemany("INSERT INTO runs (name) VALUES (?)", [("y",), ("z",)])
    assert names(tmp_path / "a.sqlite") == ["y", "z"]
    database.close()


@pytest.mark.parametrize(
    ("found", "said"),
    [(3, "newer version of saywhy .*version 3.*update saywhy"), (1, "has version 1, and this release reads version 2")],
)
def test_other_versions_are_refused(tmp_path, found, said):
    opened(tmp_path / "a.sqlite").close()
    with sqlite3.connect(tmp_path / "a.sqlite") as connection:
        connection.execute(f"PRAGMA user_version = {found}")
    connection.close()
    for read_only in (False, True):
        with pytest.raises(UsageError, match=said):
            opened(tmp_path / "a.sqlite", read_only=read_only)


def test_what_is_no_such_database_is_refused_and_left_alone(tmp_path):
    with sqlite3.connect(tmp_path / "other") as connection:
        connection.execute("CREATE TABLE mine (a)")
    connection.close()
    (tmp_path / "text").write_bytes(b"a text file, and long enough to look like a database" * 40)
    for name, said in (("other", "is a database, but no audit"), ("text", "can't be used as a audit")):
        before = (tmp_path / name).read_bytes()
        for read_only in (False, True):
            with pytest.raises(UsageError, match=said):
                opened(tmp_path / name, read_only=read_only)
        assert (tmp_path / name).read_bytes() == before
    with pytest.raises(UsageError, match="there is no audit at"):
        opened(tmp_path / "none", read_only=True)
    with pytest.raises(UsageError, match="can't be used"):
        opened(tmp_path / "text" / "a.sqlite")


OURS = "CREATE TABLE runs (id INTEGER PRIMARY KEY, name TEXT NOT NULL)"


@pytest.mark.parametrize(
    "statements",
    [
        "CREATE TABLE t (id, name); CREATE VIEW runs AS SELECT * FROM t",
        "CREATE VIEW runs AS SELECT 1 AS id, 'x' AS name",
        "CREATE TABLE runs (name TEXT)",
        "CREATE TABLE runs (id INTEGER PRIMARY KEY, name BLOB NOT NULL)",
        "CREATE VIRTUAL TABLE runs USING fts5(id, name)",
        f"{OURS}; CREATE TRIGGER more AFTER INSERT ON runs BEGIN DELETE FROM runs; END",
        f"{OURS}; CREATE VIEW other AS SELECT * FROM runs",
        f"{OURS}; PRAGMA user_version = 0",
    ],
)
def test_a_database_of_another_shape_is_refused_and_keeps_its_bytes(tmp_path, statements):
    path = tmp_path / "a.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(f"PRAGMA user_version = 2; {statements}")
    connection.close()
    before = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(UsageError, match="is a database, but no audit; name another file"):
            opened(path, read_only=read_only)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.sqlite"]


@pytest.mark.parametrize(
    "name", ["file:e.txt", "file:x?mode=memory", ":memory:", "file::memory:?cache=shared", "FILE:e.txt?mode=ro"]
)
def test_every_name_is_that_of_a_file(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "e.txt").touch()
    opened(name).close()
    assert (tmp_path / name).read_bytes().startswith(b"SQLite format 3")
    assert opened(name, read_only=True).execute("SELECT count(*) FROM runs").fetchone() == (0,)
    assert (tmp_path / "e.txt").read_bytes() == b""


def test_an_empty_file_that_is_read_does_not_become_a_database(tmp_path):
    (tmp_path / "input").touch()
    with protected_inputs([tmp_path / "input"]), pytest.raises(UsageError, match="is one of the files that are read"):
        opened(tmp_path / "input")
    assert (tmp_path / "input").read_bytes() == b""


def test_reading_only_never_writes(tmp_path):
    opened(tmp_path / "a.sqlite").close()
    database = opened(tmp_path / "a.sqlite", read_only=True)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        database.execute("INSERT INTO runs (name) VALUES ('x')")


OWNER = """
import sys, time
from saywhy_core.disk.sqlite import open_database
database = open_database(sys.argv[1], what="audit", schema=sys.argv[2], version=2, alone=True)
database.execute("INSERT INTO runs (name) VALUES ('first')")
database.execute("BEGIN IMMEDIATE")
database.execute("INSERT INTO runs (name) VALUES ('torn')")
print("open", flush=True)
time.sleep(600)
"""


def test_a_second_writer_is_told_who_the_first_is_and_takes_over_when_it_is_killed(tmp_path):
    path = tmp_path / "a.sqlite"
    owner = subprocess.Popen([sys.executable, "-c", OWNER, path, SCHEMA], stdout=subprocess.PIPE, text=True)
    try:
        assert owner.stdout.readline() == "open\n"
        with pytest.raises(UsageError, match=rf"the audit .*a\.sqlite is being written by another process \({owner.pid}\)"):
            opened(path, alone=True)
        assert names(path) == ["first"]  # reading goes on
    finally:
        owner.kill()
        owner.wait()
    database = opened(path, alone=True)
    database.execute("INSERT INTO runs (name) VALUES ('second')")
    with pytest.raises(UsageError, match="this process already"):
        opened(path, alone=True)
    database.close()
    opened(path, alone=True).close()
    assert names(path) == ["first", "second"]
    assert not (tmp_path / "a.sqlite.lock").exists()


WRITER = """
import sys
from saywhy_core.disk.sqlite import open_database
for number in range(20):
    database = open_database(sys.argv[1], what="audit", schema=sys.argv[2], version=2, durable=False)
    database.execute("INSERT INTO runs (name) VALUES (?)", (f"{sys.argv[3]}-{number}",))
    database.close()
"""


def test_many_processes_may_open_and_write_at_once(tmp_path):
    path = tmp_path / "a.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, path, SCHEMA, str(n)]) for n in range(4)]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * 4
    assert sorted(names(path)) == sorted(f"{n}-{number}" for n in range(4) for number in range(20))


def test_threads_share_a_connection_only_where_that_is_asked_for(tmp_path):
    for any_thread in (False, True):
        database, caught = opened(tmp_path / "a.sqlite", any_thread=any_thread), []

        def use(database=database, caught=caught):
            try:
                database.execute("SELECT 1")
            except sqlite3.ProgrammingError as error:
                caught.append(error)

        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
        assert bool(caught) is not any_thread
        database.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to_is_read(tmp_path):
    folder = tmp_path / "fixed"
    database = opened(folder / "a.sqlite")
    database.execute("INSERT INTO runs (name) VALUES ('x')")
    database.close()
    folder.chmod(0o555)
    try:
        assert names(folder / "a.sqlite") == ["x"]
    finally:
        folder.chmod(0o755)


def test_no_output_and_no_journal_takes_the_place_of_a_database(tmp_path):
    path = tmp_path / "a.sqlite"
    database = opened(path)
    with (
        pytest.raises(UsageError, match="is a database, such as a cache of replies, and may be in use"),
        atomic_open(path) as stream,
    ):
        stream.write("x")
    journal = Journal(path, what="journal of texts", version=1, settings={}, others=None)
    with pytest.raises(UsageError, match="is a database, such as a cache of replies"), journal:
        pass
    database.execute("INSERT INTO runs (name) VALUES ('x')")
    database.close()
    assert [file.name for file in tmp_path.iterdir()] == ["a.sqlite"]
    assert names(path) == ["x"]
