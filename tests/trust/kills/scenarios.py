"""Commands that work for about a second on small records, against a server whose replies depend on the request alone.

Each is made in an empty folder: `prepare` writes its inputs into `folder/work`, which is the working folder of the command.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import random
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

TESTS = Path(__file__).parents[2]
CONCURRENCY = 4
BATCH = 16
BREEDS = [f"Breed-{letter}" for letter in "ABCDEFG"]
WORDS = ["the", "plot", "is", "thin", "but", "a", "great", "cast", "and", "sharp", "jokes", "save", "it"]
CLASSIFIER = '''
import os, time
import numpy as np

weights = np.random.default_rng(5).normal(size=(12 * 12 * 3, 3)) / 3
tally = os.open("../asked", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def classify(images):
    """Slow, and exact about how much it was asked."""
    os.write(tally, f"{len(images)}\\n".encode())
    time.sleep(0.01)
    return images.reshape(len(images), -1).astype(np.float64) @ weights
'''


def load(path: str) -> ModuleType:
    """A helper module of the tests, by its path in `tests`."""
    name = f"saywhy_tests_{Path(path).stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, TESTS / path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@dataclass(frozen=True)
class Scenario:
    """A command, its inputs and the server that it talks to.

    Attributes:
        name: what it is called.
        words: the words of its command line, given the address of the server.
        prepare: writes its inputs into a folder.
        outputs: what is in the working folder afterwards, besides the inputs.
        reply: the server's answer to a request: a text, or a `Reply`; None for commands that ask no server.
        at_once: requests, or images of a classifier, that may be on their way when the command is killed.
        resumes: whether a killed run leaves something to go on with.
    """

    name: str
    words: Callable[[str], list[str]]
    prepare: Callable[[Path], None]
    outputs: frozenset[str]
    reply: Callable[[Any], Any] | None = None
    at_once: int = 0
    resumes: bool = True


def write_maps(path: Path, count: int, *, seed: int = 7) -> None:
    """Maps over thirteen words, in saywhy's own format."""
    from verbalize import Query, TokenSaliency, write_saliency

    rng = np.random.default_rng(seed)
    write_saliency(
        (
            TokenSaliency([f"{w}{i}" for w in WORDS], np.round(rng.normal(size=len(WORDS)), 2), Query("positive"), id=f"m{i}")
            for i in range(count)
        ),
        path,
    )


def narrated(style: str, count: int) -> Scenario:
    """`verbalize` with a language model."""
    author = load("verbalize/lying_model.py").LyingModel(0.3, repents=True)
    reply = load("agents/misbehaving_server.py").Reply
    words = ["verbalize", "maps.jsonl", "--style", style, "--out", "texts.jsonl", "--concurrency", str(CONCURRENCY)]

    def composed(request: Any) -> str:
        chance = random.Random(request.key)
        if chance.random() < 0.2 and len(request.messages) < 3:
            return "let me think"  # is sent back
        return json.dumps({"groups": [[chance.randint(1, 4)], [chance.randint(5, 8)]], "comment": ""})

    return Scenario(
        name=f"verbalize {style}",
        words=lambda url: [*words, "--llm", f"{url}#test"],
        prepare=lambda folder: write_maps(folder / "maps.jsonl", count),
        outputs=frozenset({"texts.jsonl", "texts.jsonl.replies.sqlite"}),
        reply=lambda request: reply(author(request) if style == "free" else composed(request), delay=0.03),
        at_once=CONCURRENCY,
    )


def described(classes: int) -> Scenario:
    """`describe`: a server says what tells pairs of classes apart; some replies are invalid at first."""
    reply = load("agents/misbehaving_server.py").Reply
    names = [f"Breed-{number:02d}" for number in range(classes)]

    def described_pair(request: Any) -> Any:
        text = " ".join(str(message["content"]) for message in request.messages)
        match = re.search(r"First class: (\S+)\s+Second class: (\S+)", text)
        assert match is not None
        first, second = match.groups()
        if int(first[-2:]) % 3 == 0 and len(request.messages) < 3:
            return reply("no", delay=0.03)
        attributes = [
            {"attribute": "fur", "first_caption": f"{first} with red fur", "second_caption": f"{second} with blue fur"}
        ]
        return reply(json.dumps({"attributes": attributes}), delay=0.03)

    words = ["describe", "--classes", "classes.json", "--all-pairs", "--out", "pairs.json", "--concurrency", str(CONCURRENCY)]
    return Scenario(
        name="describe",
        words=lambda url: [*words, "--llm", f"{url}#test"],
        prepare=lambda folder: _write(folder / "classes.json", json.dumps(names)),
        outputs=frozenset({"pairs.json", "pairs.json.replies.sqlite"}),
        reply=described_pair,
        at_once=CONCURRENCY,
    )


