"""Studies for the tests of the server, and people who take them over the socket."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from evals.study.folder import open_study
from evals.study.server import open_store, running, study_app
from evals.study.server.admin import admin_routes, admin_token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONSENT = "consent: {text: You can stop at any time.}\n"
COMPREHENSION = (
    "comprehension:\n  tries: 2\n  questions:\n"
    '    - {name: what, question: "What do you guess?", options: [the label, the weather], answer: the label}\n'
)


def write_study(
    folder: Path,
    *,
    conditions: tuple[str, ...] = ("words", "nothing"),
    participants: int = 40,
    items: int = 4,
    more: str = CONSENT,
) -> Path:
    """A Latin square of texts with two labels, where every other item is positive."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = "".join(f"  - {{name: {name}, kind: none}}\n" for name in conditions)
    (folder / "study.yaml").write_text(
        f"title: Guess the label\nconditions:\n{listed}"
        f"design: {{kind: latin, items: {items}, participants: {participants}}}\n"
        "practice: {items: 0}\n"
        "tasks:\n  - {name: simulation, kind: simulation}\n  - {name: helpfulness, kind: rating}\n" + more
    )
    with (folder / "items.jsonl").open("w") as stream:
        for number in range(items):
            shown = {"html": f"<p>Text {number}</p>", "text": f"Text {number}"}
            record = {
                "version": 1, "id": f"item-{number}", "form": "text", "practice": False,
                "predicted": ("positive", "negative")[number % 2], "true": "positive", "labels": ["negative", "positive"],
                "facts": {"model_right": "yes"}, "answers": {}, "input": shown, "stimuli": dict.fromkeys(conditions, shown),
            }  # fmt: skip
            stream.write(json.dumps(record) + "\n")
    return folder


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1_750_000_000.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def served(folder: Path, *, prefix: str = "", **options: Any) -> Iterator[Server]:
    """A study over a real socket."""
    study = open_study(folder)
    store = open_store(study, **options)
    try:
        digest, token = admin_token(study)
        app = study_app(store, prefix=prefix, more=admin_routes(store, digest))
        with running(app) as address:
            yield Server(address, store, token or "")
    finally:
        store.close()


class Server:
    """A running server, its store, and the researchers' token where it was made just now."""

    def __init__(self, address: str, store: Any, token: str) -> None:
        self.address, self.store, self.token = address, store, token

    def client(self, path: str = "", **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.address + path, timeout=30, **options)

    def person(self, **join: Any) -> Taker:
        return Taker(self.client(), **join)


class Taker:
    """Somebody who takes the study, page by page."""

    def __init__(self, client: httpx.Client, **join: Any) -> None:
        self.client = client
        reply = client.post("api/join", json=join)
        reply.raise_for_status()
        self.joined = reply.json()
        self.token, self.code, self.steps = self.joined["token"], self.joined["participant"], self.joined["steps"]
        self.done = self.joined["done"]

    @property
    def head(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    def responses(self, number: int | None = None, **instead: Any) -> dict[str, Any]:
        """Valid responses: the first option, and 3 of 7."""
        given = {}
        for question in self.steps[self.done if number is None else number]["questions"]:
            first = question.get("options", [[None]])[0][0]
            given[question["name"]] = {"agree": True, "choice": first, "rating": 3, "text": "good", "number": 30}[
                question["kind"]
            ]
        return given | instead

    def send(self, number: int | None = None, **content: Any) -> httpx.Response:
        number = self.done if number is None else number
        content = {"step": number, "responses": self.responses(min(number, len(self.steps) - 1)), "seconds": 4.0} | content
        reply = self.client.post("api/answers", json=content, headers=self.head)
        if reply.status_code == 200:
            self.done = reply.json()["done"]
        return reply

    def finish(self, until: int | None = None) -> Taker:
        """Answer all pages, or those before a number."""
        while self.done < (len(self.steps) if until is None else until):
            self.send().raise_for_status()
        return self


def at_once(*works: Any) -> list[Any]:
    """Run functions at the same moment, each in a thread."""
    barrier, results = threading.Barrier(len(works)), [None] * len(works)

    def run(number: int, work: Any) -> None:
        barrier.wait()
        results[number] = work()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
