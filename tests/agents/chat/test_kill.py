"""Killed at random moments, started again: nothing that was answered and stored is asked twice."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time

import pytest

from agents import Replies, chat_model, usage_of

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


def _number(request):
    return int(request.messages[0]["content"].split()[1])


def _run(server, cache, *extra, items=ITEMS):
    command = [sys.executable, "-c", CLIENT, server.url, str(cache), str(items), str(CONCURRENCY), *extra]
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


@pytest.mark.long
def test_two_processes_with_one_cache_pay_once(chat_server, misbehaving, tmp_path):
    server = chat_server(behave=lambda request: misbehaving.Reply(json.dumps({"value": _number(request)}), delay=0.02))
    cache = tmp_path / "replies.sqlite"
    clients = [_run(server, cache, items=40) for _ in range(2)]
    said = [client.communicate(timeout=100)[0].split() for client in clients]
    assert [words[:2] for words in said] == [["started", "done"]] * 2
    assert len(server.requests) == 40 == sum(int(words[2]) for words in said)
    assert {path.name for path in tmp_path.iterdir()} <= {cache.name, f"{cache.name}-wal", f"{cache.name}-shm"}


@pytest.mark.long
def test_a_turn_of_a_killed_process_stops_nobody(chat_server, misbehaving, tmp_path, wait_until):
    server = chat_server(behave=lambda request: misbehaving.Reply(json.dumps({"value": _number(request)}), fault=stuck.get(0)))
    stuck = {0: "hang"}
    cache = tmp_path / "replies.sqlite"
    client = _run(server, cache, items=3)
    wait_until(lambda: len(server.requests) == 3, what="the requests")
    assert len(list(tmp_path.glob("*.turn.lock"))) == 3
    client.kill()
    client.wait()
    stuck.clear()
    again = _run(server, cache, items=3)
    assert again.communicate(timeout=60)[0].split() == ["started", "done", "3"]
    assert not list(tmp_path.glob("*.lock"))


def test_equal_requests_of_one_batch_are_sent_once(chat_server, misbehaving, tmp_path):
    server = chat_server(behave=lambda request: misbehaving.Reply(request.prompt, delay=0.05))
    model = chat_model(f"{server.url}#m", cache=tmp_path / "c.sqlite")
    replies = model.batch(["a", "b", "a", "a", "b", "c"])
    assert [reply.content for reply in replies] == ["a", "b", "a", "a", "b", "c"]
    assert len(server.requests) == 3
    assert usage_of(model).cache_hits == 3


def test_where_one_of_two_equal_requests_fails_the_other_is_sent(chat_server, misbehaving, tmp_path):
    server = chat_server([misbehaving.Reply(status=400, error="the prompt is too long", delay=0.2)], default="fine")
    model = chat_model(f"{server.url}#m", cache=tmp_path / "c.sqlite")
    first, second = model.batch(["a", "a"], return_exceptions=True)
    assert sorted([type(first).__name__, type(second).__name__]) == ["AIMessage", "ChatError"]


STOPPED = """
import sys, signal, time
from agents import chat_model
model = chat_model(sys.argv[1] + "#m", cache=sys.argv[2], concurrency=2, timeout=60)
try:
    print("started", flush=True)
    model.batch([f"p{i}" for i in range(20)], return_exceptions=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.long
@pytest.mark.parametrize("fault", [None, "hang", "wait"])
def test_ctrl_c_keeps_replies_on_their_way_and_sends_nothing_more(chat_server, misbehaving, tmp_path, wait_until, fault):
    reply = {
        None: misbehaving.Reply("late", delay=1.0),
        "hang": misbehaving.Reply(fault="hang"),
        "wait": misbehaving.Reply(status=503, headers={"Retry-After": "100"}),
    }[fault]
    # the first request goes alone, until the server has answered it
    server = chat_server(behave=lambda request: "first" if request.number == 0 else reply)
    command = [sys.executable, "-c", STOPPED, server.url, str(tmp_path / "c.sqlite")]
    client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    wait_until(lambda: len(server.requests) == 3, what="the requests")
    client.send_signal(signal.SIGINT)
    begun = time.monotonic()
    assert client.communicate(timeout=30)[0].split() == ["started", "interrupted"]
    assert (
        time.monotonic() - begun < 30
    )  # replies on their way have 5 s; the pause of 100 s and the time-out of 60 s are cut short
    assert len(server.requests) == 3
    assert len(Replies(tmp_path / "c.sqlite")) == (3 if fault is None else 1)
