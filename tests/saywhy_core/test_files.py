"""Files written whole or not at all: what can't be written is one sentence that names the path."""

from __future__ import annotations

import errno
import os

import pytest

from saywhy_core.disk.files import UnusableFileError, atomic_open, atomic_path, check_writable
from saywhy_core.errors import UsageError


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

    with pytest.raises(UnusableFileError, match=r"is a folder; name a file|can't be written to: .+; name a place") as raised:
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
