"""Kills a command at random moments until it is done, and compares what it leaves with an uninterrupted run."""

from __future__ import annotations

import json
import math
import re
import shutil
import signal
import sqlite3
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from pathlib import Path

LONGEST = 120.0  # seconds; a run that takes longer hangs
MOST_KILLS = 4  # of one command, before it may go on to its end
_CLOCK = re.compile(rb'"(time|seconds)": ("[^"]*"|[\d.e-]+)')  # in JSON: when, and how long; nothing else may differ
_COLUMNS_OF_TIME = {"created"}
_NAMES_OF_RUNS = {"id", "response_metadata"}  # of a stored reply: which run it came from, and when


@dataclass
class Story:
    """What happened to a scenario.

    Attributes:
        name: of the scenario.
        needed: requests, or images asked about, of an uninterrupted run.
        made: the same over all runs.
        kills: kills that met a living process.
        cycles: how often it was brought to its end.
        repeated: requests whose answer had arrived, and which were asked again.
        allowed: how many of these may have been on their way when a kill came.
        seconds: of the uninterrupted run.
        shortest: seconds of the quickest run that came to its end before a kill: the first may have met a busier machine.
        wrong: sentences about what is not as it should be.
    """

    name: str
    needed: int = 0
    made: int = 0
    kills: int = 0
    cycles: int = 0
    repeated: int = 0
    allowed: int = 0
    seconds: float = 0.0
    shortest: float = math.inf
    wrong: list[str] = field(default_factory=list)

    def note(self, wrong: str) -> None:
        """Remember what is wrong."""
        if wrong:
            self.wrong.append(wrong)


@dataclass(frozen=True)
class Whole:
    """What an uninterrupted run left: its results, how long it took, and what it asked."""

    results: dict[str, Any]
    seconds: float
    asked: int


class Stage:
    """A scenario in a folder of its own, with its server."""

    def __init__(self, forge: Any, scenarios: Any, scenario: Any, folder: Path, *, like: Stage | None = None) -> None:
        self.forge, self.scenarios, self.scenario, self.folder = forge, scenarios, scenario, folder
        self.work = folder / "work"
        if like is None:
            self.inputs_at = folder / "inputs"
            self.inputs_at.mkdir(parents=True)
            scenario.prepare(self.inputs_at)
        else:
            self.inputs_at = like.inputs_at
        shutil.copytree(self.inputs_at, self.work)
        self.inputs = frozenset(one.name for one in self.work.iterdir())
        misbehaving = scenarios.load("agents/misbehaving_server.py")
        self.server = misbehaving.MisbehavingServer(behave=scenario.reply) if scenario.reply is not None else None
        self.words = scenario.words(self.server.url if self.server else "")

    def __enter__(self) -> Stage:
        if self.server:
            self.server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self.server:
            self.server.__exit__()

    def start(self, **options: Any) -> Any:
        """Start the command."""
        return self.forge.start(self.words, self.work, self.folder / "told", **options)

    @property
    def asked(self) -> int:
        """What the server, or the classifier, was asked so far."""
        if self.server:
            return len(self.server.requests)
        return int(self.scenarios.asked_of_classifier(self.folder))

    def settle(self) -> None:
        """Wait until the server has let go of what a killed process had asked."""
        deadline = time.monotonic() + 10
        while self.server and self.server.at_once and time.monotonic() < deadline:
            time.sleep(0.002)

    def results(self) -> dict[str, Any]:
        """All that the command has written, by name: the bytes of files, the rows of databases; not the lost and found."""
        return {name: content for name, content in contents(self.work).items() if name.partition("/")[0] not in self.inputs}

    def rubbish(self) -> list[str]:
        """What lies in the folder and should not: temporary files, locks, journals."""
        allowed = self.scenario.outputs | self.inputs
        names = [path.relative_to(self.work).as_posix() for path in sorted(self.work.rglob("*"))]
        strange = [name for name in names if name.partition("/")[0] not in allowed and "__pycache__" not in name]
        inside = [name for name in names if name.split("/")[-1].startswith(".") or name.endswith((".tmp", ".part", ".old"))]
        return sorted({*strange, *inside, *(name for name in names if name.endswith(("-wal", "-shm", ".lock", ".bin")))})


def uninterrupted(stage: Stage, **options: Any) -> Whole:
    """Run the command once to its end."""
    begin = time.monotonic()
    run = stage.start(**options)
    status = finish(run)
    seconds = time.monotonic() - begin
    assert status == 0, f"{stage.scenario.name}: exit status {status}: {run.told}"
    assert not stage.rubbish(), f"{stage.scenario.name} leaves {stage.rubbish()} after an uninterrupted run"
    return Whole(stage.results(), seconds, stage.asked)


def killed_until_done(
    stage: Stage, whole: Whole, chance: random.Random, story: Story, *, number: int = signal.SIGKILL, most: int = MOST_KILLS
) -> None:
    """Run the command again and again, with a kill at a random moment of the first `most` runs, until it ends by itself."""
    kills, ends = 0, []
    while True:
        before = finished_files(stage)
        begin = time.monotonic()
        run = stage.start()
        if kills < most and not wait(run, chance.uniform(0.0, min(whole.seconds, story.shortest))):
            run.signal(number)
        status = finish(run)
        if status == 0 and not kills:
            story.shortest = min(story.shortest, time.monotonic() - begin)
        stage.settle()
        ends.append(stage.asked)
        story.note(changed(before, finished_files(stage), run))
        if status == -number or (number != signal.SIGKILL and status == 128 + number):
            kills += 1
            story.note(bad_ending(run, number))
            continue
        if status != 0:
            story.note(f"exit status {status} after {kills} kills: {run.told[-300:]!r}")
        break
    story.kills += kills
    story.cycles += 1
    judge(stage, whole, ends, kills, story)


