"""Commands with a path that can't be written: one sentence that names it, exit status 2, and no traceback."""

from __future__ import annotations

import errno
import signal

import pytest

import saywhy.cli.app
from saywhy_core.disk.locks import FileLock, folder_lock
from saywhy_core.disk.sqlite import open_database
from saywhy_core.stopping import Stopped
from verbalize import Query, TokenSaliency
from verbalize.formats import write_saliency


@pytest.fixture
def maps(tmp_path):
    write_saliency([TokenSaliency(["great", "dull"], [2.0, -1.0], Query("positive"), id="a")], tmp_path / "maps.jsonl")
    (tmp_path / "file").write_text("")
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    return tmp_path / "maps.jsonl"


MODEL = ("--llm", "http://127.0.0.1:1/v1#m")


@pytest.mark.parametrize("out", [".", "file/below/x.json"])
@pytest.mark.parametrize(
    "words",
    [
        ("convert", "maps.jsonl"),
        ("verbalize", "maps.jsonl"),
        ("verbalize", "maps.jsonl", "--style", "free", *MODEL),
        ("describe", "--classes", "classes.txt", "--all-pairs", *MODEL),
    ],
)
def test_a_file_that_cannot_be_written(saywhy, maps, words, out):
    done = saywhy(*words, "--out", out, folder=maps.parent)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith((f"error: {out} ", f"error: --out {out} ")), done.stderr
    assert "is a folder; name a file" in done.stderr or "can't be written to" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [("demo",), ("picture", "maps.jsonl"), ("attack", "x.png", "--target", "demo:signs")])
def test_a_folder_that_cannot_be_made(saywhy, maps, words):
    done = saywhy(*words, "--out", "file/below", folder=maps.parent)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: ")
    assert "file/below" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_second_writer_is_refused(saywhy, maps):
    with folder_lock(maps.parent / "out"):
        drawn = saywhy("picture", maps, "--out", "out", folder=maps.parent)
    with FileLock(maps.parent / "m.jsonl"):
        converted = saywhy("convert", maps, "--out", maps.parent / "m.jsonl", folder=maps.parent)
    for done in (drawn, converted):
        assert done.returncode == 2
        assert "is being written by" in done.stderr


@pytest.mark.parametrize(
    "words", [("verbalize", "maps.jsonl", "--style", "free"), ("describe", "--classes", "classes.txt", "--all-pairs")]
)
@pytest.mark.parametrize("lock", [FileLock, lambda path: folder_lock(path.parent)])
def test_a_second_writer_with_a_model_is_refused_before_anything_is_opened(maps, monkeypatch, capsys, words, lock):
    monkeypatch.chdir(maps.parent)
    (maps.parent / "sub").mkdir()
    monkeypatch.setattr("saywhy_core.disk.locks.os.getpid", lambda: 1)  # as if another process had it
    with lock(maps.parent / "sub" / "o.json"):
        monkeypatch.undo()
        monkeypatch.chdir(maps.parent)
        with pytest.raises(SystemExit) as ended:
            saywhy.cli.app.main([*words, *MODEL, "--out", "sub/o.json"])
        left = [path.name for path in (maps.parent / "sub").iterdir()]
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "is being written by another process (1)" in said
    assert said.count("\n") == 1
    assert left in ([".lock"], ["o.json.lock"])


@pytest.mark.parametrize("where", ["saywhy.cli.command.typer.Exit", "saywhy.cli.app.status_after"])
def test_a_second_signal_says_nothing_new(maps, monkeypatch, capsys, where):
    """The second one comes when the first was told, in the midst of typer's own work or behind it."""
    monkeypatch.chdir(maps.parent)
    stops = iter([Stopped(signal.SIGTERM), Stopped(signal.SIGHUP)])

    def stopped(*_):
        raise next(stops)

    monkeypatch.setattr("saywhy.cli.options.maps.MapReader.__iter__", stopped)
    monkeypatch.setattr(where, stopped)
    with pytest.raises(SystemExit) as ended:
        saywhy.cli.app.main(["picture", "maps.jsonl", "--out", "o"])
    assert ended.value.code == 143
    assert capsys.readouterr().err == "stopped by SIGTERM: no picture was written to OUT\n"


def test_nothing_described_is_not_called_written(saywhy, maps):
    done = saywhy("describe", "--classes", "classes.txt", "--all-pairs", *MODEL, "--out", "p.json", folder=maps.parent)
    assert "no pair is described, so p.json was not written" in done.stderr
    assert not (maps.parent / "p.json").exists()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/some/place"), 2),
        (OSError(errno.ENOSPC, "No space left on device"), 2),
    ],
)
def test_errors_about_files_become_a_sentence(monkeypatch, capsys, error, status):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(saywhy.cli.app, "build", lambda commands: fail)
    with pytest.raises(SystemExit) as raised:
        saywhy.cli.app.main(["doctor"])
    assert raised.value.code == status
    said = capsys.readouterr().err
    assert said.startswith(f"error: {error.filename or 'the output'} can't be used: {error.strerror}")


