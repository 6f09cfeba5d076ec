"""docs/architecture.md is true: what it names is there, every room is on the map, and the three ways go as it says."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

PATH = re.compile(r"`((?:saywhy_core|agents|verbalize|adversarial|evals|saywhy|tests|docs|benchmarks)/[\w./]*)`")
STEP = re.compile(r"^\d+\. `([\w/]+\.py)`", re.MULTILINE)

# Runs commands, and prints the project's files in the order in which a function of each was first called.
TRACER = """
import json, sys, threading
from pathlib import Path

root, commands = Path(sys.argv[1]), json.loads(sys.argv[2])
seen, known = {}, {}

def profile(frame, event, argument):
    code = frame.f_code
    if event != "call" or not code.co_flags & 1 or code.co_name.startswith("<"):  # bodies of modules and classes are no calls
        return
    if code.co_filename not in known:
        path = Path(code.co_filename)
        known[code.co_filename] = path.relative_to(root).as_posix() if path.is_relative_to(root) else None
    if known[code.co_filename]:
        seen.setdefault(known[code.co_filename])

from saywhy.cli import main
threading.setprofile(profile)
for command in commands:
    sys.argv = ["saywhy", *command]
    sys.setprofile(profile)
    try:
        main()
    except SystemExit as end:
        assert not end.code, (command, end.code)
    finally:
        sys.setprofile(None)
Path("called.json").write_text(json.dumps(list(seen)))
"""


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "architecture.md").read_text(encoding="utf-8")


def way(page, title):
    """The files that the page lists under a heading."""
    (section,) = re.findall(rf"^### {title}\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
    files = STEP.findall(section)
    assert files
    return files


def called(root, folder, *commands):
    environment = {**os.environ, "PYTHONPATH": str(root), "NO_COLOR": "1", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", TRACER, root, json.dumps(commands)],
        cwd=folder, capture_output=True, text=True, timeout=280, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "called.json").read_text(encoding="utf-8"))


def assert_goes(listed, files):
    assert not set(listed) - set(files), "no function of these was called"
    assert listed == [file for file in files if file in set(listed)], "called in another order"


def test_every_path_exists(root, page):
    paths = PATH.findall(page)
    assert len(paths) > 50
    assert not [path for path in paths if not (root / path).exists()]


def test_every_room_is_on_the_map(root, page, source):
    rooms = {path.parent.relative_to(root).as_posix() + "/" for path in source.values() if path.stem == "__init__"}
    assert not rooms - set(PATH.findall(page))


def test_it_is_short(page):
    """A quarter of an hour of reading, for a house of some ninety rooms."""
    assert len(page.split()) < 2000


@pytest.mark.long
def test_a_map_becomes_words(root, page, tmp_path):
    record = {"version": 1, "id": "1", "query": {"label": "positive"}, "tokens": ["truly", "great", "but", "long"]}
    record["scores"] = [0.8, 2.9, -0.1, -1.2]
    (tmp_path / "maps.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
    by_hand = {"id": "1", "text": "A strong reason for the label 'positive' was the word 'great'."}
    (tmp_path / "more.jsonl").write_text(json.dumps(by_hand) + "\n", encoding="utf-8")
    files = called(
        root,
        tmp_path,
        ["verbalize", "maps.jsonl", "--out", "texts.jsonl"],
        ["check", "more.jsonl", "--maps", "maps.jsonl"],
        ["check", "texts.jsonl", "--maps", "maps.jsonl"],
    )
    assert_goes(way(page, "A map becomes words"), files)


@pytest.mark.long
def test_an_image_becomes_a_finding(root, page, tmp_path):
    from saywhy import signs

    np.save(tmp_path / "sign.npy", signs.samples()[0][0])
    files = called(root, tmp_path, ["attack", "sign.npy", "--target", "demo:signs", "--budget", "400", "--out", "found"])
    assert_goes(way(page, "An image becomes a finding"), files)


@pytest.mark.long
def test_classes_become_descriptions(root, page, tmp_path, make_tiny_clip, chat_server):
    clip, names = make_tiny_clip(tmp_path / "clip"), ["cat", "dog", "bird"]
    rng = np.random.default_rng(0)
    for name in names:
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(3):
            Image.fromarray(rng.integers(0, 255, size=(24, 24, 3), dtype=np.uint8)).save(
                tmp_path / f"photos/{name}/{number}.png"
            )
    (tmp_path / "classes.json").write_text(json.dumps(names), encoding="utf-8")
    reply = {"attribute": "fur", "first_caption": "red fur", "second_caption": "blue fur"}
    server = chat_server(behave=lambda request: json.dumps({"attributes": [reply]}))
    common = ["--classes", "classes.json", "--images", "photos", "--encoder", f"clip:{clip}"]
    files = called(
        root, tmp_path,
        ["describe", *common, "--llm", f"{server.url}#tiny", "--k", "2", "--out", "pairs.json"],
        ["evaluate", "prompts", "pairs.json", *common],
    )  # fmt: skip
    assert_goes(way(page, "Classes become descriptions"), files)
