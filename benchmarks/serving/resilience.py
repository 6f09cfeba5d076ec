"""Kills, faults and lost workers: what an audit leaves behind is what an uninterrupted one leaves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from typing import TYPE_CHECKING

from benchmarks.serving.command import Run, image_set
from benchmarks.serving.databases import BEGUN, differences
from benchmarks.serving.mlserver import MLServer, mlserver_python
from benchmarks.serving.proxy import FaultyProxy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KILLS = 3
SHARE = 0.05  # of the requests are spoilt on their way
SHAPE = (48, 48, 3, 43)


def kills(data: Path, folder: Path, *, quick: bool) -> bool:
    """Three SIGKILLs, a restart of the server, 5 % of the requests spoilt: behind MLServer (binary, JSON), and from a file."""
    count, budget = (30, 60) if quick else (300, 100)
    images = image_set(data, folder, count)
    words = ["--budget", str(budget), "--seed", "0"]
    model = data / "gtsrb" / "gtsrb_cnn.onnx"
    print(f"GTSRB, {count} images, {budget} queries per search; weather and survival as they come")
    fine = _from_file(folder / "file", images, [*words, "--target", f"onnx:{model}"], count)
    if mlserver_python() is None:
        print("MLServer: left out, because SAYWHY_MLSERVER names no Python with mlserver")
        return fine
    for name, binary in (("JSON", "false"), ("binary", "true")):
        fine &= _behind_mlserver(folder / name, images, words, binary, model, count)
    return fine


def _from_file(folder: Path, images: Path, words: list[str], count: int) -> bool:
    whole, killed = Run(folder / "whole", images, *words), Run(folder / "killed", images, *words)
    whole.to_its_end()
    happened = _with_kills(killed, count, random.Random(1))
    return _told("ONNX file", whole, killed, happened, BEGUN)


def _with_kills(run: Run, count: int, chance: random.Random, on_kill: dict[int, object] | None = None) -> list[str]:
    """Run to the end, with kills after shares of the images; what happened."""
    marks = [round(count * share) for share in (0.2, 0.45, 0.7)]
    happened = []
    while True:
        process = run.start()
        if marks:
            mark = marks.pop(0)
            while run.done() < mark and process.poll() is None:
                time.sleep(0.05)
            time.sleep(chance.uniform(0, 0.3))
            process.send_signal(signal.SIGKILL)
        said = process.communicate()[0]
        if process.returncode == -signal.SIGKILL:
            happened.append(f"SIGKILL at {run.done()} images")
            if on_kill and len(happened) in on_kill:
                on_kill[len(happened)]()  # type: ignore[operator]
            continue
        if process.returncode == 2 and "paused" in said:
            happened.append(f"paused at {run.done()} images")
            if happened.count(happened[-1]) > 3:
                raise RuntimeError(said[-1500:])
            continue
        if process.returncode:
            raise RuntimeError(f"status {process.returncode}: {said[-1500:]}")
        return happened


def _told(name: str, whole: Run, other: Run, happened: list[str], ignored: Sequence[str]) -> bool:
    found = differences(whole.out, other.out, ignored)
    print(f"{name}: {', '.join(happened)}; differences from the uninterrupted audit: {len(found)}")
    for line in found[:20]:
        print("   ", line)
    return not found


def _behind_mlserver(folder: Path, images: Path, words: list[str], binary: str, model: Path, count: int) -> bool:
    def options(port: int) -> list[str]:
        address = f"http://127.0.0.1:{port}{'/binary' if binary == 'true' else ''}"
        return [*words, "--target", f"oip:{address}#signs", "--option", f"binary={binary}", "--option", "concurrency=4"]

    fine, name = True, folder.name
    server = MLServer(folder / "server", model, SHAPE)
    server.start()
    try:
        proxy = FaultyProxy(server.port, 0)  # one address for both: the results of another one are other results
        whole = Run(folder / "whole", images, *options(proxy.port))
        whole.to_its_end()
        first = server.answered()
        proxy.share, proxy.passed = SHARE, 0
        killed = Run(folder / "killed", images, *options(proxy.port))

        def restart() -> None:
            server.stop()
            server.start()

        happened = _with_kills(killed, count, random.Random(2), {2: restart})
        happened.append("the server started again")
        second = server.answered()[len(first) :]
        happened.append(f"{proxy.spoilt} of {proxy.spoilt + proxy.passed} requests spoilt")
        fine &= _told(f"MLServer, {name}", whole, killed, happened, BEGUN)
    finally:
        server.stop()
    fine &= _counted(Counter(first), Counter(second), whole.checked(), proxy.cut)
    return fine


def _counted(first: Counter[str], second: Counter[str], checks: int, cut: int) -> bool:
    """Which images the server answered more often than in the uninterrupted audit, by its own count."""
    more = {image: number - first[image] for image, number in second.items() if number > first[image]}
    print(
        f"    the server answered {first.total():,} images of the uninterrupted audit, {checks:,} of them checks of findings, "
        f"and {second.total():,} of this one: {sum(more.values()):,} more, of {len(more):,} images. "
        f"{cut} answers found nobody, because the audit was killed while it waited for them"
    )
    return second.total() - first.total() <= max(64, 64 * cut)  # a request is at most one batch


def on_ray(data: Path, folder: Path, *, quick: bool) -> bool:
    """Two local workers, one killed during the run."""
    count, budget = (30, 60) if quick else (200, 150)
    images = image_set(data, folder, count)
    words = ["--budget", str(budget), "--target", f"onnx:{data / 'gtsrb' / 'gtsrb_cnn.onnx'}", "--option", "threads=1"]
    local = Run(folder / "local", images, *words)
    local.to_its_end()
    cluster = Run(folder / "ray", images, *words, "--engine", "ray", "--workers", "2")
    process = cluster.start()
    while cluster.done() < count // 4 and process.poll() is None:
        time.sleep(0.05)
    killed = _a_worker_of(process.pid)
    if killed is not None:
        os.kill(killed, signal.SIGKILL)
    said = process.communicate()[0]
    if process.returncode:
        raise RuntimeError(said[-1500:])
    happened = [f"worker {killed} killed" if killed is not None else "no worker was found to kill"]
    return _told("two workers", local, cluster, happened, BEGUN) and killed is not None


def _a_worker_of(driver: int) -> int | None:
    """The process of a Ray worker that works for a process, by the names that Ray gives to its processes (Linux)."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout.splitlines()[1:]
    rows = [line.split(None, 2) for line in listed]
    parents = {int(pid): int(parent) for pid, parent, _ in rows}

    def below(pid: int) -> bool:
        while pid > 1:
            if pid == driver:
                return True
            pid = parents.get(pid, 0)
        return False

    workers = [int(pid) for pid, _, words in rows if words.startswith("ray::ChunkWorker") and below(int(pid))]
    return workers[0] if workers else None
