"""What SQLite keeps beside a database is a part of it: nothing else in its place is written to, waited for or deleted."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys

import pytest

from saywhy_core.disk.databases import SIDES
from saywhy_core.disk.files import UnusableFileError, atomic_open, protected_inputs
from saywhy_core.disk.sqlite import open_database
from saywhy_core.errors import UsageError

SCHEMA = "CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY, name TEXT NOT NULL)"
TEXT = b'{"id": "a", "tokens": ["fine"]}\n'


def opened(path, **options):
    return open_database(path, **({"what": "audit", "schema": SCHEMA, "version": 2} | options))


def snapshot(folder):
    return {
        str(path.relative_to(folder)): (os.lstat(path).st_mode, path.read_bytes() if path.is_file() else None)
        for path in sorted(folder.rglob("*"))
    }


def a_text(place, _victim):
    place.write_bytes(TEXT)


def a_link(place, victim):
    place.symlink_to(victim)


def a_link_to_nowhere(place, victim):
    place.symlink_to(victim.with_name("new"))


def a_hard_link(place, victim):
    place.hardlink_to(victim)


def a_pipe(place, _victim):
    os.mkfifo(place)


def a_folder(place, _victim):
    place.mkdir()


FOREIGN = {
    a_text: "some other file",
    a_link: "a link",
    a_link_to_nowhere: "a link",
    a_hard_link: r"a file with a second name \(a hard link\)",
    a_pipe: "a pipe, a socket or a device",
    a_folder: "a folder",
}


@pytest.mark.parametrize("made_before", [False, True])
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda one: one.__name__)
def test_what_lies_in_the_place_of_a_side_file_is_named_and_kept(tmp_path, foreign, side, made_before):
    path = tmp_path / "a.sqlite"
    if made_before:
        opened(path).close()
    (tmp_path / "victim").write_bytes(b"")  # not even an empty file grows through a link
    foreign(tmp_path / f"a.sqlite{side}", tmp_path / "victim")
    before = snapshot(tmp_path)
    for read_only in (False, True) if made_before else (False,):
        with pytest.raises(
            UnusableFileError, match=rf"audit .*a\.sqlite keeps a part of itself in .*{side}, .*{FOREIGN[foreign]}; move"
        ):
            opened(path, read_only=read_only)
        assert snapshot(tmp_path) == before


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("side", SIDES)
def test_no_side_file_takes_the_place_of_an_input(tmp_path, side, there):
    (tmp_path / "real").mkdir()
    (tmp_path / "by").symlink_to("real")
    read = tmp_path / "real" / f"a.sqlite{side}"
    if there:
        read.touch()  # an empty file could be SQLite's own
    before = snapshot(tmp_path)
    with (
        protected_inputs([read]),
        pytest.raises(UnusableFileError, match=r"keeps a part of itself in .*one of the files that are read"),
    ):
        opened(tmp_path / "by" / "a.sqlite")
    assert snapshot(tmp_path) == before


def test_a_file_that_is_no_database_is_refused_with_what_lies_beside_it(tmp_path):
    (tmp_path / "notes").write_bytes(TEXT * 100)
    for side, begun in zip(SIDES, (b"\x37\x7f\x06\x82", b"\x18\xe2\x2d\x00", b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"), strict=True):
        (tmp_path / f"notes{side}").write_bytes(begun + bytes(4000))
    before = snapshot(tmp_path)
    for read_only in (False, True):
        with pytest.raises(UnusableFileError, match="can't be used as a audit: file is not a database"):
            opened(tmp_path / "notes", read_only=read_only)
        assert snapshot(tmp_path) == before
    (tmp_path / "notes").write_bytes(b"")
    before = snapshot(tmp_path)
    with pytest.raises(UnusableFileError, match="the file is empty"):
        opened(tmp_path / "notes", read_only=True)
    assert snapshot(tmp_path) == before


LEFT = """
import os, sqlite3, sys
database = sqlite3.connect("other.db", isolation_level=None)
database.execute("PRAGMA cache_size = 1")
database.execute(f"PRAGMA journal_mode = {sys.argv[1]}")
database.execute("CREATE TABLE mine (a)")
database.execute("BEGIN")
database.executemany("INSERT INTO mine VALUES (?)", [("x" * 3000,)] * 50)
if sys.argv[1] == "WAL":
    database.execute("COMMIT")
os._exit(0)
"""


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_the_changes_beside_a_database_of_others_stay(tmp_path, mode):
    subprocess.run([sys.executable, "-c", LEFT, mode], cwd=tmp_path, check=True)
    path = tmp_path / "other.db"
    side = tmp_path / ("other.db-wal" if mode == "WAL" else "other.db-journal")
    before = path.read_bytes(), side.read_bytes()
    assert before[1]
    for read_only in (False, True):
        with pytest.raises(UsageError):
            opened(path, read_only=read_only)
        assert (path.read_bytes(), side.read_bytes()) == before
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM mine").fetchone() == (50 if mode == "WAL" else 0,)
    database.close()


KILLED = """
import os, sys
from saywhy_core.disk.sqlite import open_database
database = open_database("a.sqlite", what="audit", schema=sys.argv[1], version=2)
database.execute("INSERT INTO runs (name) VALUES ('kept')")
os._exit(9)
"""


def test_side_files_that_a_killed_process_left_are_read_and_not_refused(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, SCHEMA], cwd=tmp_path, check=False)
    assert (tmp_path / "a.sqlite-wal").stat().st_size > 0
    database = opened(tmp_path / "a.sqlite")
    assert database.execute("SELECT name FROM runs").fetchall() == [("kept",)]
    database.close()


def test_by_a_link_the_same_file_is_opened_and_by_a_hard_link_none(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "link").symlink_to("deep/a.sqlite")  # which is not there yet
    one, other = opened(tmp_path / "link"), opened(tmp_path / "deep" / "a.sqlite")
    one.execute("INSERT INTO runs (name) VALUES ('x')")
    assert other.execute("SELECT name FROM runs").fetchall() == [("x",)]
    assert {path.name for path in tmp_path.iterdir()} == {"deep", "link"}
    assert (tmp_path / "link").is_symlink()
    one.close()
    other.close()
    (tmp_path / "hard").hardlink_to(tmp_path / "deep" / "a.sqlite")
    for name in ("hard", "deep/a.sqlite", "link"):
        with pytest.raises(UnusableFileError, match=r"it is a file with a second name \(a hard link\)"):
            opened(tmp_path / name)
        opened(tmp_path / name, read_only=True).close()


@pytest.mark.parametrize("side", SIDES)
def test_no_output_takes_the_place_of_a_side_file(tmp_path, side):
    database = opened(tmp_path / "a.sqlite")
    (tmp_path / "link").symlink_to(f"a.sqlite{side}")
    for name in (f"a.sqlite{side}", "link"):
        with (
            pytest.raises(UnusableFileError, match=r"is a part of the database .*a\.sqlite"),
            atomic_open(tmp_path / name) as stream,
        ):
            stream.write("x")
        for read_only in (False, True):
            with pytest.raises(UsageError, match=r"is a part of the database|there is no audit|keeps a part of itself"):
                opened(tmp_path / name, read_only=read_only)
    (tmp_path / "link").unlink()
    with pytest.raises(UnusableFileError, match=rf"a\.sqlite{side} is a part of the database .*a\.sqlite"):
        opened(tmp_path / f"a.sqlite{side}")
    database.execute("INSERT INTO runs (name) VALUES ('x')")
    database.close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.sqlite"]
