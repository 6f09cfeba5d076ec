"""`saywhy verbalize` and `saywhy check` say what a run will take before a language model is asked."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from verbalize import Query, TokenSaliency, write_saliency

spec = importlib.util.spec_from_file_location("lying_model", Path(__file__).parents[1] / "verbalize" / "lying_model.py")
lying = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lying)

WORDS = ["the", "plot", "is", "thin", "but", "a", "great", "cast", "and", "sharp", "jokes", "save", "it"]
PLAN = json.dumps({"groups": [{"claims": [1], "connective": "none"}], "comment": ""})
NOWHERE = "http://127.0.0.1:9/v1#m"


def write_maps(folder, count):
    rng = np.random.default_rng(7)
    maps = [
        TokenSaliency([f"{w}{i}" for w in WORDS], np.round(rng.normal(size=len(WORDS)), 2), Query("positive"), id=f"m{i}")
        for i in range(count)
    ]
    write_saliency(maps, folder / "maps.jsonl")


@pytest.fixture
def narrate(saywhy, tmp_path):
    def run(style, url, *options, maps="maps.jsonl", out="texts.jsonl", **more):
        words = ("verbalize", maps, "--style", style, "--llm", f"{url}#m", "--out", out)
        return saywhy(*words, *options, folder=tmp_path, **more)

    return run


HONEST = {
    "composed": lambda _: PLAN,
    "free": lying.LyingModel(0.0),
    "smv-gpt": lambda request: "no words of it",
}


@pytest.mark.parametrize(("style", "options"), [("composed", []), ("free", []), ("smv-gpt", ["--repairs", 0])])
def test_a_dry_run_foresees_what_the_server_then_counts(narrate, chat_server, tmp_path, style, options):
    write_maps(tmp_path, 5)
    server = chat_server(behave=HONEST[style])
    dry = narrate(style, server.url, *options, "--dry-run", "--price", 1, 2)
    assert dry.returncode == 0, dry.stderr
    assert "foreseen: 5 requests, about" in dry.stderr
    assert "cost about" in dry.stderr
    assert dry.stderr.endswith("nothing was sent\n")
    assert server.requests == []
    assert [file.name for file in tmp_path.iterdir()] == ["maps.jsonl"]
    done = narrate(style, server.url, *options)
    assert done.returncode == 0, done.stderr
    assert len(server.requests) == 5
    kept = narrate(style, server.url, *options, "--dry-run")
    assert "foreseen: 0 requests, 5 more answered by the cache" in kept.stderr
    assert len(server.requests) == 5


def test_a_stream_of_maps_is_foreseen_as_well(narrate, chat_server, tmp_path):
    write_maps(tmp_path, 3)
    server = chat_server(behave=HONEST["free"])
    text = (tmp_path / "maps.jsonl").read_text(encoding="utf-8")
    dry = narrate("free", server.url, "--dry-run", maps="-", out="-", stdin=text)
    assert "foreseen: 3 requests" in dry.stderr
    assert dry.stdout == ""
    assert server.requests == []
    done = narrate("free", server.url, maps="-", out="-", stdin=text)
    assert len(done.stdout.splitlines()) == len(server.requests) == 3


def test_drafts_that_the_cache_holds_are_followed_to_the_request_that_is_missing(narrate, chat_server, tmp_path):
    write_maps(tmp_path, 4)
    liar = lying.LyingModel(1.0)
    server = chat_server(behave=liar)
    narrate("free", server.url, "--repairs", 0)
    assert len(server.requests) == 4
    dry = narrate("free", server.url, "--repairs", 1, "--dry-run")
    assert "foreseen: 4 requests, 4 more answered by the cache" in dry.stderr
    assert "up to 4 times as many where replies can't be used" in dry.stderr
    narrate("free", server.url, "--repairs", 1)
    assert len(server.requests) == 8
    assert "foreseen: 0 requests, 8 more answered" in narrate("free", server.url, "--repairs", 1, "--dry-run").stderr


def test_finished_texts_of_a_stopped_run_are_not_foreseen(narrate, chat_server, tmp_path):
    write_maps(tmp_path, 6)
    server = chat_server(behave=HONEST["composed"])
    stopped = narrate("composed", server.url, "--max-requests", 2, "--concurrency", 1)
    assert stopped.returncode == 2
    dry = narrate("composed", server.url, "--dry-run")
    assert "2 of 6 maps have a text from an earlier run already" in dry.stderr
    assert "foreseen: 4 requests" in dry.stderr
    narrate("composed", server.url)
    assert len(server.requests) == 6


def test_asking_again_counts_what_the_cache_may_not_answer(narrate, chat_server, tmp_path):
    write_maps(tmp_path, 3)
    server = chat_server(default="nope")
    assert narrate("composed", server.url).returncode == 0
    sent = len(server.requests)
    (tmp_path / "texts.jsonl").unlink()
    dry = narrate("composed", server.url, "--retry-invalid", "--dry-run")
    assert "foreseen: 3 requests" in dry.stderr
    assert "fewer where replies of the cache can be used" in dry.stderr
    assert len(server.requests) == sent
    write_maps(tmp_path, 1001)
    refused = narrate("composed", server.url, "--retry-invalid", out="others.jsonl", maps="maps.jsonl")
    assert refused.returncode == 2, refused.stderr
    assert "--max-requests 1000 or less" in refused.stderr
    assert len(server.requests) == sent


def test_many_texts_need_yes(narrate, tmp_path):
    write_maps(tmp_path, 1001)
    done = narrate("smv-gpt", NOWHERE.partition("#")[0])
    assert done.returncode == 2
    assert "foreseen: 1,001 requests" in done.stderr
    assert "--yes" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["maps.jsonl"]


def test_a_high_cost_needs_yes_and_yes_or_a_ceiling_begins(narrate, chat_server, tmp_path):
    write_maps(tmp_path, 2)
    server = chat_server(behave=HONEST["composed"])
    dear = ("--price", 50_000, 50_000)
    refused = narrate("composed", server.url, *dear)
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert server.requests == []
    assert narrate("composed", server.url, *dear, "--yes").returncode == 0
    assert len(server.requests) == 2
    (tmp_path / "texts.jsonl").unlink()
    (tmp_path / "texts.jsonl.replies.sqlite").unlink()
    assert narrate("composed", server.url, *dear, "--max-cost", 10_000, "--max-tokens", 200).returncode == 0
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (["verbalize", "maps.jsonl", "--dry-run"], "no other style needs a language model"),
        (["verbalize", "maps.jsonl", "--style", "composed", "--dry-run"], "name a language model with --llm"),
        (["verbalize", "maps.jsonl", "--style", "free", "--llm", NOWHERE, "--dry-run", "--yes"], "--dry-run asks nothing"),
        (["check", "--text", "x", "--map", "maps.jsonl", "--dry-run"], "without it no language model is asked"),
        (["check", "--text", "x", "--map", "maps.jsonl", "--llm", NOWHERE, "--dry-run", "--yes"], "--dry-run asks nothing"),
        (["study", "simulate", "study", "--dry-run"], "--llm"),
        (["study", "build", "maps.jsonl", "--conditions", "plain,none", "--out", "s", "--dry-run"], "no other needs"),
        (["study", "build", "maps.jsonl", "--conditions", "narrate,none", "--out", "s", "--dry-run"], "with --llm"),
        (["describe", "--classes", "maps.jsonl", "--all-pairs", "--out", "p.json", "--dry-run"], "with --llm"),
    ],
)
def test_what_can_not_be_foreseen_is_said_in_one_sentence(saywhy, tmp_path, call, says):
    write_maps(tmp_path, 2)
    (tmp_path / "study").mkdir()
    if call[0] == "describe":
        (tmp_path / "maps.jsonl").write_text('["cat", "dog"]', encoding="utf-8")
    done = saywhy(*call, folder=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


TEXTS = [
    {"id": "m0", "text": "The great0 word sways it like nothing else here. 'the0' is a word."},
    {"id": "m1", "text": "It hums."},
]


def test_check_foresees_the_sentences_that_no_rule_reads(saywhy, chat_server, tmp_path):
    write_maps(tmp_path, 2)
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps(one) + "\n" for one in TEXTS), encoding="utf-8")
    server = chat_server(default=json.dumps({"claims": [], "complete": False}))
    call = ("check", "texts.jsonl", "--maps", "maps.jsonl", "--llm", f"{server.url}#m", "--cache", "kept.sqlite")
    dry = saywhy(*call, "--dry-run", folder=tmp_path)
    assert dry.returncode == 0, dry.stderr
    assert "foreseen: 3 requests" in dry.stderr
    assert dry.stdout == ""
    assert server.requests == []
    assert not (tmp_path / "kept.sqlite").exists()
    saywhy(*call, folder=tmp_path)
    assert len(server.requests) == 3
    assert "foreseen: 0 requests, 3 more answered by the cache" in saywhy(*call, "--dry-run", folder=tmp_path).stderr
    refused = saywhy(*call[:-2], "--price", 50_000, 50_000, folder=tmp_path)
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert len(server.requests) == 3


@pytest.mark.long
def test_thousands_of_maps_are_foreseen_in_seconds(narrate, tmp_path):
    import time

    write_maps(tmp_path, 5000)
    begun = time.process_time()
    for style in ("composed", "free", "smv-gpt"):
        assert "foreseen: 5,000 requests" in narrate(style, NOWHERE.partition("#")[0], "--dry-run").stderr
    assert time.process_time() - begun < 3 * 10