def improved(rounds: int) -> Scenario:
    """`improve`: it asks no server, and keeps the state of its search."""

    def prepare(folder: Path) -> None:
        chance = np.random.default_rng(3)
        load("agents/tiny_clip.py").make_tiny_clip(folder / "clip")
        for number, name in enumerate(BREEDS):
            (folder / "shots" / name).mkdir(parents=True)
            for shot in range(2):
                pixels = chance.integers(0, 120, size=(24, 24, 3), dtype=np.uint8)
                pixels[..., number % 3] += np.uint8(60 + 30 * (number // 3))
                Image.fromarray(pixels).save(folder / "shots" / name / f"{shot}.png")
        said = ["red fur", "green ears", "blue fur", "a dog of fur", "cat ears", "fish"]
        _write(folder / "said.json", json.dumps({name: [f"{name} with {text}" for text in said] for name in BREEDS}))

    words = [
        "improve",
        "--shots",
        "shots",
        "--encoder",
        "clip:clip",
        "--embeddings",
        "kept",
        "--descriptions",
        "said.json",
        "--folds",
        "2",
    ]
    return Scenario(
        name="improve",
        words=lambda _: [*words, "--rounds", str(rounds), "--out", "prompts.json"],
        prepare=prepare,
        outputs=frozenset({"prompts.json", "prompts.report.json", "prompts.cupl.json", "prompts.classifier.npz", "kept"}),
    )


def converted(count: int) -> Scenario:
    """`convert`: lists of words and scores become maps."""

    def prepare(folder: Path) -> None:
        chance = random.Random(11)
        lines = [json.dumps([[f"{word}{n}", chance.randint(-99, 99) / 100] for word in WORDS]) for n in range(count)]
        _write(folder / "lists.jsonl", "\n".join(lines) + "\n")

    return Scenario(
        name="convert",
        words=lambda _: ["convert", "lists.jsonl", "--label", "positive", "--out", "maps.jsonl"],
        prepare=prepare,
        outputs=frozenset({"maps.jsonl"}),
        resumes=False,
    )


def drawn(count: int, kind: str) -> Scenario:
    """`picture`: a folder with one picture per map."""
    return Scenario(
        name=f"picture {kind}",
        words=lambda _: ["picture", "maps.jsonl", "--kind", kind, "--out", "pictures"],
        prepare=lambda folder: write_maps(folder / "maps.jsonl", count),
        outputs=frozenset({"pictures"}),
        resumes=False,
    )


def attacked(images: int, budget: int) -> Scenario:
    """`attack` on a slow classifier that writes down how many images it was asked about."""

    def prepare(folder: Path) -> None:
        _write(folder / "slow.py", CLASSIFIER)
        chance = np.random.default_rng(2)
        for number in range(images):
            np.save(folder / f"i{number}.npy", chance.random((12, 12, 3), dtype=np.float32))

    words = ["attack", *(f"i{number}.npy" for number in range(images)), "--target", "python:slow:classify", *trust()]
    settings = ["--scores", "logits", "--budget", str(budget), "--batch-size", str(BATCH), "--out", "attacks"]
    return Scenario(
        name="attack",
        words=lambda _: [*words, *settings],
        prepare=prepare,
        outputs=frozenset({"attacks"}),
        at_once=BATCH,
    )


def trust() -> list[str]:
    """What the command line needs before it runs a Python function."""
    import inspect

    from saywhy.cli.commands.attack import attack

    return ["--trust"] if "trust" in inspect.signature(attack).parameters else []


def asked_of_classifier(folder: Path) -> int:
    """Images that the classifier of `attacked` was asked about, over all runs in a folder."""
    tally = folder / "asked"
    return sum(int(line) for line in tally.read_text(encoding="utf-8").split()) if tally.exists() else 0


def write_csv(path: Path, rows: list[list[object]]) -> None:
    """A table."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
