"""A lock between processes: refused with the owner's id, healed when the owner is killed."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys

import pytest

from saywhy_core.disk.files import UnusableFileError
from saywhy_core.disk.locks import FileLock, folder_lock
from saywhy_core.errors import UsageError

HOLDS = """
import sys, time
from saywhy_core.disk.locks import FileLock
lock = FileLock(sys.argv[1])
lock.acquire()
print("held", flush=True)
time.sleep(600)
"""


def test_another_process_is_named_and_its_death_heals(tmp_path):
    path = tmp_path / "audit.sqlite"
    owner = subprocess.Popen([sys.executable, "-c", HOLDS, path], stdout=subprocess.PIPE, text=True)
    try:
        assert owner.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match=rf"audit\.sqlite is being written by another process \({owner.pid}\)"):
            FileLock(path).acquire()
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        assert path.with_name("audit.sqlite.lock").exists()  # left behind, and in nobody's way
        with FileLock(path) as lock:
            assert lock.path.read_text() == f"{os.getpid()}\n"
        assert not lock.path.exists()
    finally:
        owner.kill()
        owner.wait()


def test_one_process_may_not_hold_it_twice(tmp_path):
    with FileLock(tmp_path / "a", "journal") as first:
        first.acquire()  # the same lock again is no second one
        with pytest.raises(UsageError, match=r"the journal .*a is being written by this process already"):
            FileLock(tmp_path / "a", "journal").acquire()
    with FileLock(tmp_path / "a"):
        pass


def test_a_lock_that_is_dropped_is_given_back(tmp_path):
    lock = FileLock(tmp_path / "a")
    lock.acquire()
    del lock
    with FileLock(tmp_path / "a"):
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_does_not_give_its_parents_lock_away(tmp_path):
    with FileLock(tmp_path / "a") as lock:
        child = os.fork()
        if child == 0:
            lock.release()
            os._exit(0)
        os.waitpid(child, 0)
        assert lock.path.exists()
        with pytest.raises(UsageError):
            FileLock(tmp_path / "a").acquire()


def test_a_folder_is_locked_by_whatever_path_it_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with folder_lock(".") as lock:
        with pytest.raises(UsageError, match=rf"the folder {re.escape(str(tmp_path))} is being written by this process"):
            folder_lock(tmp_path).acquire()
        assert lock.path.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnusableFileError, match=r"file/out can't be written to"):
        folder_lock(tmp_path / "file" / "out").acquire()


@pytest.mark.skipif(sys.platform == "win32", reason="replaces the lock of POSIX systems")
def test_a_file_system_without_locks_is_not_called_another_process(tmp_path, monkeypatch):
    def refuse(handle):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("saywhy_core.disk.locks.lock", refuse)
    with pytest.raises(UnusableFileError, match=r"a\.lock can't be locked .*No locks available"):
        FileLock(tmp_path / "a").acquire()
