"""Runs workers over many inputs, and goes on with a fresh one where an input hangs, crashes or kills its process.

    python tests/trust/fuzz/campaign.py csv pictures --count 2000 --seed 0

Prints one line per format, and each fault once with the command that replays it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import select
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

WORKER = Path(__file__).with_name("worker.py")
ROOT = Path(__file__).parents[3]
FORMATS = ("jsonl", "json", "csv", "text", "arrays", "pictures", "onnx", "torch", "toml", "http", "kept")
START_SECONDS = 600  # the imports and the honest files, on a busy machine
HANG_SECONDS = 100  # twice the limit of an input and more: it does not come back from C


@dataclass
class Campaign:
    """What came of the inputs of one format.

    Attributes:
        form: the format.
        seed: of the inputs.
        inputs: one dictionary per input, as `worker.Outcome` has it.
    """

    form: str
    seed: int
    inputs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def results(self) -> Counter[str]:
        """How many inputs were accepted, partly accepted, refused."""
        return Counter(one["result"] for one in self.inputs)

    @property
    def worst_seconds(self) -> float:
        """The longest time of an input."""
        return max((one["seconds"] for one in self.inputs), default=0.0)

    @property
    def most_megabytes(self) -> int:
        """The most memory while an input was handled."""
        return max((one["megabytes"] for one in self.inputs), default=0)

    def faults(self, kind: str = "") -> list[tuple[int, str]]:
        """(number of the input, what is wrong) of all faults that begin so."""
        return [(one["number"], fault) for one in self.inputs for fault in one["faults"] if fault.startswith(kind)]

    def replay(self, number: int) -> str:
        """The command that handles one input again and tells all about it."""
        return f"python tests/trust/fuzz/worker.py {self.form} --seed {self.seed} --first {number} --count 1 --show"

    def report(self) -> str:
        """The faults, each kind once, with how often it was seen and how to see it again."""
        kinds: dict[str, list[tuple[int, str]]] = {}
        for number, fault in self.faults():
            kinds.setdefault(re.sub(r"0x[0-9a-f]+|\d+|/tmp/\S*|'[^']*'", "*", fault)[:160], []).append((number, fault))
        ordered = sorted(kinds.values(), key=len, reverse=True)
        return "\n".join(f"{len(found)}x {found[0][1][:300]}\n    {self.replay(found[0][0])}" for found in ordered)


def run(form: str, *, count: int, first: int = 0, seed: int = 0, peer: bool = False) -> Campaign:
    """Handle `count` inputs of a format, in as many processes as it takes; `peer` gives them to a plain library instead."""
    done = Campaign(form, seed)
    number, stop = first, first + count
    while number < stop:
        number = _one_process({form: done}, number, stop, peer=peer)
    return done


def run_together(forms: Sequence[str], *, count: int, seed: int) -> dict[str, Campaign]:
    """Handle `count` inputs of each format in one process, which saves its start; it ends where an input hangs or crashes."""
    done = {form: Campaign(form, seed) for form in forms}
    _one_process(done, 0, count)
    return done


def honest(form: str) -> list[dict[str, Any]]:
    """What came of each honest file in each of its uses."""
    found = subprocess.run(
        [sys.executable, str(WORKER), form, "--honest"],
        capture_output=True,
        env=_environment(),
        timeout=START_SECONDS,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in found.stdout.splitlines()]


def _environment() -> dict[str, str]:
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _one_process(done: dict[str, Campaign], first: int, stop: int, *, peer: bool = False) -> int:
    """Handle inputs until the process ends; the number of the input with which the next one begins."""
    seed = next(iter(done.values())).seed
    command = [
        sys.executable,
        str(WORKER),
        *done,
        "--seed",
        str(seed),
        "--first",
        str(first),
        "--count",
        str(stop - first),
    ]
    command += ["--peer"] * peer
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment())
    assert running.stdout is not None
    handled, current, form = first, None, ""
    try:
        for line in _lines(running.stdout, first=START_SECONDS, later=HANG_SECONDS):
            said = json.loads(line)
            if "start" in said:
                current, form = said["start"], said["form"]
            else:
                done[form].inputs.append(said)
                handled, current = said["number"] + 1, None
    except TimeoutError:
        running.kill()
    _, error = running.communicate()
    if running.returncode > 0:  # not the input: the worker itself
        raise RuntimeError(f"the worker fails at input {current} of {form}: {error.decode(errors='replace')[-2000:]}")
    if current is not None:  # it ended in the middle of an input
        fault = f"crash: signal {-running.returncode}" if running.returncode != -9 else f"time: hangs for {HANG_SECONDS} s"
        lost = {"number": current, "source": "", "use": "", "result": "lost", "seconds": 0.0, "megabytes": 0, "faults": [fault]}
        done[form].inputs.append(lost)
        return int(current) + 1
    if handled == first:
        raise RuntimeError(f"the worker for {list(done)} did nothing: {error.decode(errors='replace')[-2000:]}")
    return handled


def _lines(stream: IO[bytes], *, first: float, later: float) -> Any:
    """The lines of a pipe; raises TimeoutError where none comes in time."""
    pending, limit = b"", first
    descriptor = stream.fileno()
    while True:
        ready, _, _ = select.select([descriptor], [], [], limit)
        if not ready:
            raise TimeoutError
        piece = os.read(descriptor, 65_536)
        if not piece:
            return
        limit = later
        *whole, pending = (pending + piece).split(b"\n")
        yield from whole


def main() -> None:
    """Run campaigns as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("formats", nargs="*", default=FORMATS)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for form in given.formats:
        started = time.monotonic()
        done = run(form, count=given.count, first=given.first, seed=given.seed)
        print(
            f"== {form}: {len(done.inputs)} inputs, {dict(done.results)}, worst {done.worst_seconds:.1f} s, most {done.most_megabytes} MB, "
            f"{len(done.faults())} faults, {time.monotonic() - started:.0f} s\n{done.report()}",
            flush=True,
        )


if __name__ == "__main__":
    main()
