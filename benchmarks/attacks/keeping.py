"""Results in a file of JSON lines, one for each contender, image, seed and budget, so that a run can be cut off and go on."""

from __future__ import annotations

import json
import multiprocessing
import time
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.attacks import contenders
from benchmarks.attacks.networks import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Key = tuple[str, str, str, int, int, int]
    Row = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
FIELDS = ("part", "network", "attack", "seed", "position", "budget")


@dataclass(frozen=True)
class Task:
    """One contender on one image with one seed, for some budgets."""

    data: Path
    part: str
    network: str
    attack: str
    seed: int
    position: int
    budgets: tuple[int, ...]


@dataclass
class Kept:
    """The rows of a file, by `FIELDS`; without a file, they last as long as the process.

    A line that was cut off is passed over; of two rows with one key the later one counts.
    """

    file: Path | None = None
    rows: dict[Key, Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.file is None or not self.file.exists():
            return
        for line in self.file.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue
            self.rows[_key(row)] = row

    def add(self, rows: Iterable[Row]) -> None:
        """Keep rows, and write them at once."""
        new = list(rows)
        self.rows |= {_key(row): row for row in new}
        if self.file is not None:
            with self.file.open("a", encoding="utf-8") as out:
                out.writelines(json.dumps(row) + "\n" for row in new)

    def missing(self, tasks: Iterable[Task]) -> list[Task]:
        """The tasks that are not done, with the budgets that are not."""
        left = []
        for task in tasks:
            budgets = (contenders.STEPS,) if task.attack == contenders.REFERENCE else task.budgets
            open_ones = tuple(
                one for one in budgets if (task.part, task.network, task.attack, task.seed, task.position, one) not in self.rows
            )
            if open_ones:
                left.append(Task(task.data, task.part, task.network, task.attack, task.seed, task.position, open_ones))
        return left

    def older(self) -> int:
        """How many rows were measured with another state of the code that they depend on."""
        return sum(row.get("code") != state(row["attack"]) for row in self.rows.values())


def _key(row: Row) -> Key:
    return tuple(row[name] for name in FIELDS)  # type: ignore[return-value]


@cache
def state(attack: str) -> str:
    """A digest of the code that a contender's results depend on."""
    place, pattern = (
        ("benchmarks/peers", "*.py")
        if contenders.is_peer(attack) or attack == contenders.REFERENCE
        else ("adversarial", "**/*.py")
    )
    digest = sha256()
    for file in sorted((ROOT / place).glob(pattern)):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:10]


def done(task: Task) -> list[Row]:
    """Run a task."""
    everything = read(task.data, task.network)
    started = time.process_time()
    chosen = everything.at(everything.positions[task.position : task.position + 1])
    found = contenders.run(task.data, chosen, task.part, task.attack, task.budgets, task.seed)
    seconds = round((time.process_time() - started) / len(found), 3)
    shared = {name: getattr(task, name) for name in FIELDS[:-1]}
    return [{**shared, **row, "seconds": seconds, "code": state(task.attack)} for row in found]


def run(kept: Kept, tasks: list[Task], jobs: int, seconds: float) -> int:
    """Run what is not in the file, so many tasks at a time, and begin none after so many seconds.

    Returns:
        How many tasks are left.
    """
    left = kept.missing(tasks)
    total, end = len(left), time.monotonic() + seconds
    finished = 0
    for rows in _results(left, jobs, end):
        kept.add(rows)
        finished += 1
    return total - finished


def _results(tasks: list[Task], jobs: int, end: float) -> Iterator[list[Row]]:
    def until_then() -> Iterator[Task]:
        for task in tasks:
            if time.monotonic() > end:
                return
            yield task

    if jobs <= 1:
        yield from map(done, until_then())
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        # the pool takes tasks ahead of time: a few at a time, so that it stops when it should
        waiting: list[Any] = []
        for task in until_then():
            waiting.append(pool.apply_async(done, (task,)))
            while len(waiting) >= 2 * jobs:
                yield waiting.pop(0).get()
        for one in waiting:
            yield one.get()
