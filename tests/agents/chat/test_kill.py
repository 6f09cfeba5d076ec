"""Killed at random moments, started again: nothing that was answered and stored is asked twice."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import pytest

from agents import Replies

CONCURRENCY = 6
ITEMS = 500
CLIENT = """
import sys
from pydantic import BaseModel
from agents import ask_many, chat_model, usage_of

class Answer(BaseModel):
    value: int

url, cache, items, concurrency, *offline = sys.argv[1:]
model = chat_model(f"{url}#m", cache=cache, concurrency=int(concurrency), offline=bool(offline))
print("started", flush=True)
results = ask_many(model, [f"item {i}" for i in range(int(items))], Answer)
assert [r.value for r in results] == list(range(int(items))), results
print("done", usage_of(model).requests, flush=True)
"""


def _answers(misbehaving):
    def behave(request):
        number = int(request.messages[0]["content"].split()[1])
        if number % 25 == 7 and len(request.messages) == 1:
            return misbehaving.Reply("let me think", delay=0.005)  # has to be asked again
        return misbehaving.Reply(json.dumps({"value": number}), delay=0.005)

    return behave


def _run(server, cache, *extra):
    command = [sys.executable, "-c", CLIENT, server.url, str(cache), str(ITEMS), str(CONCURRENCY), *extra]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.long
def test_nothing_answered_is_asked_again(chat_server, misbehaving, tmp_path, wait_until):
    server = chat_server(behave=_answers(misbehaving))
    cache = tmp_path / "replies.sqlite"
    rng = random.Random(7)
    kills = []
    for _ in range(4):
        client = _run(server, cache)
        assert client.stdout.readline() == "started\n"
        enough = len(server.requests) + rng.randint(20, 100)
        wait_until(lambda enough=enough: len(server.requests) >= enough, what="the next kill")
        client.kill()
        client.wait()
        wait_until(lambda: server.at_once == 0, what="the end of what the server had in hand")
        kills.append(len(server.requests))
    stored_at_last_kill = len(Replies(cache))
    assert 0 < stored_at_last_kill < ITEMS, "the kills came too late or too early to show anything"

    client = _run(server, cache)
    said = client.communicate(timeout=200)[0].split()
    assert said[:2] == ["started", "done"]
    assert int(said[2]) == len(server.requests) - kills[-1]

    times_asked = {}
    for request in server.requests:
        times_asked.setdefault(request.key, []).append(request.number)
    repeated = {key: numbers for key, numbers in times_asked.items() if len(numbers) > 1}
    # A repeat is allowed for what was on the wire at a kill, and for nothing else: at most `CONCURRENCY` from each run
    # that was killed, and none from the last run, which was not.
    given_up = [first for numbers in repeated.values() for first in numbers[:-1]]
    for begin, end in zip([0, *kills[:-1]], kills, strict=True):
        assert sum(begin <= first < end for first in given_up) <= CONCURRENCY
    assert all(first < kills[-1] for first in given_up)
    assert len(times_asked) == ITEMS + ITEMS // 25

    before = len(server.requests)
    offline = _run(server, cache, "offline")
    assert offline.communicate(timeout=200)[0].split() == ["started", "done", "0"]
    assert len(server.requests) == before
