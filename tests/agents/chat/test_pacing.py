"""Requests at the pace of a server that turns away what comes too fast, by its own count of what came."""

from __future__ import annotations

import json
import threading
from random import Random

import pytest

from agents import ChatError, chat_model, usage_of
from agents.chat.servers.pacing import RATE_WAIT, Pace
from agents.chat.servers.told import Told, pause_in, seconds_in, told_by


def _limits(limiters):
    return {
        "10 in any 10 s": (lambda: limiters.SlidingWindow(10, 10.0), 180),
        "10 in any 10 s, refusals counted": (lambda: limiters.SlidingWindow(10, 10.0, strict=True), 180),
        "10 each 10 s": (lambda: limiters.FixedWindow(10, 10.0, offset=3.3), 180),
        "a bucket of 10 in 10 s": (lambda: limiters.Bucket(10, 10.0), 180),
        "3 in any second": (lambda: limiters.SlidingWindow(3, 1.0), 190 / 3),
        "3 each second": (lambda: limiters.FixedWindow(3, 1.0), 190 / 3),
        "a bucket of 3 in 1 s": (lambda: limiters.Bucket(3, 1.0), 190 / 3),
        "60 in any minute": (lambda: limiters.SlidingWindow(60, 60.0), 130),
        "60 each minute": (lambda: limiters.FixedWindow(60, 60.0, offset=20), 130),
        "a bucket of 60 in a minute": (lambda: limiters.Bucket(60, 60.0), 130),
        "1 in any 5 s": (lambda: limiters.SlidingWindow(1, 5.0), 945),
        "10 and then 5": (
            lambda: limiters.Changing(limiters.SlidingWindow(10, 10.0), 60, limiters.SlidingWindow(5, 10.0)),
            320,
        ),
        "10 and then 50": (
            lambda: limiters.Changing(limiters.SlidingWindow(10, 10.0), 60, limiters.SlidingWindow(50, 10.0)),
            86,
        ),
        "1 at once": (lambda: limiters.AtOnce(1), 57),
        "2 at once": (lambda: limiters.AtOnce(2), 29),
        "5 at once": (lambda: limiters.AtOnce(5), 12),
    }


@pytest.mark.parametrize("seed", [0, 1])
def test_few_requests_are_sent_in_vain_whatever_the_limit(limiters, seed):
    """Against limits that tell nothing: fewer than 1.2 requests for each of 190, in at most 2.5 times the least time."""
    for name, (limit, best) in _limits(limiters).items():
        run = limiters.simulate(limit(), [Pace(8, Random(seed))], requests=190, seed=seed)
        assert run.sent < 1.2 * 190, name
        assert run.sent - 190 == len(run.turned_away), name
        assert run.seconds < 2.5 * best, name


@pytest.mark.parametrize("limit", ["30 in any 10 s", "6 at once"])
def test_processes_that_share_a_limit_share_it_in_peace(limiters, limit):
    of = {"30 in any 10 s": lambda: limiters.SlidingWindow(30, 10.0), "6 at once": lambda: limiters.AtOnce(6)}[limit]
    run = limiters.simulate(of(), [Pace(8, Random(n)) for n in range(4)], requests=190)
    assert run.sent < 1.2 * 4 * 190


def test_a_server_that_says_how_long_to_wait_is_asked_then(limiters):
    limit = limiters.FixedWindow(10, 10.0)
    run = limiters.simulate(limit, [Pace(8, Random(0))], asked=lambda now: 10.0 - now % 10.0)
    assert run.sent < 1.1 * 190
    assert run.seconds < 1.2 * 180


def test_without_a_limit_nothing_is_held_back(limiters):
    run = limiters.simulate(limiters.SlidingWindow(10**9, 1.0), [Pace(8, Random(0))])
    assert (run.sent, run.turned_away) == (190, [])
    assert run.seconds < 1.3 * 190 * 0.3 / 8


def test_one_refusal_holds_all_back_and_those_on_their_way_are_the_same_refusal():
    pace = Pace(8, Random(0))
    for step in range(8):  # one more at once with every reply
        pace.settle(pace.send(step), through=True)
    on_their_way = [pace.send(10.0) for _ in range(4)]
    for ticket in on_their_way:
        pace.refuse(ticket, 10.1)
    assert 0.5 <= pace.wait(10.1) <= 0.5 * 1.25  # once, not doubled four times
    assert pace.wait(10.8) == 0
    probe = pace.send(10.8)
    assert pace.wait(10.8) == float("inf")  # one finds out whether the server is open
    pace.refuse(probe, 10.9)
    assert 1.0 <= pace.wait(10.9) <= 1.25
    probe = pace.send(12.2)
    pace.settle(probe, through=True)
    assert not pace.closed
    assert pace.rate == pytest.approx(0.97 * 8 / 12.2)  # what went through from one opening to the next
    assert pace.wait(12.2) == pytest.approx(1 / pace.rate)


