"""`saywhy verbalize --style free` as a process that gets killed, against a server on a real socket."""

import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from verbalize import Query, TokenSaliency, check, read_claims, read_saliency, write_saliency

spec = importlib.util.spec_from_file_location("lying_model", Path(__file__).parents[1] / "verbalize" / "lying_model.py")
lying = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lying)
SAYWHY = shutil.which("saywhy", path=str(Path(sys.executable).parent)) or "saywhy"
KEY = "sk-planted-7f3a9c"


def make_maps(path, count):
    rng = np.random.default_rng(7)
    words = ["the", "plot", "is", "thin", "but", "a", "great", "cast", "and", "sharp", "jokes", "save", "it"]
    write_saliency(
        (
            TokenSaliency([f"{w}{i}" for w in words], np.round(rng.normal(size=len(words)), 2), Query("positive"), id=f"m{i}")
            for i in range(count)
        ),
        path,
    )


KEYS = {"SAYWHY_API_KEY": KEY, "OPENAI_API_KEY": KEY}


def words(server, *arguments):
    return ["verbalize", "maps.jsonl", "--style", "free", "--llm", f"{server.url}#test", "--out", "texts.jsonl", *arguments]


@pytest.fixture
def narrate(saywhy, tmp_path):
    """`narrate(server, *options)` runs the command in this process, on the maps of `tmp_path`."""
    return lambda server, *arguments: saywhy(*words(server, *arguments), folder=tmp_path, env=KEYS)


def start(folder, server, *arguments):
    """The command as a process of its own, in a group of its own, so that it can be killed."""
    environment = {**os.environ, "NO_COLOR": "1", "OMP_NUM_THREADS": "1", **KEYS}
    return subprocess.Popen(
        [SAYWHY, *words(server, *arguments)], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
        process_group=0,
    )  # fmt: skip


