"""Two processes and one output: the second is refused at once with the number of the first, and nothing is paid twice."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

HOLDS = """
import sys, time
from saywhy_core.disk.locks import FileLock, folder_lock
held = [FileLock("out"), FileLock("out.html"), folder_lock("folder"), folder_lock("demo")]
for lock in held:
    lock.acquire()
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that writes `out`, `out.html` and `folder` in the folder of the test."""
    process = subprocess.Popen([sys.executable, "-c", HOLDS], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    "spelling", ["link{2}", *(pytest.param(one, marks=pytest.mark.long) for one in ("{0}", "./x/../{0}", "{1}/{0}"))]
)
@pytest.mark.long
def test_the_second_is_refused_and_a_killed_first_stops_nobody(at_work, tmp_path, holder, all_commands, spelling):
    (tmp_path / "x").mkdir()
    for name in ("out", "out.html", "folder"):
        (tmp_path / f"link-{name}").symlink_to(name)
    before = sorted(tmp_path.iterdir())
    for command, one in all_commands.items():
        name = "folder" if one.folder else "out"
        spelled = spelling.format(name, tmp_path, f"-{name}")
        if command == "picture page" and spelling.startswith("link"):
            spelled = "link-out"
        done = at_work(command, spelled)
        assert done.returncode == 2, (command, done.stderr)
        assert f"is being written by another process ({holder.pid}); wait until that ends" in done.stderr, (
            command,
            done.stderr,
        )
        assert at_work.requests == 0
    made = sorted(tmp_path.iterdir())
    assert [one for one in made if not one.name.startswith("out.replies.sqlite")] == before  # the cache is the first one's, too
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "out.lock").exists()
    done = at_work("convert", "out")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "out.lock").exists()


def test_the_demo_is_refused_before_its_work(in_process, tmp_path, holder):
    done = in_process.run_command("demo", "--out", "demo", folder=tmp_path)
    assert done.returncode == 2
    assert f"is being written by another process ({holder.pid})" in done.stderr