DESCRIBE = ("describe", "--classes", "classes.txt", "--all-pairs", *MODEL)
NARRATE = ("verbalize", "maps.jsonl", "--style", "free", *MODEL)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((*DESCRIBE, "--out", "-"), "--out - names nothing that this command can write; name a file, such as /dev/stdout"),
        (("picture", "maps.jsonl", "--out", "-"), "--out - names nothing that this command can write; name a folder or a page"),
        (("demo", "--out", "-"), "--out - names nothing that this command can write; name a folder"),
        (("attack", "file", "--target", "demo:signs", "--out", "-"), "--out - names nothing that this command can write"),
        (("evaluate", "wording", "file", "--maps", "maps.jsonl", "--out", "-"), "such as /dev/stdout for standard output"),
        ((*NARRATE, "--cache", "-"), "--cache - names nothing that this command can write; name a file\n"),
        (("verbalize", "maps.jsonl", "--out", "new/"), "--out new/ names a folder, as what ends in / does; name a file"),
        (("convert", "maps.jsonl", "--out", "new/"), "--out new/ names a folder"),
        ((*DESCRIBE, "--out", "new/"), "--out new/ names a folder"),
        ((*NARRATE, "--cache", "new/"), "--cache new/ names a folder"),
        (("convert", "maps.jsonl", "--out", ""), "--out is an empty text; name a file"),
        (("convert", ""), "MAPS is an empty text; name a file"),
        (("picture", "maps.jsonl", "--out", ""), "--out is an empty text; name a folder or a page"),
        (("verbalize", "maps.jsonl", "--class-names", ""), "--class-names is an empty text; name a file"),
        (("convert", "maps.jsonl", "--out", "/proc/self/mem"), "mem belongs to the system; name a place on a disk"),
        (("picture", "maps.jsonl", "--out", "page.html"), "page.html is a folder"),
        (
            ("picture", "maps.jsonl", "--out", "new.html/"),
            "--out new.html/ names a folder by its last letter and a page by its",
        ),
        ((*NARRATE, "--out", "o.jsonl", "--cache", "o.jsonl.part"), "--cache o.jsonl.part is the name of a file in which this"),
        (
            (*NARRATE, "--out", "o.jsonl", "--cache", "./o.jsonl.lock"),
            "--cache o.jsonl.lock is the name of a file in which this",
        ),
        ((*DESCRIBE, "--out", "o.json", "--cache", "o.json.journal"), "--cache o.json.journal is the name of a file in which"),
        (("convert", "maps.jsonl", "--out", "begun.part"), "begun.part keeps the work of a run that was stopped"),
        (("convert", "maps.jsonl", "--out", "replies"), "replies is a database, such as a cache of replies, and may be in use"),
        (("picture", "maps.jsonl", "--out", "replies.html"), "replies.html is a database"),
    ],
)
def test_a_name_that_means_no_file_to_write_is_told_and_nothing_is_made(maps, monkeypatch, capsys, words, says):
    folder = maps.parent
    monkeypatch.chdir(folder)
    (folder / "page.html").mkdir()
    (folder / "begun.part").write_text('{"journal": "journal of records", "version": 1}\n')
    for name in ("replies", "replies.html"):
        open_database(folder / name, what="audit", schema="CREATE TABLE IF NOT EXISTS a (b)", version=1).close()
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with pytest.raises(SystemExit) as ended:
        saywhy.cli.app.main(list(words))
    said = capsys.readouterr().err
    assert ended.value.code == 2, said
    assert says in said
    assert said.count("\n") == 1
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_a_folder_named_as_one_is_taken_as_one(maps, monkeypatch):
    monkeypatch.chdir(maps.parent)
    saywhy.cli.app.main(["picture", "maps.jsonl", "--out", "new/"])
    assert [path.name for path in (maps.parent / "new").iterdir()] == ["a.html"]


def test_sentences_about_audits_name_things_as_the_command_does(saywhy, tmp_path):
    (tmp_path / "file").touch()
    for words, told in (
        (("z", "x", "--target", "demo:signs", "--weather", "blur,blur"), "--weather names 'blur' twice"),
        (("", "x", "--target", "demo:signs"), "DIR is an empty text; name a folder"),
        (("file/a", "x", "--target", "demo:signs"), "DIR file/a can't be written to"),
    ):
        done = saywhy("audit", "run", *words, folder=tmp_path)
        assert done.returncode == 2
        assert told in done.stderr
