"""How a study's server bears a crowd: many participants at once over the socket, and the server killed in the middle.

    python benchmarks/study/load.py --people 200 --kills 2

prints answers per second, the times of replies, and what was lost. Everything runs on this machine, which also plays the
participants: the figures are those of server and participants on the same cores.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from evals.study.folder import open_study
from evals.study.items import Item, Stimulus
from evals.study.server import open_store, read_answers

CONDITIONS = ("heatmap", "plain", "none")


@dataclass
class Load:
    """What a crowd met.

    Attributes:
        seconds: from the first join to the last answer.
        replies: seconds of each acknowledged answer, those that were sent again after a kill included.
        acknowledged: (participant, page) -> the responses that the server said it has.
        joined: the code of each participant, in the order of the participants.
        kills: how often the server was killed.
    """

    seconds: float = 0.0
    replies: list[float] = field(default_factory=list)
    acknowledged: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    joined: list[str] = field(default_factory=list)
    kills: int = 0


def write_study(folder: Path, *, people: int, items: int) -> Path:
    """A Latin square of short texts, with consent and two questions about each."""
    import json

    folder.mkdir(parents=True, exist_ok=True)
    listed = "".join(f"  - {{name: {name}, kind: none}}\n" for name in CONDITIONS)
    (folder / "study.yaml").write_text(
        f"title: Load\nconditions:\n{listed}design: {{kind: latin, items: {items}, participants: {people}}}\n"
        "practice: {items: 0}\nconsent: {text: You can stop at any time.}\n"
        "tasks:\n  - {name: simulation, kind: simulation}\n  - {name: helpfulness, kind: rating}\n",
        encoding="utf-8",
    )
    shown = Stimulus("<p>A text of a few words.</p>", "A text of a few words.")
    with (folder / "items.jsonl").open("w", encoding="utf-8") as stream:
        for number in range(items):
            item = Item(
                id=f"item-{number}", form="text", input=shown, predicted="positive", labels=("negative", "positive"),
                stimuli=dict.fromkeys(CONDITIONS, shown),
            )  # fmt: skip
            stream.write(json.dumps(item.to_record()) + "\n")
    return folder


class Server:
    """`saywhy study serve` in a process of its own, which can be killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        code = (
            "import sys; from evals.study.folder import open_study\n"
            "from evals.study.server import open_store, serve, study_app\n"
            "serve(study_app(open_store(open_study(sys.argv[1]))), port=int(sys.argv[2]))"
        )
        self.process = subprocess.Popen([sys.executable, "-c", code, str(self.folder), str(self.port)], start_new_session=True)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with status {self.process.returncode}")
            try:
                httpx.get(self.address + "api/state", timeout=5)
            except httpx.HTTPError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("the server did not start within a minute")

    def kill(self) -> None:
        """Kill it, as a power cut does."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


async def crowd(server: Server, *, people: int, kills: int, pages: int) -> Load:
    """Let a crowd take the study, and kill the server while they are at it."""
    load = Load()
    certificates = ssl.create_default_context()  # httpx reads them once per client otherwise
    async with AsyncExitStack() as opened:
        clients = [
            await opened.enter_async_context(httpx.AsyncClient(base_url=server.address, timeout=60, verify=certificates))
            for _ in range(people)
        ]  # one connection each, as browsers have
        begun = time.perf_counter()
        work = [asyncio.create_task(_take(client, load, number)) for number, client in enumerate(clients)]
        for kill in range(1, kills + 1):
            while len(load.acknowledged) < people * pages * kill / (kills + 1):
                await asyncio.sleep(0.01)
            server.kill()
            load.kills += 1
            await asyncio.to_thread(server.start)
        load.joined = list(await asyncio.gather(*work))
        load.seconds = time.perf_counter() - begun
    return load


async def _take(client: httpx.AsyncClient, load: Load, number: int) -> str:
    """One participant, who tries again whatever did not arrive, as the page does."""
    chance = random.Random(number)
    key = f"participant-{number:06d}-{chance.getrandbits(64):x}"
    body, _ = await _surely(client, "api/join", {"key": key, "link": {"PROLIFIC_PID": f"person-{number}"}}, {})
    head, code, done = {"authorization": f"Bearer {body['token']}"}, body["participant"], 0
    while done < len(body["steps"]):
        given: dict[str, Any] = {}
        for question in body["steps"][done]["questions"]:
            match question["kind"]:
                case "agree":
                    given[question["name"]] = True
                case "rating":
                    given[question["name"]] = chance.randint(1, 7)
                case _:
                    given[question["name"]] = chance.choice(question["options"])[0]
        reply, seconds = await _surely(client, "api/answers", {"step": done, "responses": given, "seconds": 5.0}, head)
        load.acknowledged[code, done] = given
        load.replies.append(seconds)
        done = reply["done"]
    return str(code)


async def _surely(client: httpx.AsyncClient, path: str, content: Any, head: dict[str, str]) -> tuple[dict[str, Any], float]:
    while True:
        begun = time.perf_counter()
        try:
            reply = await client.post(path, json=content, headers=head)
        except httpx.HTTPError:
            await asyncio.sleep(0.05)
            continue
        if reply.status_code == 429:
            await asyncio.sleep(float(reply.headers["retry-after"]))
            continue
        reply.raise_for_status()
        return reply.json(), time.perf_counter() - begun


def losses(folder: Path, load: Load) -> list[str]:
    """What the database lacks of what was acknowledged, and what else is wrong with it, in sentences."""
    study = open_study(folder)
    answers = read_answers(study)
    kept = {(row.participant, row.step, row.task): row.response for row in answers.rows}
    wrong = [
        f"page {step} of {code}: {name} is {kept.get((code, step, name))!r}, not {response!r}"
        for (code, step), given in load.acknowledged.items()
        for name, response in given.items()
        if kept.get((code, step, name)) != ("true" if response is True else str(response))
    ]
    if len(answers.rows) != len(kept):
        wrong.append(f"{len(answers.rows) - len(kept)} answers are there twice")
    if len(set(load.joined)) != len(load.joined):
        wrong.append("two participants have one code")
    store = open_store(study)
    with store.reading() as database:
        persons = [row[0] for row in database.execute("SELECT value FROM links WHERE name = 'PROLIFIC_PID'")]
        places = database.execute("SELECT count(*) FROM participants").fetchone()[0]
    store.close()
    if sorted(persons) != sorted(f"person-{number}" for number in range(len(load.joined))):
        wrong.append(f"{len(persons)} people are known, of whom {len(set(persons))} differ; {len(load.joined)} took part")
    if places != len(load.joined):
        wrong.append(f"{places} places were taken by {len(load.joined)} people")
    cells = Counter(one.cell for one in answers.participants.values() if one.status == "complete")
    if (
        sum(cells.values()) != len(load.joined)
        or max(cells.values()) - min(cells.values()) > 1
        or len(cells) != len(study.cells)
    ):
        wrong.append(f"completed by cell: {dict(cells)}")
    return wrong


def run(*, people: int, items: int, kills: int) -> tuple[Load, list[str]]:
    """A study that a crowd takes; what it met, and what was lost."""
    with tempfile.TemporaryDirectory() as place:
        folder = write_study(Path(place) / "study", people=people, items=items)
        server = Server(folder)
        server.start()
        try:
            load = asyncio.run(crowd(server, people=people, kills=kills, pages=items + 2))
        finally:
            server.kill()
        return load, losses(folder, load)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--items", type=int, default=20)
    parser.add_argument("--kills", type=int, default=2)
    wanted = parser.parse_args()
    load, wrong = run(people=wanted.people, items=wanted.items, kills=wanted.kills)
    times = sorted(load.replies)
    print(f"{wanted.people} people, {len(times)} pages in {load.seconds:.1f} s, {load.kills} kills")
    print(f"{len(times) / load.seconds:.0f} pages per second, each on the disk before its reply")
    print(f"replies: median {times[len(times) // 2] * 1000:.0f} ms, 99 % within {times[int(len(times) * 0.99)] * 1000:.0f} ms")
    print("\n".join(wrong) or "nothing lost, nobody twice, cells balanced within one")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
