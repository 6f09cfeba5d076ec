"""Files written whole or not at all: what can't be written is one sentence that names the path."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading

import pytest

from saywhy_core.disk.destinations import destination, is_stream
from saywhy_core.disk.files import UnusableFileError, atomic_open, atomic_path, check_writable
from saywhy_core.errors import UsageError
from saywhy_core.secrets import MARK, forget_secrets, keep_secret


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    with atomic_open(path) as stream:
        stream.write("one\n")
    with pytest.raises(ZeroDivisionError), atomic_open(path) as stream:
        stream.write("two\n")
        raise ZeroDivisionError
    assert path.read_text() == "one\n"
    assert os.listdir(path.parent) == ["a.txt"]  # noqa: PTH208 - hidden files, too


@pytest.mark.parametrize("use", [atomic_path, check_writable])
@pytest.mark.parametrize("name", ["", "folder", "file/below", "x" * 300])
def test_a_path_that_cannot_be_a_file_is_named(tmp_path, name, use):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")

    def attempt():
        result = use(tmp_path / name)
        if result is not None:
            with result:
                pytest.fail("the block must not begin")

    with pytest.raises(
        UnusableFileError, match=r"is a folder; name a file|can't be written to: .+; (name a place|give it a shorter name)"
    ) as raised:
        attempt()
    assert str(tmp_path / name) in str(raised.value)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]  # noqa: PTH208


def test_the_working_folder_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"^\. is a folder; name a file"), atomic_open("."):
        pass


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path):
    path = tmp_path / "a.txt"
    with pytest.raises(UnusableFileError, match=r"a\.txt can't be written to: No space left.*; make room"), atomic_open(path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_an_error_about_another_file_stays_what_it_is(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"source\.txt"), atomic_open(tmp_path / "a.txt"):
        (tmp_path / "source.txt").read_text()


def write(path, text="new\n"):
    check_writable(path)
    with atomic_open(path) as stream:
        stream.write(text)


@pytest.mark.parametrize("target", ["there", "new", "folder/new", "chain", "../{0}/there"])
def test_a_link_stays_a_link_and_its_file_is_written(tmp_path, target):
    (tmp_path / "there").write_text("old\n")
    (tmp_path / "chain").symlink_to("folder/second")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "second").symlink_to("../third")
    link = tmp_path / "link"
    link.symlink_to(target.format(tmp_path.name))
    write(link)
    assert link.is_symlink()
    assert link.read_text() == "new\n"
    assert link.resolve().name == {"chain": "third"}.get(target, target.rpartition("/")[2])
    assert not [name for _, _, names in os.walk(tmp_path) for name in names if ".saywhy" in name]


def test_links_in_a_circle_are_one_sentence(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for use in (check_writable, write):
        with pytest.raises(UnusableFileError, match="a can't be written to: Too many levels of symbolic links; "):
            use(tmp_path / "a")


def test_permissions_stay_and_a_protected_file_is_left_alone(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o600)
    write(path)
    assert path.stat().st_mode & 0o777 == 0o600
    if os.getuid():  # the administrator may write everywhere
        path.chmod(0o400)
        with pytest.raises(UnusableFileError, match="a is write-protected"):
            write(path)


def test_a_name_of_the_greatest_length_can_be_written(tmp_path):
    for name in ("x" * 255, "ä" * 127, "y" * 100 + "." + "z" * 154):
        write(tmp_path / name)
        assert (tmp_path / name).read_text() == "new\n"


@pytest.mark.parametrize("name", ["a\nb", "a\udcff", "a\x1b[31m", "[red]", " ", "-", "~", "a\\b"])
def test_a_name_of_any_characters_can_be_written(tmp_path, name):
    write(tmp_path / name)
    assert os.listdir(tmp_path) == [name]  # noqa: PTH208


@pytest.mark.parametrize("name", ["a\0b", "/", ".", "..", "", "new/.."])
def test_a_name_that_is_none_is_one_sentence(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnusableFileError, match=r"can't be written to|is a folder"):
        write(name)


def test_a_working_folder_that_is_gone_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(UnusableFileError, match="a can't be written to: No such file"):
        write("a")
    write(tmp_path / "b")


def test_a_socket_is_refused(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        with pytest.raises(UnusableFileError, match="s is a socket, to which nothing is written"):
            write(tmp_path / "s")


@pytest.mark.parametrize("device", ["/dev/full", "/dev/null"])
def test_a_device_is_written_through_and_stays_a_device(device, tmp_path):
    before = os.stat(device)  # noqa: PTH116
    (tmp_path / "link").symlink_to(device)
    for path in (device, tmp_path / "link"):
        assert is_stream(path)
        if device == "/dev/full":
            with pytest.raises(UnusableFileError, match=f"{path} can't be written to: No space left on device; make room"):
                write(path)
        else:
            write(path)
    after = os.stat(device)  # noqa: PTH116
    assert (before.st_mode, before.st_ino, before.st_rdev) == (after.st_mode, after.st_ino, after.st_rdev)


def test_a_pipe_gets_all_or_nothing(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for text in ("x" * 300_000, None):
        got = []
        reader = threading.Thread(target=lambda got=got: got.append((tmp_path / "pipe").read_bytes()))
        reader.start()
        try:
            with atomic_open(tmp_path / "pipe", "wb") as stream:
                stream.write(b"x" * 300_000)
                if text is None:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        reader.join(30)
        assert got == [(text or "").encode()]
    assert [child.name for child in tmp_path.iterdir()] == ["pipe"]


def test_a_pipe_that_nobody_reads_is_no_silent_wait(tmp_path, monkeypatch):
    monkeypatch.setattr("saywhy_core.disk.destinations.READER_SECONDS", 0.1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnusableFileError, match=r"nobody reads the pipe .*pipe; start the program that reads it"):
        write(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/{0}", "/proc/self/fd/{0}", "link"])
@pytest.mark.parametrize("flags", [os.O_APPEND, 0])
def test_an_open_descriptor_is_written_to_where_it_stands(tmp_path, name, flags):
    """As with `>> file` and `> file`: what is there stays, and the file is not replaced."""
    (tmp_path / "log").write_text("before\n")
    (tmp_path / "link").symlink_to("/dev/stdout")
    handle = os.open(tmp_path / "log", os.O_WRONLY | flags)
    if not flags:
        os.lseek(handle, 7, os.SEEK_SET)
    name = str(tmp_path / "link") if name == "link" else name.format(1)
    code = f"from saywhy_core.disk.files import atomic_open\nprint('first')\nwith atomic_open({name!r}) as s: s.write('new')\nprint()"
    done = subprocess.run([sys.executable, "-c", code], stdout=handle, stderr=subprocess.PIPE, text=True, check=False)
    os.close(handle)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "log").read_text() == "before\nfirst\nnew\n"


def test_a_descriptor_that_cannot_be_written_to_is_one_sentence():
    reading, writing = os.pipe()
    with pytest.raises(UnusableFileError, match="is open for reading only"):
        destination(f"/dev/fd/{reading}")
    os.close(reading)
    os.close(writing)
    with pytest.raises(UnusableFileError, match=f"/dev/fd/{writing} can't be written to: Bad file descriptor"):
        destination(f"/dev/fd/{writing}")


KILLED = """
import os, signal, sys
from saywhy_core.disk.files import atomic_open
with atomic_open(sys.argv[1]) as stream:
    stream.write("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_run_left_behind_goes_with_the_next_one(tmp_path):
    path = tmp_path / "a.txt"
    done = subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(os.listdir(tmp_path)) == 1  # noqa: PTH208
    write(path)
    assert os.listdir(tmp_path) == ["a.txt"]  # noqa: PTH208


@pytest.mark.parametrize("others", [1, 3])
def test_what_a_run_that_was_killed_beside_others_left_behind_goes_as_well(tmp_path, others):
    path = tmp_path / "a.txt"
    with contextlib.ExitStack() as stack:
        for _ in range(others):
            stack.enter_context(atomic_open(path)).write("done")
        subprocess.run([sys.executable, "-c", KILLED, path], check=False)
        assert f".a.txt.saywhy-{others + 1}.tmp.txt" in os.listdir(tmp_path)  # noqa: PTH208
    write(path)
    assert os.listdir(tmp_path) == ["a.txt"]  # noqa: PTH208


def test_two_writers_of_one_file_do_not_share_a_temporary_file(tmp_path):
    with atomic_open(tmp_path / "a") as first, atomic_open(tmp_path / "a") as second:
        first.write("first")
        second.write("second")
    assert (tmp_path / "a").read_text() == "first"  # it ended last
    assert os.listdir(tmp_path) == ["a"]  # noqa: PTH208


def test_a_link_in_the_place_of_the_temporary_file_leads_nowhere(tmp_path):
    (tmp_path / "mine").write_text("mine")
    for number in (1, 2):
        (tmp_path / f".a.saywhy-{number}.tmp").symlink_to("mine")
    write(tmp_path / "a")
    assert (tmp_path / "mine").read_text() == "mine"
    assert not (tmp_path / "a").is_symlink()


def test_half_a_character_is_written_as_an_escape(tmp_path):
    write(tmp_path / "a", '{"text": "\ud800"}')
    assert (tmp_path / "a").read_text() == '{"text": "\\ud800"}'


@pytest.mark.parametrize("seed", range(20))
def test_no_secret_gets_through_in_pieces_of_any_length(tmp_path, monkeypatch, seed):
    monkeypatch.setattr("saywhy_core.disk.redacting._PIECE", 50)
    chance = random.Random(seed)
    secret = "sk-0123456789abcdef"
    keep_secret(secret, "key1")
    try:
        choices = [secret, " key1 ", "lorem ", "monkey12 ", "é" * chance.randrange(99), "sk-01", "\n", " "]
        text = "".join(chance.choice(choices) for _ in range(300))
        with atomic_open(tmp_path / "a") as stream:
            at = 0
            while at < len(text):
                at += stream.write(text[at : at + chance.randrange(1, 30)])
        hidden = text.replace(secret, MARK).replace(" key1 ", f" {MARK} ")
        one = re.compile(rf"{re.escape(MARK)}(?:\n*{re.escape(MARK)})*")  # marks side by side become one
        assert one.sub(MARK, (tmp_path / "a").read_text()) == one.sub(MARK, hidden)
    finally:
        forget_secrets()
