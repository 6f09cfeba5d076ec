"""Real Ray with two workers on this machine: one is killed, the command is stopped; the rows are those of one process."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest

pytest.importorskip("ray", reason="the package ray is not installed")
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

IMAGES = 24
SLOW = """
import os, time
import numpy as np

rng = np.random.default_rng(5)
inner = rng.normal(size=(8 * 8 * 3, 24)).astype(np.float32) / 10
outer = rng.normal(size=(24, 4)).astype(np.float32)
tally = os.open(f"asked.{os.getpid()}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def predict(images):
    time.sleep(0.01)
    scores = np.maximum((images.reshape(len(images), -1) - 0.5) @ inner, 0) @ outer
    os.write(tally, f"{len(images)}\\n".encode())
    return scores
"""


class Stage:
    """A folder with images in it, and runs of the command there."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        (folder / "slow.py").write_text(SLOW)
        images = np.random.default_rng(3).random((IMAGES, 8, 8, 3)).astype(np.float32)
        np.savez(folder / "set.npz", images=(0.3 + 0.4 * images))

    def start(self, engine, *more):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
        words = ["audit", "run", "out", "set.npz", "--target", "python:slow:predict", "--scores", "logits", "--trust"]
        search = ["--distance", "l2", "--budget", "300", "--weather", "blur", "--engine", engine]
        return subprocess.Popen(
            [sys.executable, "-m", "saywhy", *words, *search, *more], cwd=self.folder, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, engine, *more):
        process = self.start(engine, *more)
        said = "".join(process.communicate())
        assert process.returncode == 0, said
        return said

    def asked(self):
        """Images by process."""
        return {int(path.suffix[1:]): sum(map(int, path.read_text().split())) for path in self.folder.glob("asked.*")}

    def finished(self):
        if not (self.folder / "out" / "audit.sqlite").exists():
            return 0
        with suppress(sqlite3.OperationalError), sqlite3.connect(self.folder / "out" / "audit.sqlite") as database:
            return database.execute("SELECT count(*) FROM images WHERE status IN ('found', 'held', 'wrong')").fetchone()[0]
        return 0  # it is being made

    def rows(self):
        with sqlite3.connect(self.folder / "out" / "audit.sqlite") as database:
            tables = [database.execute(f"SELECT * FROM {name} ORDER BY 1, 2, 3").fetchall() for name in ("images", "weather")]
        pictures = {}
        for path in sorted((self.folder / "out" / "images").glob("*.npz")):
            with np.load(path) as arrays:
                pictures[path.name] = {name: arrays[name].tolist() for name in arrays.files}
        return tables, pictures


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The audit in one process, without interruption."""
    stage = Stage(tmp_path_factory.mktemp("audits") / "local")
    stage.run("local")
    return stage


@pytest.fixture
def until(wait_until):
    """Wait for a condition while a process runs."""

    def wait(condition, process):
        wait_until(lambda: condition() or process.poll() is not None, timeout=180, what="what the command was to do")
        assert process.poll() is None, "".join(process.communicate())

    return wait


def test_a_worker_is_killed_and_nothing_is_lost(tmp_path, whole, until):
    stage = Stage(tmp_path / "ray")
    process = stage.start("ray", "--workers", "2")
    until(lambda: stage.finished() >= 2, process)
    workers = {number: images for number, images in stage.asked().items() if number != process.pid and images}
    assert workers
    killed = max(workers, key=workers.__getitem__)
    os.kill(killed, signal.SIGKILL)
    out, said = process.communicate()
    assert process.returncode == 0, said
    assert "raylet" not in out + said  # Ray's own words
    assert "Traceback" not in said
    assert stage.rows() == whole.rows()
    asked = stage.asked()
    assert len(asked) >= 3  # the command's own process, the worker that was killed, and its successor or the other one
    print(f"one process asked {sum(whole.asked().values())}, the cluster with a killed worker {sum(asked.values())}")
    # what was answered within the tenth of a second before the kill, and memory of equal images is per process
    assert sum(asked.values()) <= sum(whole.asked().values()) * 1.15


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_command_keeps_what_the_workers_were_answered(tmp_path, whole, until, number):
    stage = Stage(tmp_path / "ray")
    process = stage.start("ray", "--workers", "2")
    until(lambda: stage.finished() >= 2, process)
    process.send_signal(number)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + number, said
    assert "Traceback" not in said
    assert 2 <= stage.finished() < IMAGES
    assert list((stage.folder / "out" / "answers").glob("*.bin"))
    stage.run("local")
    assert stage.rows() == whole.rows()
    assert sum(stage.asked().values()) <= sum(whole.asked().values()) * 1.15


def test_a_ceiling_buys_whole_images_on_a_cluster_too(tmp_path, whole):
    """An image takes 305 queries at most: 300, three severities of blur, and two saved pictures."""
    stage = Stage(tmp_path / "ray")
    process = stage.start("ray", "--workers", "2", "--max-queries", str(7 * 305))
    said = "".join(process.communicate())
    assert process.returncode == 2, said
    assert "the audit is paused" in said
    assert 7 <= stage.finished() < IMAGES
    stage.run("ray", "--workers", "2", "--max-queries", "100000")
    assert stage.rows() == whole.rows()
