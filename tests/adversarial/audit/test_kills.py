"""`saywhy attack` on twenty images, killed at random moments: what it leaves is what an uninterrupted run leaves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pytest

BATCH = 32
SLOW = """
import os, time
from glob import glob
import numpy as np

rng = np.random.default_rng(5)
inner = rng.normal(size=(24 * 24 * 3, 24)).astype(np.float32) / 10
outer = rng.normal(size=(24, 4)).astype(np.float32)
tally = os.open("asked", os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def predict(images):
    os.write(tally, f"{len(images)}\\n".encode())
    time.sleep(0.02)
    while os.path.exists("hold") and any('"finished": true' in open(path).read() for path in glob("out/*/result.json")):
        time.sleep(0.02)
    return np.maximum((images.reshape(len(images), -1) - 0.5) @ inner, 0) @ outer
"""
TARGETS = {"demo": (["demo:signs"], 48, 150), "slow": (["python:slow:predict", "--scores", "logits", "--trust"], 24, 300)}


class Stage:
    """A folder with images in it, and runs of the command there."""

    def __init__(self, folder, kind, count=20, budget=None):
        folder.mkdir()
        self.folder, (target, side, usual) = folder, TARGETS[kind]
        (folder / "slow.py").write_text(SLOW)
        images = np.random.default_rng(3).random((count, side, side, 3)).astype(np.float32)
        np.savez(folder / "set.npz", images=(0.3 + 0.4 * images))
        settings = ["--budget", str(budget or usual), "--batch-size", str(BATCH), "--out", "out", "--distance", "l2"]
        self.words = [sys.executable, "-m", "saywhy", "attack", "set.npz", "--target", *target, *settings]
        self.said = []

    def start(self, *more):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
        return subprocess.Popen(
            [*self.words, *more], cwd=self.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def run(self, *more):
        process = self.start(*more)
        self.said.append(process.communicate()[1])
        return process.returncode

    @property
    def asked(self):
        tally = self.folder / "asked"
        return sum(map(int, tally.read_text().split())) if tally.exists() else 0

    def results(self):
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.glob("out/**/*"))
            if path.is_file() and not path.name.startswith("audit.sqlite")
        }

    def finished(self):
        return {
            path: path.stat().st_mtime_ns
            for path in self.folder.glob("out/*/result.json")
            if b'"finished": true' in path.read_bytes()
        }


def _killed_until_done(stage, chance, seconds):
    """Kill up to five runs on the way, and let the last come to its end; how many were killed."""
    kills = 0
    while True:
        before = stage.finished()
        process = stage.start()
        if kills < 5:
            with suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.3, 0.5) * seconds)
            process.send_signal(signal.SIGKILL)
        said = process.communicate()[1]
        assert "Traceback" not in said
        after = stage.finished()
        assert {path: after.get(path) for path in before} == before  # nothing finished is made again
        if process.returncode == -signal.SIGKILL:
            kills += 1
            continue
        assert process.returncode == 0, said
        return kills


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", TARGETS)
def test_five_kills_change_nothing_and_cost_little(tmp_path, kind):
    whole = Stage(tmp_path / "whole", kind)
    begin = time.monotonic()
    assert whole.run() == 0, whole.said
    seconds = time.monotonic() - begin
    chance = random.Random(f"kills of {kind}")
    for attempt in range(6):
        stage = Stage(tmp_path / f"killed{attempt}", kind)
        kills = _killed_until_done(stage, chance, seconds)
        if kills >= 2:
            break
        seconds *= 0.6  # the first run met a busier machine
    print(f"{kind}: {seconds:.1f} s, {kills} kills, {whole.asked} asked by the whole run, {stage.asked} by all together")
    assert kills >= 2
    assert stage.results() == whole.results()
    assert stage.asked <= whole.asked + BATCH * kills


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)], ids=["SIGTERM", "SIGINT"]
)
@pytest.mark.long
def test_a_signal_leaves_whole_results_and_a_word(tmp_path, wait_until, number):
    """Stopped as soon as the first result is there: it is whole, the search of others is kept, and the status says how."""
    stage = Stage(tmp_path / "stopped", "slow", 4, budget=150)
    (stage.folder / "hold").touch()  # on a busy machine the others could end before the signal comes
    process = stage.start()
    wait_until(lambda: stage.finished() or process.poll() is not None)
    process.send_signal(number)
    (stage.folder / "hold").unlink()
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + number, said
    assert "the same command goes on" in said.splitlines()[-1]
    first, asked = stage.finished(), stage.asked
    assert 1 <= len(first) < 4
    assert list(stage.folder.glob("out/*/answers.bin"))
    assert stage.run() == 0, stage.said
    assert "begun earlier and go" in stage.said[-1]
    assert f"{len(first)} were there already" in stage.said[-1]
    assert {path: stage.finished().get(path) for path in first} == first
    assert stage.asked > asked


@pytest.mark.long
def test_two_processes_with_two_seeds_on_one_folder(tmp_path):
    """Both begin at the same moment: one of them works, the other is refused before it asks anything."""
    stage = Stage(tmp_path / "two", "slow", 2)
    processes = [stage.start("--seed", str(seed), "--budget", "20") for seed in (0, 1)]
    said = [process.communicate()[1] for process in processes]
    status = [process.returncode for process in processes]
    if sorted(status) == [1, 1]:
        pytest.fail(f"both failed: {said}")
    (winner,) = (number for number, code in enumerate(status) if code == 0)
    other = 1 - winner
    # the second was refused at the lock, or, where the first had ended by then, by each result that is there
    assert status[other] in (1, 2)
    if status[other] == 2:
        assert f"is being written by another process ({processes[winner].pid})" in " ".join(said[other].split())
    seeds = {path.read_text().split('"seed": ')[1][0] for path in stage.folder.glob("out/*/result.json")}
    assert seeds == {str(winner)}
    assert len(stage.finished()) == 2
