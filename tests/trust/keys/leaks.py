"""Runs of the commands that talk to a server, with everything switched on that could say a key, and what is found of it after."""

from __future__ import annotations

import json
import re
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# everything that talks: all loggers, the clients' own switches, warnings, langchain's echo of prompts and replies
CHATTY = """
import logging, warnings
logging.basicConfig(level=logging.DEBUG, format="%(name)s %(message)s %(args)s")
warnings.simplefilter("always")
from langchain_core.globals import set_debug, set_verbose
set_debug(True), set_verbose(True)
"""
CHATTY_ENVIRONMENT = {"OPENAI_LOG": "debug", "HTTPX_LOG_LEVEL": "trace", "PYTHONWARNINGS": "always", "PYTHONDEVMODE": "1"}
# secrets are not learned, so that nothing is taken out: what the search must find then
UNPROTECTED = """
import saywhy_core.secrets as secrets
class Nothing(dict):
    def __setitem__(self, name, value): pass
    def setdefault(self, name, value=None): return value
secrets._known = Nothing()
secrets.redact = lambda text: text
import agents.chat.wire.answers as answers, agents.chat.wire.transport as transport, saywhy_core.wire.words as words
answers.redact = transport.redact = words.redact = lambda text: text
"""
# mistakes of the program: in the midst of an answer, and outside of every record
STUMBLING = """
import agents.chat.servers.remote as remote
def broken(self, result, reservation):
    raise AssertionError(f"a mistake: {vars(self)} {result} {reservation}")
remote.RemoteChat._book = broken
"""
CRASHING = """
import os
import agents.chat.specs as specs
def broken(model):
    said = [f"{name}={text}" for name, text in os.environ.items() if "SAYWHY_API" in name or "KEY" in name or "PROXY" in name.upper()]
    raise AssertionError(f"a mistake: {vars(model)} {said}")
specs.usage_of = broken
"""


@dataclass
class Leak:
    """What was found after a run.

    Attributes:
        status: the exit status.
        said: what it wrote to standard output and error.
        found: places with a secret, and what stands around it.
        requests: how many requests the server had.
    """

    status: int
    said: str
    found: dict[str, str] = field(default_factory=dict)
    requests: int = 0


@dataclass(frozen=True)
class Talk:
    """A command that talks to a server.

    Attributes:
        name: what it is called.
        words: its command line, given the model.
        prepare: writes its inputs into a folder.
        usual: makes an ordinary reply, with an echo in it, from the body of a request.
    """

    name: str
    words: Callable[[str], list[str]]
    prepare: Callable[[Path], None]
    usual: Callable[[dict[str, Any], str], str]


def talks(scenarios: Any, count: int) -> dict[str, Talk]:
    """The commands that talk to a server, each with so many records."""

    def maps(folder: Path) -> None:
        scenarios.write_maps(folder / "maps.jsonl", count)

    def texts(folder: Path) -> None:
        maps(folder)
        said = [{"id": f"m{n}", "text": f"One would be hard put to overlook 'great{n}' in all of this."} for n in range(count)]
        (folder / "texts.jsonl").write_text("\n".join(map(json.dumps, said)), encoding="utf-8")

    def classes(folder: Path) -> None:
        names = [f"Breed-{number:02d}" for number in range(int((2 * count) ** 0.5) + 1)]
        (folder / "classes.json").write_text(json.dumps(names), encoding="utf-8")

    ending = ["--timeout", "3", "--max-retries", "1", "--concurrency", "3"]
    narrate = ["verbalize", "maps.jsonl", "--out", "texts.jsonl", *ending]
    return {
        one.name: one
        for one in (
            Talk("composed", lambda llm: [*narrate, "--style", "composed", "--llm", llm], maps, _plan),
            Talk("free", lambda llm: [*narrate, "--style", "free", "--llm", llm], maps, _prose),
            Talk("smv-gpt", lambda llm: [*narrate, "--style", "smv-gpt", "--llm", llm], maps, _plain),
            Talk(
                "describe",
                lambda llm: ["describe", "--classes", "classes.json", "--all-pairs", "--out", "pairs.json", "--llm", llm, *ending],
                classes,
                _attributes,
            ),
            Talk(
                "check",
                lambda llm: [
                    *("check", "texts.jsonl", "--maps", "maps.jsonl", "--why", "--llm", llm, *ending, "--cache", "kept.sqlite")
                ],
                texts,
                _plain,
            ),
            Talk("check --json", lambda llm: ["check", "texts.jsonl", "--maps", "maps.jsonl", "--json", "--llm", llm, *ending], texts, _prose),
            Talk("to a pipe", lambda llm: ["verbalize", "maps.jsonl", "--style", "free", "--llm", llm, *ending], maps, _prose),
        )
    }  # fmt: skip


def look(
    modules: Any,
    forge: Any,
    talk: Talk,
    shape: Any,
    folder: Path,
    *,
    places: tuple[str, ...] | None = None,
    before: str = "",
    kill_at: int | None = None,
) -> Leak:
    """Run a command with planted secrets against a server that says them back; what is found afterwards.

    Args:
        places: where the server says them back, in turn.
        before: Python code that the process executes first.
        kill_at: kill the process when the server has had so many requests.
    """
    work = folder / "work"
    work.mkdir(parents=True)
    talk.prepare(work)
    server = modules.echo_server.EchoServer(shape.values, talk.usual, places or modules.echo_server.PLACES)
    with server:
        environment, spec = shape.at(server.port)
        run = forge.start(
            talk.words(spec), work, folder / "told", env={**CHATTY_ENVIRONMENT, **environment}, before=CHATTY + before
        )
        seen = ""
        while not modules.ledger.wait(run, 0.02):
            if kill_at is not None and server.count >= kill_at:
                run.signal(signal.SIGKILL)
            seen = seen or process_list(run.pid, shape.values, modules.planted.search)
        status = modules.ledger.finish(run)
    arrived = modules.echo_server.decoded(server.authorizations)
    assert any(value in text for value in shape.values for text in arrived) or not arrived, "no secret was sent"
    found = modules.planted.search_folder(folder, shape.values)
    if seen:
        found["the list of processes"] = seen
    said = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in (run.out, run.err))
    return Leak(status, said, found, server.count)


def process_list(pid: int, secrets: tuple[str, ...], search: Callable[[bytes, tuple[str, ...]], str]) -> str:
    """Where a secret stands in what `ps` shows of a process."""
    try:
        return search(Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/comm").read_bytes(), secrets)
    except OSError:
        return ""


def _plan(body: dict[str, Any], echo: str) -> str:
    return json.dumps(
        {"groups": [[1], [2]], "comment": f"People use 'great' {echo}" if echo else "", "tone": echo, "audience": echo}
    )


def _prose(body: dict[str, Any], echo: str) -> str:
    text = " ".join(str(message["content"]) for message in body["messages"])
    match = re.search(r'"(great\d+)"', text)
    word = match[1] if match else "great0"
    return json.dumps({"sentences": [{"text": f"The word '{word}' supports it. {echo}", "claims": []}]})


def _plain(body: dict[str, Any], echo: str) -> str:
    return f"It is all about 'great0'. {echo}"


def _attributes(body: dict[str, Any], echo: str) -> str:
    said = {"attribute": f"fur {echo}", "first_caption": f"with red fur {echo}", "second_caption": f"with none {echo}"}
    return json.dumps({"attributes": [said]})