def judge(stage: Stage, whole: Whole, ends: list[int], kills: int, story: Story) -> None:
    """Compare what all runs together left and asked with the uninterrupted run."""
    story.needed, story.made, story.seconds = story.needed + whole.asked, story.made + stage.asked, whole.seconds
    story.allowed += stage.scenario.at_once * kills
    if stage.asked > whole.asked + stage.scenario.at_once * kills:
        more = f"{whole.asked} + {stage.scenario.at_once} x {kills}"
        story.note(f"{stage.asked} requests are more than {more}")
    if stage.server:
        again = Counter(request.key for request in stage.server.answered)
        story.repeated += sum(times - 1 for times in again.values())
        for begin, end in zip([0, *ends[:-1]], ends, strict=True):
            given_up = [r for r in stage.server.requests[begin:end] if any(r.key == q.key for q in stage.server.requests[end:])]
            if len(given_up) > stage.scenario.at_once:
                story.note(
                    f"{len(given_up)} requests of one run were made again; {stage.scenario.at_once} were in flight at most"
                )
    story.note(difference(whole.results, stage.results()))
    if stage.rubbish():
        story.note(f"left behind: {', '.join(stage.rubbish()[:4])}")


def finish(run: Any) -> int:
    """Wait for a run's end; one that hangs is killed and reported as such."""
    if not wait(run, LONGEST):
        run.signal(signal.SIGKILL)
        raise AssertionError(f"process {run.pid} hung: {run.told[-300:]!r}")
    return int(run.wait())


def wait(run: Any, seconds: float) -> bool:
    """Wait so long, or until the process has ended; whether it has."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if run.ended():
            return True
        time.sleep(min(left, 0.004))
    return bool(run.ended())


def bad_ending(run: Any, number: int) -> str:
    """What is wrong with how a stopped run ended: a traceback, or no word."""
    if "Traceback" in run.told:
        return f"traceback: {run.told[-300:]!r}"
    if number != signal.SIGKILL and len(run.told.strip().splitlines()) < 1:
        return f"signal {number} was answered without a word"
    return ""


def finished_files(stage: Stage) -> dict[str, tuple[int, int]]:
    """Results of single images that are whole, with what changes when a file is written again."""
    found = {}
    for path in stage.work.glob("attacks/*/result.json"):
        if b'"finished": true' in path.read_bytes():
            about = path.stat()
            found[path.parent.name] = (about.st_ino, about.st_mtime_ns)
    return found


def changed(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]], run: Any) -> str:
    """What is wrong with the results of single images after a run: one that was finished was made again or is gone."""
    again = [name for name, about in before.items() if after.get(name) != about]
    return f"finished results made again by process {run.pid}: {', '.join(again)}" if again else ""


def contents(folder: Path) -> dict[str, Any]:
    """Every file under a folder by its name: its bytes, or the rows of a database, without times."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and "__pycache__" not in name:
            found[name] = rows(path) if path.read_bytes()[:15] == b"SQLite format 3" else _timeless(path)
    return found


def rows(path: Path) -> list[str]:
    """The rows of all tables of a database, without the columns of times and the names of runs."""
    with sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True) as database:  # leaves no files beside it
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        said = []
        for table in tables:
            cursor = database.execute(f'SELECT * FROM "{table}"')  # names come from the database itself
            kept = [number for number, column in enumerate(cursor.description) if column[0] not in _COLUMNS_OF_TIME]
            said += [repr([table, *(_nameless(row[number]) for number in kept)]) for row in cursor]
    database.close()
    return sorted(said)


def difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    """In words, the first difference of two folders."""
    if gone := sorted(set(one) - set(other)):
        return f"missing: {', '.join(gone[:4])}"
    if new := sorted(set(other) - set(one)):
        return f"too many: {', '.join(new[:4])}"
    for name, content in one.items():
        if content != other[name]:
            one_list, other_list = (side if isinstance(side, list) else [side] for side in (content, other[name]))
            pair = next(((a, b) for a, b in zip(one_list, other_list, strict=False) if a != b), (b"", b"more or fewer rows"))
            place = next((n for n, (a, b) in enumerate(zip(*pair, strict=False)) if a != b), min(map(len, pair)))
            return (
                f"{name} differs from place {place} on: {pair[0][place : place + 60]!r} became {pair[1][place : place + 60]!r}"
            )
    return ""


def _timeless(path: Path) -> bytes:
    content = path.read_bytes()
    return _CLOCK.sub(rb'"\1": 0', content) if path.suffix == ".json" else content


def _nameless(value: Any) -> Any:
    """A stored reply without what differs between two runs that got the same words."""
    if isinstance(value, str) and value.startswith("{"):
        return _nameless(json.loads(value))
    if isinstance(value, dict):
        return {name: _nameless(one) for name, one in value.items() if name not in _NAMES_OF_RUNS}
    return [_nameless(one) for one in value] if isinstance(value, list) else value
