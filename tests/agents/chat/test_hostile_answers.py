"""Answers of broken and hostile servers: each becomes a reply or one sentence, and nothing of it goes further than it should."""

from __future__ import annotations

import importlib.util
import json
import resource
import sys
import time
from pathlib import Path

import pytest

from agents import ChatError, chat_model, usage_of

ANSWERS = Path(__file__).parents[2] / "trust" / "fuzz" / "answers.py"


@pytest.fixture(scope="module")
def answers():
    spec = importlib.util.spec_from_file_location("saywhy_tests_answers", ANSWERS)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _given(raw, raw_server, body):
    server = raw_server(lambda connection, _: connection.sendall(raw.answer(body)))
    return chat_model(f"{server.url}#m", max_retries=0)


@pytest.mark.parametrize("seed", [11, pytest.param(12, marks=pytest.mark.long)])
@pytest.mark.long
def test_a_hundred_mutated_answers(answers, seed):
    with answers.serve(answers.mutated_answers(seed, 100)) as server:
        for _ in range(100):
            model = chat_model(f"{server.url}#m", timeout=5, max_retries=0)
            begun = time.monotonic()
            try:
                reply = model.invoke("hi")
            except ChatError as error:
                told = str(error)
                assert told.isprintable()
                assert len(told) < 700
            else:
                assert isinstance(reply.content, str)
                assert 0 <= usage_of(model).tokens <= 2 * 10**9
            assert time.monotonic() - begun < 5.5
        assert server.given > 80  # a connection that the server had left may be found closed once


@pytest.mark.parametrize(
    ("content", "read"),
    [
        ("hello", "hello"),
        (None, ""),
        ([{"type": "text", "text": "hel"}, {"type": "text", "text": "lo"}], "hello"),
        ([], ""),
    ],
)
def test_contents_that_are_read(raw, raw_server, content, read):
    assert _given(raw, raw_server, raw.completion(content)).invoke("hi").content == read


@pytest.mark.parametrize("content", [1, True, {"text": "x"}, 1.5])
def test_contents_that_are_no_text(raw, raw_server, content):
    with pytest.raises(ChatError, match=r"no chat completion: the content of choice 1 is no text"):
        _given(raw, raw_server, raw.completion(content)).invoke("hi")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "no chat completion: it is empty"),
        (b"not JSON", "no chat completion: not JSON"),
        (b"[]", "it is no JSON object"),
        (b"null", "it is no JSON object"),
        (b"{}", "no choices in the reply"),
        (b'{"choices": {}}', "no choices in the reply"),
        (b'{"choices": [1]}', "choice 1 has no message"),
        (b'{"choices": [{"message": []}]}', "choice 1 has no message"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"choices": [], "n": ' + b"9" * 5000 + b"}", "thousands of digits"),
        (b'{"error": {"message": "[/red]\\u001b[31m"}}', r"it says [/red]\x1b[31m"),
        (b'{"error": "overloaded"}', "it says overloaded"),
        (b'{"choices": [' + b"{}," * 2_500_000 + b"{}]}", "--ceiling values="),
    ],
)
def test_bodies_that_are_no_completion(raw, raw_server, body, told):
    with pytest.raises(ChatError) as caught:
        _given(raw, raw_server, body).invoke("hi")
    assert told in str(caught.value)


def test_of_many_choices_the_first_is_read(raw, raw_server):
    many = raw.completion("first", choices=[{"message": {"content": "first"}}, *[{"message": {"content": "x"}}] * 50_000])
    begun = time.process_time()
    model = _given(raw, raw_server, many)
    assert model.invoke("hi").content == "first"
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": -5, "completion_tokens": 10},
        {"prompt_tokens": 10**30, "completion_tokens": 10},
        {"prompt_tokens": float("nan"), "completion_tokens": 10},
        {"prompt_tokens": float("inf"), "completion_tokens": 10},
        {"prompt_tokens": "7x", "completion_tokens": 10},
        {"prompt_tokens": True, "completion_tokens": 10},
        {"prompt_tokens": None, "completion_tokens": 10},
        {"completion_tokens": 10, "prompt_tokens_details": [1], "completion_tokens_details": {"reasoning_tokens": "x"}},
    ],
)
def test_token_counts_that_can_not_be_are_estimated(raw, raw_server, usage):
    model = _given(raw, raw_server, raw.completion("hello", usage=usage))
    model.invoke("hi")
    used = usage_of(model)
    # the estimate of a prompt of 2 characters: 8 tokens for the message and 1 for its bytes, of which half is counted
    assert (used.prompt_tokens, used.completion_tokens, used.estimated) == (4, 10, 1)


def test_usage_of_another_type_is_estimated(raw, raw_server):
    model = _given(raw, raw_server, raw.completion("x" * 40, usage=[1, 2]))
    model.invoke("hi")
    assert (usage_of(model).completion_tokens, usage_of(model).estimated) == (10, 1)


def test_fields_of_another_type_do_no_harm(raw, raw_server):
    body = raw.completion("hello", id={}, model=[1], created="x", system_fingerprint=7, object=None, service_tier=[])
    body["choices"][0] |= {"finish_reason": {"a": 1}, "logprobs": 5, "index": "one"}
    body["choices"][0]["message"] |= {
        "role": "emperor",
        "tool_calls": [None, {"function": 5}, {"function": {"name": 1}}],
        "audio": 3,
    }
    reply = _given(raw, raw_server, body).invoke("hi")
    assert (reply.content, reply.tool_calls, reply.response_metadata["finish_reason"]) == ("hello", [], None)


def test_tool_calls_are_read(raw, raw_server):
    body = raw.completion(None)
    call = {"id": "a", "type": "function", "function": {"name": "look", "arguments": json.dumps({"at": 1})}}
    body["choices"][0]["message"]["tool_calls"] = [call]
    (read,) = _given(raw, raw_server, body).invoke("hi").tool_calls
    assert (read["name"], read["args"], read["id"]) == ("look", {"at": 1}, "a")


def test_log_probabilities_are_read_token_by_token(raw, raw_server):
    token = {
        "token": "he",
        "logprob": -0.5,
        "bytes": [104, 101],
        "top_logprobs": [{"token": "x", "logprob": -3, "bytes": None}],
    }
    body = raw.completion("hello")
    body["choices"][0]["logprobs"] = {
        "content": [token, 5, {"token": 1, "logprob": "x", "bytes": [999], "top_logprobs": 7}],
        "more": [1],
    }
    read = _given(raw, raw_server, body).invoke("hi").response_metadata["logprobs"]
    assert read["content"][0]["token"] == "he"
    assert read["content"][0]["logprob"] == -0.5
    assert read["content"][0]["top_logprobs"][0]["logprob"] == -3
    assert read["content"][1]["logprob"] is None
    assert len(read["content"]) == 2


@pytest.mark.parametrize(
    "body",
    [
        b'{"choices": [{"message": {"content": "x"}, "logprobs": {"content": [' + b"1," * 2_000_000 + b"1]}}]}",
        b'{"choices": [{"message": {"content": "x"}, "logprobs": {"content": [{"bytes": [' + b"1," * 2_000_000 + b"1]}]}}]}",
        b'{"choices": [{"message": {"content": "x", "tool_calls": [' + b"{}," * 1_000_000 + b"{}]}}]}",
    ],
    ids=["tokens", "bytes", "calls"],
)
def test_a_large_answer_is_not_handed_on(raw, raw_server, body):
    model = _given(raw, raw_server, body)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert model.invoke("hi").content == "x"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 250_000  # KiB
