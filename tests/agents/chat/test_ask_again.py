"""Replies of an earlier run that were of no use are asked for again where the user says so, and nothing else is."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel

from agents import StructuredFailure, ask_many, chat_model, usage_of
from saywhy_core.errors import UsageError


class Answer(BaseModel):
    value: int


def _model(server, tmp_path, **options):
    return chat_model(f"{server.url}#m", cache=tmp_path / "c.sqlite", **options)


def _item(request):
    return request.messages[0]["content"].split("\n")[0]


def test_a_request_without_a_usable_reply_is_sent_again_and_others_are_not(chat_server, tmp_path):
    bad = {"b", "d"}
    server = chat_server(behave=lambda request: "no" if _item(request) in bad else '{"value": 1}')
    items = ["a", "b", "c", "d"]
    first = ask_many(_model(server, tmp_path), items, Answer, reasks=1)
    assert [isinstance(one, StructuredFailure) for one in first] == [False, True, False, True]
    assert len(server.requests) == 6
    ask_many(_model(server, tmp_path), items, Answer, reasks=1)
    assert len(server.requests) == 6  # all of it is in the cache

    bad.discard("b")
    model = _model(server, tmp_path, retry_invalid=True)
    seen = []
    again = ask_many(model, items, Answer, reasks=1, on_result=lambda index, _: seen.append(index))
    assert [isinstance(one, StructuredFailure) for one in again] == [False, False, False, True]
    assert sorted(seen) == [0, 1, 2, 3]  # each is told once
    assert [_item(one) for one in server.requests[6:]].count("b") == 1
    assert [_item(one) for one in server.requests[6:]].count("d") == 2  # as often as in the first run, and no more
    assert usage_of(model).requests == 3

    ask_many(model, items, Answer, reasks=1)  # the same model does not ask a third time
    assert len(server.requests) == 9
    offline = _model(server, tmp_path, offline=True)
    replayed = ask_many(offline, items, Answer, reasks=1)  # the new replies stand in the place of the old ones
    assert [isinstance(one, StructuredFailure) for one in replayed] == [False, False, False, True]


def test_a_reply_that_was_not_accepted_is_asked_for_again(chat_server, tmp_path):
    server = chat_server(behave=lambda request: json.dumps({"value": len(server.requests)}))

    def accept(_index, found):
        return None if found.value > 2 else "too small"

    first = ask_many(_model(server, tmp_path), ["a"], Answer, reasks=1, accept=accept)
    assert isinstance(first[0], StructuredFailure)
    again = ask_many(_model(server, tmp_path, retry_invalid=True), ["a"], Answer, reasks=1, accept=accept)
    assert again == [Answer(value=3)]


def test_a_talk_that_ended_well_is_left_alone(chat_server, tmp_path):
    server = chat_server(["no"], default='{"value": 2}')
    assert ask_many(_model(server, tmp_path), ["a"], Answer) == [Answer(value=2)]
    assert ask_many(_model(server, tmp_path, retry_invalid=True), ["a"], Answer) == [Answer(value=2)]
    assert len(server.requests) == 2


def test_where_the_new_request_fails_the_old_reply_stays(chat_server, misbehaving, tmp_path):
    server = chat_server(["no"], default=misbehaving.Reply(status=418))
    ask_many(_model(server, tmp_path), ["a"], Answer, reasks=0)
    (failed,) = ask_many(_model(server, tmp_path, retry_invalid=True), ["a"], Answer, reasks=0)
    assert "418" in str(failed)
    (old,) = ask_many(_model(server, tmp_path, offline=True), ["a"], Answer, reasks=0)
    assert old.last_reply == "no"


def test_it_needs_a_cache_and_a_server(tmp_path):
    at = "http://127.0.0.1:9/v1#m"
    with pytest.raises(UsageError, match="give cache"):
        chat_model(at, retry_invalid=True)
    with pytest.raises(UsageError, match="leave out offline"):
        chat_model(at, retry_invalid=True, cache=tmp_path / "c.sqlite", offline=True)
