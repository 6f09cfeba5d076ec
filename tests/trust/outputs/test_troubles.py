"""Every command meets every ordinary trouble with its output in one sentence, status 2, and nothing half-made left behind."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

HIDDEN = (".saywhy-", ".lock")


def check_refused(done, says=""):
    told = done.stderr.strip().splitlines()
    assert done.returncode == 2, done.stderr
    assert told, "nothing was said"
    assert told[-1].startswith("error: "), done.stderr
    assert "Traceback" not in done.stderr
    assert "itself failed" not in done.stderr
    assert says in told[-1], done.stderr


def left_over(folder):
    return [name for _, _, names in os.walk(folder) for name in names if any(part in name for part in HIDDEN)]


@pytest.fixture
def trouble(tmp_path):
    """`trouble(kind)` makes it, and returns the path to write to."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    paths = {
        "long": "x" * 300,
        "deep": "/".join(["x" * 200] * 30),
        "null": "a\0b",
        "circle": "a",
        "in a circle": "a/b",
        "empty": "",
    }
    return lambda kind: paths.get(kind, kind)


@pytest.mark.parametrize(
    "kind", ["folder", "file/below", "long", "deep", "null", "circle", "in a circle", ".", "/", "empty", "/proc/none"]
)
def test_an_output_file_that_cannot_be(at_work, tmp_path, trouble, file_command, kind):
    done = at_work(file_command, trouble(kind))
    check_refused(done)
    assert (tmp_path / "file").read_text() == (tmp_path / "folder" / "mine").read_text() == "mine"
    assert not left_over(tmp_path)
    assert at_work.requests == 0


@pytest.mark.parametrize(
    "kind", ["file", "file/below", "long", "deep", "null", "circle", "in a circle", "/dev/null", "/proc/none"]
)
def test_an_output_folder_that_cannot_be(at_work, tmp_path, trouble, folder_command, kind):
    done = at_work(folder_command, trouble(kind))
    check_refused(done)
    assert (tmp_path / "file").read_text() == "mine"
    assert not left_over(tmp_path)


@pytest.mark.parametrize(
    "out",
    [
        "\udcff[red]\x1b]0;x\x07\n",
        *(pytest.param(one, marks=pytest.mark.long) for one in ("a\nb", "[red]x[/red]", "-x", " ", "é" * 60)),
    ],
)
def test_an_output_of_a_strange_name_is_written(at_work, tmp_path, command, out):
    if command == "picture page" and out == "-x":
        pytest.skip("the same as --out=-x")
    done = at_work(command, f"./{out}")
    assert done.returncode in (0, 1), done.stderr
    assert "itself failed" not in done.stderr
    assert "\x1b" not in done.stderr
    assert (tmp_path / (f"{out}.html" if command == "picture page" else out)).exists()


@contextmanager
def limited(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_that_may_not_grow(at_work, tmp_path, command):
    """The system says so in the words that it has for a full disk: the file is too large."""
    with limited(10):
        done = at_work(command, "out")
    check_refused(done, "make room on the disk")
    assert not left_over(tmp_path)
    assert at_work.requests == 0
    done = at_work(command, "out")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "number", [errno.EIO, *(pytest.param(one, marks=pytest.mark.long) for one in (errno.ENOSPC, errno.EROFS, errno.EDQUOT))]
)
def test_a_disk_that_fails_when_all_is_done(at_work, tmp_path, monkeypatch, command, number):
    """Also where the system names no file, as on closing or syncing."""
    synced = os.fsync
    left = [3]

    def fsync(handle):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(number, os.strerror(number))
        synced(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    done = at_work(command, "out")
    if left[0] < 0:
        check_refused(done, os.strerror(number))
    monkeypatch.setattr(os, "fsync", synced)
    done = at_work(command, "out")
    assert done.returncode == 0, done.stderr
    assert not left_over(tmp_path)


def test_devices_and_descriptors_get_the_whole_and_stay_what_they_are(at_work, tmp_path, file_command):
    if file_command in ("convert pixels", "attribute"):
        check_refused(at_work(file_command, "/dev/null"), "to a file, not to a stream")
        return
    done = at_work(file_command, "/dev/full")
    check_refused(done, "/dev/full can't be written to: No space left on device")
    done = at_work(file_command, "/dev/null")
    assert done.returncode == 0, done.stderr
    assert not [*Path("/dev").glob("null.*"), *Path("/dev").glob("full.*")]
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE)
    done = at_work(file_command, "pipe")
    assert done.returncode == 0, done.stderr
    through = reader.communicate(timeout=60)[0]
    assert at_work(file_command, "file.out").returncode == 0
    assert len(through) == pytest.approx((tmp_path / "file.out").stat().st_size, abs=60)  # times differ in their digits
    assert sorted(tmp_path.glob("pipe*")) == [tmp_path / "pipe"]


def test_a_working_folder_that_is_gone(at_work, tmp_path, monkeypatch, command):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.setattr("saywhy.cli.app.prepare", gone.rmdir)  # as soon as the command runs
    done = at_work(command, "out", folder=gone)
    check_refused(done, "is gone; change to another one")


def test_a_folder_for_temporary_files_that_is_missing_matters_to_pipes_alone(at_work, tmp_path, monkeypatch, command):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    done = at_work(command, "out")
    assert done.returncode == 0, done.stderr