def records(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def killed_and_resumed(folder, server, narrate, wait_until, count, kills):
    make_maps(folder / "maps.jsonl", count)
    rng = random.Random(3)
    for _ in range(kills):
        process = start(folder, server, "--repairs", "1")
        asked = len(server.requests)
        enough = asked + rng.randint(5, count // 3)
        wait_until(lambda enough=enough, process=process: len(server.requests) >= enough or process.poll() is not None)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert not (folder / "texts.jsonl").exists()
    done = narrate(server, "--repairs", "1")
    assert done.returncode == 0, done.stderr
    made = records(folder / "texts.jsonl")
    assert [record["id"] for record in made] == [f"m{i}" for i in range(count)]
    assert not (folder / "texts.jsonl.part").exists()
    by_id = {saliency.id: saliency for saliency in read_saliency(folder / "maps.jsonl")}
    assert all(check(read_claims(record["text"], by_id[record["id"]]), by_id[record["id"]]) for record in made)
    return done.stderr


@pytest.mark.long
def test_killed_every_id_comes_out_once_and_no_answer_is_paid_for_twice(
    chat_server, misbehaving, narrate, tmp_path, wait_until
):
    liar = lying.LyingModel(0.3, repents=True)
    server = chat_server(behave=lambda request: misbehaving.Reply(liar(request), delay=0.01))
    err = killed_and_resumed(tmp_path, server, narrate, wait_until, 90, 1)
    answered = Counter(request.key for request in server.answered)
    # an answer may be on its way when the process dies; one that had arrived is never asked for again
    repeated = sum(times - 1 for times in answered.values())
    assert repeated <= 8
    assert "90 texts written" in err
    done = narrate(server, "--repairs", "1", "--offline")
    assert done.returncode == 0
    assert "0 requests" in done.stderr


@pytest.mark.long
def test_killed_at_random_during_five_hundred(chat_server, misbehaving, narrate, tmp_path, wait_until):
    liar = lying.LyingModel(0.3, repents=True)
    server = chat_server(behave=lambda request: misbehaving.Reply(liar(request), delay=0.01))
    killed_and_resumed(tmp_path, server, narrate, wait_until, 500, 3)
    repeated = sum(times - 1 for times in Counter(request.key for request in server.answered).values())
    assert repeated <= 3 * 8


def test_no_key_is_left_anywhere(chat_server, misbehaving, narrate, tmp_path):
    make_maps(tmp_path / "maps.jsonl", 3)
    server = chat_server(default=misbehaving.Reply(status=401, error=f"bad key {KEY}"))
    done = narrate(server)
    assert done.returncode != 0
    assert any(KEY in request.headers.get("authorization", "") for request in server.requests)
    assert KEY not in done.stdout + done.stderr
    done = narrate(chat_server(behave=lying.LyingModel(0.0)))
    assert done.returncode == 0, done.stderr
    assert KEY not in done.stdout + done.stderr
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


def test_a_run_without_a_reply_leaves_no_text_and_nothing_to_clean_up(chat_server, misbehaving, narrate, tmp_path):
    make_maps(tmp_path / "maps.jsonl", 2)
    for _ in range(2):  # two addresses
        done = narrate(chat_server(default=misbehaving.Reply(status=400, error="no")))
        assert done.returncode == 2
        assert "answered 400: no" in done.stderr
    (tmp_path / "texts.jsonl").write_text("earlier\n")
    narrate(chat_server(default=misbehaving.Reply(status=400, error="no")))
    assert (tmp_path / "texts.jsonl").read_text() == "earlier\n"
    left = {path.name for path in tmp_path.iterdir() if ".replies.sqlite" not in path.name}
    assert left == {"maps.jsonl", "texts.jsonl"}


@pytest.mark.parametrize("address", ["http://me:pw@127.0.0.1:1/v1#m", "http://127.0.0.1:1/v1", "ftp://h/v1#m"])
def test_a_refused_address_leaves_no_file_behind(saywhy, tmp_path, address):
    make_maps(tmp_path / "maps.jsonl", 1)
    given = ("--style", "free", "--llm", address, "--out", "texts.jsonl")
    assert saywhy("verbalize", "maps.jsonl", *given, folder=tmp_path, env=KEYS).returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["maps.jsonl"]


def test_a_ceiling_stops_the_run_and_the_same_command_goes_on(chat_server, narrate, tmp_path):
    make_maps(tmp_path / "maps.jsonl", 40)
    server = chat_server(behave=lying.LyingModel(0.0))
    done = narrate(server, "--max-requests", "35")
    assert done.returncode == 2
    assert "error:" in done.stderr
    assert len(server.requests) == 35
    assert not (tmp_path / "texts.jsonl").exists()
    assert len(records(tmp_path / "texts.jsonl.part")) == 1 + 35  # the settings, and every text that was paid for
    done = narrate(server)
    assert done.returncode == 0, done.stderr
    assert len(server.requests) == 40
    assert len(records(tmp_path / "texts.jsonl")) == 40


def test_maps_the_server_refuses_are_told_and_the_others_are_done(chat_server, misbehaving, narrate, tmp_path):
    make_maps(tmp_path / "maps.jsonl", 5)
    liar = lying.LyingModel(0.0)
    server = chat_server(behave=lambda r: misbehaving.Reply(status=400, error="too long") if "cast3" in r.prompt else liar(r))
    done = narrate(server)
    assert done.returncode == 1
    assert "not narrated: the model, id m3" in done.stderr
    assert "too long" in done.stderr
    assert [record["id"] for record in records(tmp_path / "texts.jsonl")] == ["m0", "m1", "m2", "m4"]
    server = chat_server(behave=liar)
    narrate(server, "--cache", tmp_path / "texts.jsonl.replies.sqlite")
    assert [record["id"] for record in records(tmp_path / "texts.jsonl")] == [f"m{i}" for i in range(5)]


def test_the_published_style_is_checked_too(chat_server, narrate, tmp_path):
    make_maps(tmp_path / "maps.jsonl", 2)
    done = narrate(chat_server(default="'the0' is the most important word, with 99% of the evidence."), "--style", "smv-gpt")
    assert done.returncode == 0, done.stderr
    assert [record["outcome"] for record in records(tmp_path / "texts.jsonl")] == ["template", "template"]
    assert "none of which got out" in done.stderr
