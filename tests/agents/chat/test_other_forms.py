"""Answers in other encodings and in Ollama's own form, and connections that end; the server counts the requests."""

from __future__ import annotations

import gc
import json
import warnings

import pytest
from pydantic import BaseModel

from agents import ChatError, StructuredError, ask, ask_many, chat_model, usage_of


class Count(BaseModel):
    value: int


GOOD = '{"value": 3}'
SAID = '{"choices": [{"message": {"content": "caf\u00e9 \u2013 na\u00efve"}, "finish_reason": "stop"}]}'


@pytest.mark.parametrize(
    ("body", "kind", "read"),
    [
        (SAID.encode("cp1252"), "application/json", "caf\u00e9 \u2013 na\u00efve"),
        (SAID.replace("\u2013", "-").encode("latin-1"), "application/json; charset=ISO-8859-1", "caf\u00e9 - na\u00efve"),
        (
            SAID.replace("\u00e9", "\u4e2d").replace("\u00ef", "i").encode("gbk"),
            'text/json; charset="gbk"',
            "caf\u4e2d \u2013 naive",
        ),
        (SAID.encode("latin-1", "replace"), "application/json; charset=punycode", "caf\u00e9 ? na\u00efve"),
        (SAID.encode().replace(b"na", b"\xe9 n"), "application/json", "caf\u00e9 \u2013 \ufffd n\u00efve"),
    ],
)
def test_bodies_in_other_encodings_are_read_as_what_they_mean(chat_server, misbehaving, body, kind, read):
    server = chat_server(default=misbehaving.Reply(body=body, kind=kind))
    assert chat_model(f"{server.url}#m").invoke("a").content == read
    assert len(server.requests) == 1


def test_an_error_in_latin_1_says_what_the_server_said(chat_server, misbehaving):
    refused = misbehaving.Reply(status=404, body='{"error": "mod\u00e8le inconnu"}'.encode("latin-1"))
    server = chat_server(default=refused)
    with pytest.raises(ChatError, match="mod\u00e8le inconnu"):
        chat_model(f"{server.url}#m").invoke("a")
    assert len(server.requests) == 1


def ollama(content, reason="stop", **message):
    """A reply in Ollama's own form."""
    counts = {"prompt_eval_count": 9, "eval_count": 5}
    return {
        "model": "m",
        "message": {"role": "assistant", "content": content, **message},
        "done": True,
        "done_reason": reason,
    } | counts


@pytest.mark.parametrize(
    "body",
    [
        ollama(GOOD),
        ollama("", thinking=GOOD),
        ollama("", tool_calls=[{"function": {"name": "Count", "arguments": {"value": 3}}}]),
        {"model": "m", "response": GOOD, "done": True, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 5},
        b"\n".join(
            json.dumps(one).encode()
            for one in [
                {"message": {"content": '{"val'}, "done": False},
                {"message": {"content": 'ue": 3}'}, "done": False},
                ollama(""),
            ]
        ),
    ],
)
def test_ollamas_own_form(chat_server, misbehaving, body):
    server = chat_server(default=misbehaving.Reply(body=body))
    model = chat_model(f"{server.url}#m")
    assert ask(model, "a", Count) == Count(value=3)
    assert len(server.requests) == 1
    assert (usage_of(model).prompt_tokens, usage_of(model).completion_tokens) == (9, 5)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (ollama('{"value": ', "length"), "cut off at max_tokens=20"),
        (ollama("", "length"), "cut off at max_tokens=20"),
        (ollama("", "load"), "it is empty .finish reason load."),
        (ollama("", thinking="hm"), "it is empty; the model only thought"),
    ],
)
def test_the_end_of_a_reply_in_ollamas_own_form_has_its_reason_named(chat_server, misbehaving, body, told):
    server = chat_server(default=misbehaving.Reply(body=body))
    with pytest.raises(StructuredError, match=told):
        ask(chat_model(f"{server.url}#m", max_tokens=20), "a", Count, reasks=1)
    assert len(server.requests) == 2


def test_a_reply_of_ollama_that_breaks_off_is_none(chat_server, misbehaving):
    server = chat_server(default=misbehaving.Reply(body={"message": {"content": "so far"}, "done": False}))
    with pytest.raises(ChatError, match="breaks off"):
        chat_model(f"{server.url}#m", max_retries=0).invoke("a")


def test_no_connection_is_left_to_the_garbage_collector(chat_server):
    server = chat_server(default=GOOD)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        ask_many(chat_model(f"{server.url}#m", concurrency=4), [f"q{i}" for i in range(8)], Count)
        gc.collect()
    assert [one for one in told if "socket" in str(one.message)] == []
    assert len(server.requests) == 8
