"""A small world in which every command that writes something can run: maps, texts, pictures, a tiny CLIP and a server."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from verbalize import PixelSaliency, Query, TokenSaliency, write_saliency

CLASSES = ["cat", "dog", "bird"]


@dataclass(frozen=True)
class Writes:
    """A command, and what it writes.

    Attributes:
        words: the command line; `{out}` is where it writes to.
        folder: whether that is a folder.
        asks: whether it asks the language model.
    """

    words: str
    folder: bool = False
    asks: bool = False


COMMANDS = {
    "attribute": Writes("attribute sign.npy --model demo:signs --method occlusion --option patch=24 --out {out}"),
    "verbalize": Writes("verbalize maps.jsonl --out {out}"),
    "narrate": Writes("verbalize maps.jsonl --style free --llm {llm} --format jsonl --out {out}", asks=True),
    "convert": Writes("convert maps.jsonl --out {out}"),
    "convert pixels": Writes("convert pixels.jsonl --out {out}"),
    "picture": Writes("picture maps.jsonl --out {out}", folder=True),
    "picture page": Writes("picture maps.jsonl --out {out}.html"),
    "attack": Writes("attack sign.npy --target demo:signs --budget 5 --out {out}", folder=True),
    "describe": Writes("describe --classes classes.json --all-pairs --llm {llm} --out {out}", asks=True),
    "classify": Writes("classify --classes classes.json --images photos --encoder clip:clip --out {out}"),
    "improve": Writes("improve --shots photos --encoder clip:clip --out {out}"),
    "evaluate wording": Writes("evaluate wording texts.jsonl --maps maps.jsonl --out {out}"),
    "evaluate prompts": Writes(
        "evaluate prompts prompts.json --classes classes.json --images photos --encoder clip:clip --draws 1 --out {out}"
    ),
}


def pytest_generate_tests(metafunc):
    """A test that takes `command`, `file_command` or `folder_command` runs once for each command of that kind."""
    files = [name for name, one in COMMANDS.items() if not one.folder and name != "picture page"]
    kinds = {"command": list(COMMANDS), "file_command": files, "folder_command": [n for n in COMMANDS if COMMANDS[n].folder]}
    for fixture, names in kinds.items():
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, names)


def answer(request):
    """What the language model says: descriptions of a pair of classes, or a text about a map."""
    text = " ".join(str(message["content"]) for message in request.messages)
    pair = re.search(r"First class: (\S+)\s+Second class: (\S+)", text)
    if pair is None:
        return json.dumps({"sentences": [{"text": "'good' speaks for 'positive'."}], "text": "'good' speaks for 'positive'."})
    first, second = pair.groups()
    captions = {"first_caption": f"{first} with red fur", "second_caption": f"{second} with blue fur"}
    return json.dumps({"attributes": [{"attribute": "fur", **captions}]})


@pytest.fixture(scope="session")
def outputs_world(tmp_path_factory, make_tiny_clip):
    """A folder with the inputs of all `COMMANDS`; tests only read it."""
    root = tmp_path_factory.mktemp("outputs-world")
    make_tiny_clip(root / "clip")
    rng = np.random.default_rng(0)
    maps = [TokenSaliency(["good", "film"], [1.0, -number / 10], Query("positive"), id=f"m{number}") for number in range(6)]
    write_saliency(maps, root / "maps.jsonl")
    write_saliency([PixelSaliency(np.eye(4), Query("stop"), id="p")], root / "pixels.jsonl")
    (root / "texts.jsonl").write_text("".join(f'{{"id": "m{n}", "text": "Good speaks for positive."}}\n' for n in range(6)))
    (root / "classes.json").write_text(json.dumps(CLASSES))
    (root / "prompts.json").write_text(json.dumps({name: [f"a photo of a {name}."] for name in CLASSES}))
    for name in CLASSES:
        (root / "photos" / name).mkdir(parents=True)
        for number in range(2):
            Image.fromarray(rng.integers(0, 255, size=(24, 24, 3), dtype=np.uint8)).save(
                root / "photos" / name / f"{number}.png"
            )
    np.save(root / "sign.npy", np.full((48, 48, 3), 90, dtype=np.uint8))
    return root


@pytest.fixture
def all_commands():
    """`COMMANDS`, for tests that run all of them in one folder."""
    return COMMANDS


@pytest.fixture
def at_work(in_process, outputs_world, chat_server, tmp_path):
    """`at_work(name, out, **options)` runs a command of `COMMANDS` in this process, in a folder of links to the world."""
    shutil.copytree(outputs_world, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("clip"))
    (tmp_path / "clip").symlink_to(outputs_world / "clip")
    started = []

    def run(name, out, **options):
        if COMMANDS[name].asks and not started:
            started.append(chat_server(behave=answer))
        words = COMMANDS[name].words.split()
        url = f"{started[0].url}#m" if started else ""
        run.requests = len(started[0].requests) if started else 0
        filled = [str(out) if word == "{out}" else word.replace("{llm}", url).replace("{out}", str(out)) for word in words]
        done = in_process.run_command(*filled, folder=options.pop("folder", tmp_path), **options)
        run.requests = len(started[0].requests) - run.requests if started else 0
        return done

    return run