def test_what_a_server_says_of_its_own_limit_is_heeded():
    pace = Pace(8, Random(0))
    ticket = pace.send(0.0)
    pace.heed(Told(remaining=5, reset=10.0, limit=10), 0.1)
    assert pace.wait(0.3) == 0
    pace.settle(ticket, through=True)
    ticket = pace.send(1.0)
    pace.heed(Told(remaining=0, reset=10.0, limit=10), 1.1)
    pace.settle(ticket, through=True)
    assert 0.9 < pace.wait(1.1) < 1.2  # a bucket of 10 in 10 s has one in a second
    pace.refuse(pace.send(2.3), 2.4, 9.0)  # it was a window
    assert pace.wait(2.4) >= 9.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Rate limit reached for m. Please try again in 6s. Visit https://x.y/z for more.", 6),
        ("Please try again in 1m20s.", 80),
        ("try again in 800ms", 0.8),
        ("Try again in 7.66s", 7.66),
        ("Please retry after 22 seconds.", 22),
        ("please wait 2 minutes and 5 seconds before the next request", 125),
        ("try again in 1h2m3s", 3723),
        ('{"error": {"details": [{"@type": "RetryInfo", "retryDelay": "37s"}]}}', 37),
        ('{"retry_after": 5}', 5),
        ('{"retry_after_ms": 250}', 0.25),
        ("Rate limit of 60 requests a minute reached", None),
        ("try again later", None),
        ("try again in a few moments", None),
        ("", None),
    ],
)
def test_pauses_in_words(text, seconds):
    found = pause_in(text)
    assert found == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("text", "seconds"), [("6m0s", 360), ("120ms", 0.12), ("2m59.56s", 179.56), ("12", 12), ("soon", None), ("1d", 86400)]
)
def test_durations(text, seconds):
    assert seconds_in(text) == (None if seconds is None else pytest.approx(seconds))


def test_headers_of_limits():
    of_requests = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1s",
    }
    of_tokens = {
        "x-ratelimit-limit-tokens": "9000",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "6m0s",
    }
    assert told_by(of_requests) == Told(None, 59, 1, 60)
    assert told_by({**of_requests, **of_tokens}) == Told(None, 0, 360, None)
    assert told_by({**of_tokens, "x-ratelimit-remaining-tokens": "10"}) == Told()
    assert told_by({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000060000"}, now=1.7e9).reset == 60
    assert told_by({"ratelimit-remaining": "3", "ratelimit-reset": "7"}) == Told(None, 3, 7, None)
    assert told_by({"x-ratelimit-remaining": "soon", "x-ratelimit-reset": "?"}, "try again in 6s") == Told(6)


@pytest.mark.long
def test_a_refusal_is_no_failed_attempt(chat_server, misbehaving):
    """Five refusals in a row and then an answer, with one further attempt allowed after a failure."""
    too_fast = misbehaving.Reply(status=429, error="Rate limit reached. Please try again in 20ms.")
    server = chat_server([too_fast] * 5, default="fine")
    model = chat_model(f"{server.url}#m", max_retries=1)
    assert model.invoke("hi").content == "fine"
    used = usage_of(model)
    assert (used.requests, used.retries, used.turned_away) == (6, 5, 5)
    assert 0.1 < used.waited < 5
    assert "5 turned away as too fast" in str(used)


def test_without_further_attempts_a_refusal_is_the_end(chat_server, misbehaving):
    server = chat_server(default=misbehaving.Reply(status=429))
    with pytest.raises(ChatError, match="429"):
        chat_model(f"{server.url}#m", max_retries=0).invoke("hi")
    assert len(server.requests) == 1


def test_a_long_pause_ends_the_batch_after_one_request(chat_server, misbehaving):
    server = chat_server(default=misbehaving.Reply(status=429, error="Try again in 2h."))
    model = chat_model(f"{server.url}#m")
    found = model.batch([f"p{n}" for n in range(40)], return_exceptions=True)
    assert {str(one).rpartition("; ")[2] for one in found} == {"it asks to wait 7200 s"}
    assert all(one.permanent and one.kind == "rate" for one in found)
    assert len(server.requests) == 1


def test_waiting_for_the_rate_ends(chat_server, misbehaving, monkeypatch):
    server = chat_server(default=misbehaving.Reply(status=429, headers={"retry-after-ms": "30"}))
    monkeypatch.setattr("agents.chat.servers.pacing.RATE_WAIT", 0.2)
    model = chat_model(f"{server.url}#m")
    found = model.batch([f"p{n}" for n in range(40)], return_exceptions=True)
    assert all("let no request through" in str(one) for one in found)
    assert 3 <= len(server.requests) <= 9
    assert RATE_WAIT == 180.0


@pytest.mark.long
def test_a_limit_of_the_server_is_met_with_few_requests(chat_server, misbehaving, limiters):
    """The real client and server, with 20 requests in any half second and nothing told."""
    limit = limiters.SlidingWindow(20, 0.5)
    lock = threading.Lock()

    def behave(request):
        with lock:
            allowed = limit.allows(request.received_at)
        return misbehaving.Reply(json.dumps({"n": request.number}), status=200 if allowed else 429, error="slow down")

    server = chat_server(behave=behave)
    model = chat_model(f"{server.url}#m")
    found = model.batch([f"p{n}" for n in range(60)], return_exceptions=True)
    assert not [one for one in found if isinstance(one, Exception)]
    assert len(server.requests) < 1.2 * 60
    assert usage_of(model).requests == len(server.requests)
