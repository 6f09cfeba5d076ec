"""Answers in the forms that servers really use: each is read for what it means, and the server counts the requests."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel

from agents import ChatError, StructuredFailure, ask, ask_many, chat_model, usage_of


class Count(BaseModel):
    value: int


GOOD = '{"value": 3}'
NOW = {"Retry-After": "0"}


def events(*chunks, done=True, line="\n"):
    """A stream of server-sent events."""
    sent = [f"data: {json.dumps(chunk)}" for chunk in chunks] + (["data: [DONE]"] if done else [])
    return (line * 2).join([*sent, ""]).encode()


def piece(finish=None, **delta):
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


USAGE = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 4}}


@pytest.mark.parametrize("kind", ["text/event-stream; charset=utf-8", "application/json"])
@pytest.mark.parametrize("line", ["\n", "\r\n", "\r"])
def test_server_sent_events_though_not_asked_for(chat_server, misbehaving, kind, line):
    body = events(piece(role="assistant"), piece(content='{"val'), piece(content='ue": 3}'), piece("stop"), USAGE, line=line)
    body = f": a comment{line * 2}event: message{line}".encode() + body
    server = chat_server(default=misbehaving.Reply(body=body, kind=kind))
    model = chat_model(f"{server.url}#m")
    assert ask(model, "a", Count) == Count(value=3)
    assert len(server.requests) == 1
    assert (usage_of(model).prompt_tokens, usage_of(model).completion_tokens, usage_of(model).estimated) == (7, 4, 0)


@pytest.mark.parametrize(
    ("chunks", "done", "read"),
    [
        ([piece("stop", content="hello")], False, "hello"),  # the end is told by the reason alone
        ([piece(content="hello")], True, "hello"),
        ([{"choices": [{"index": 0, "text": "hel"}]}, {"choices": [{"index": 0, "text": "lo"}]}], True, "hello"),
        (
            [piece(content="hel"), {"choices": [{"index": 0, "message": {"content": "hello"}, "finish_reason": "stop"}]}],
            True,
            "hello",
        ),
        ([{"choices": [{"index": 5, "delta": {"content": "x"}}]}, piece("stop", content="hello")], True, "hello"),
    ],
)
def test_forms_of_events(raw, raw_server, chunks, done, read):
    server = raw_server(lambda connection, _: connection.sendall(raw.answer(events(*chunks, done=done))))
    assert chat_model(f"{server.url}#m", max_retries=0).invoke("hi").content == read


def test_tool_calls_in_events(chat_server, misbehaving):
    def call(**function):
        return piece(tool_calls=[{"index": 0, "id": "c", "function": function}])

    body = events(call(name="Count", arguments='{"val'), call(arguments='ue": 3}'), piece("tool_calls"))
    server = chat_server(default=misbehaving.Reply(body=body, kind="text/event-stream"))
    assert ask(chat_model(f"{server.url}#m"), "a", Count) == Count(value=3)


@pytest.mark.parametrize(
    ("body", "told", "requests"),
    [
        (events(piece(content="hel"), done=False), "breaks off", 2),
        (events(piece(content="hel"), {"error": {"message": "out of memory"}}), "it says out of memory", 2),
        (events(piece(content="hel"), {"error": {"message": "slow down", "code": 429}}), "answered 429: slow down", 1),
        (events({"error": {"message": "no money", "code": "insufficient_quota"}}), "answered 402: no money", 1),
        (events([1]), "no JSON object", 2),
        (b"data: {\n\n", "not JSON", 2),
        (b"data: {}\n\n" * 200_001, "200,000 events", 2),
    ],
)
def test_events_that_are_no_reply(chat_server, misbehaving, body, told, requests):
    server = chat_server(default=misbehaving.Reply(body=body, kind="text/event-stream", headers=NOW))
    with pytest.raises(ChatError, match=told):
        chat_model(f"{server.url}#m", max_retries=0 if "429" in told else 1).invoke("hi")  # a rate is waited for
    assert len(server.requests) == requests


@pytest.mark.parametrize(
    ("body", "status", "kind", "told", "requests"),
    [
        ({"error": {"message": "overloaded", "code": 529}}, 529, "server", "answered 529: overloaded", 2),
        ({"error": {"message": "Rate limit", "code": 429}}, 429, "rate", "answered 429: Rate limit", 1),
        ({"error": "overloaded"}, 200, "reply", "it says overloaded", 2),
        ({"object": "error", "message": "no such model", "code": 404}, 404, "not found", "no such model", 1),
        ({"detail": "Not Found"}, 200, "reply", "it says Not Found", 2),
        ({"message": "Invalid API key", "code": "invalid_api_key"}, 401, "key", "check the key in SAYWHY_API_KEY", 1),
        (
            [{"error": {"code": 400, "message": "API key not valid", "status": "INVALID_ARGUMENT"}}],
            400,
            "key",
            "SAYWHY_API_KEY",
            1,
        ),
        (
            {"choices": [{"error": {"message": "upstream", "code": 502}, "finish_reason": "error"}]},
            502,
            "server",
            "upstream",
            2,
        ),
    ],
)
def test_an_error_with_status_200(chat_server, misbehaving, body, status, kind, told, requests):
    server = chat_server(default=misbehaving.Reply(body=body, headers=NOW))
    with pytest.raises(ChatError, match=told) as caught:
        chat_model(f"{server.url}#m", max_retries=0 if "429" in told else 1).invoke("hi")  # a rate is waited for
    assert (caught.value.status, caught.value.kind) == (status, kind)
    assert len(server.requests) == requests


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (400, {"error": "text"}, "answered 400: text"),
        (400, {"object": "error", "message": "m", "type": "BadRequestError"}, "answered 400: m"),
        (400, {"message": "m"}, "answered 400: m"),
        (400, {"detail": "m"}, "answered 400: m"),
        (
            422,
            {"detail": [{"loc": ["body", "messages", 0, "role"], "msg": "Field required"}]},
            "body.messages.0.role: Field required",
        ),
        (
            400,
            {"error": {"message": "Provider returned error", "metadata": {"raw": '{"error": {"message": "deep"}}'}}},
            "error: deep",
        ),
        (400, [{"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT"}}], "answered 400: m"),
        (400, b"\xef\xbb\xbf" + b'{"error": {"message": "m"}}', "answered 400: m"),
        (400, b"<!DOCTYPE html><html><head><title>Bad &amp; wrong</title></head></html>", "answered 400: Bad & wrong"),
        (400, b"", "it does not say why"),
        (
            403,
            b"<html><title>403 Forbidden</title></html>",
            "403 Forbidden; this key may not use the model; check the key in SAYWHY",
        ),
        (404, {"detail": "Not Found"}, "Not Found; does it serve a model named 'm'"),
        (413, b"", "longer than 'm' reads"),
        (
            400,
            {"error": {"message": "This model's maximum context length is 10", "code": "context_length_exceeded"}},
            "longer than",
        ),
        (
            400,
            {"error": {"message": "the request exceeds the available context size", "type": "exceed_context_size_error"}},
            "longer",
        ),
        (402, {"error": {"message": "Insufficient Balance"}}, "asking again does not help"),
    ],
)
def test_errors_in_every_form_are_one_sentence_after_one_request(chat_server, misbehaving, status, body, told):
    server = chat_server(default=misbehaving.Reply(status=status, body=body))
    with pytest.raises(ChatError) as caught:
        chat_model(f"{server.url}#m").invoke("hi")
    assert told in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(server.requests) == 1


def test_a_path_without_its_version_is_hinted_at(chat_server, misbehaving):
    server = chat_server(default=misbehaving.Reply(status=404, body={"detail": "Not Found"}))
    with pytest.raises(ChatError, match=r"most servers want an address that ends in /v1"):
        chat_model(f"{server.url.removesuffix('/v1')}#m").invoke("hi")
    page = b"<!doctype html><title>A chat</title>"
    server = chat_server(default=misbehaving.Reply(body=page, kind="text/html", headers=NOW))
    with pytest.raises(ChatError, match=r"a page of HTML, 'A chat'; is the address right"):
        chat_model(f"{server.url}#m", max_retries=0).invoke("hi")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb"half \ud83d here", "half \ufffd here"),
        (rb"whole \ud83d\ude00 here", "whole \U0001f600 here"),
        (rb"\ude00\ud83d", "\ufffd\ufffd"),
        (rb"no escape \\ud83d", r"no escape \ud83d"),
        (rb"nul\u0000here", "nulhere"),
    ],
)
def test_characters_that_no_file_could_hold(raw, raw_server, tmp_path, written, read):
    body = json.dumps(raw.completion("@")).encode().replace(b"@", written)
    server = raw_server(lambda connection, _: connection.sendall(raw.answer(b"\xef\xbb\xbf" + body)))
    model = chat_model(f"{server.url}#m", max_retries=0, cache=tmp_path / "c.sqlite")
    assert model.invoke("hi").content == read
    assert model.invoke("hi").content == read  # from the cache
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("changes", "read"),
    [
        ({"choices": [{"text": "hello", "finish_reason": "stop"}]}, "hello"),
        ({"choices": [{"message": {"content": "hello"}}]}, "hello"),
        (
            {"choices": [{"message": {"content": ["hel", {"type": "text", "text": "lo"}, {"type": "thinking", "text": "x"}]}}]},
            "hello",
        ),
        ({"usage": None}, "hello"),
        ({"usage": {"prompt_tokens": "7", "completion_tokens": "4"}}, "hello"),
        ({"created": "1", "error": None}, "hello"),
    ],
)
def test_completions_of_other_forms(raw, raw_server, changes, read):
    server = raw_server(lambda connection, _: connection.sendall(raw.answer(raw.completion("hello", **changes))))
    model = chat_model(f"{server.url}#m", max_retries=0)
    assert model.invoke("hi").content == read
    if changes.get("usage"):
        assert (usage_of(model).prompt_tokens, usage_of(model).completion_tokens, usage_of(model).estimated) == (7, 4, 0)


def tool(arguments, name="Count"):
    return {"id": "c", "type": "function", "function": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize(
    "message",
    [
        {"content": None, "reasoning_content": GOOD},
        {"content": "", "reasoning": f"```json\n{GOOD}\n```"},
        {"content": None, "reasoning_content": f"It is three.\n</think>\n\n{GOOD}"},
        {"content": None, "tool_calls": [tool(GOOD)]},
        {"content": "", "tool_calls": [tool(json.loads(GOOD))]},
        {"content": "I call the function.", "tool_calls": [tool(GOOD)]},
        {"content": None, "function_call": {"name": "Count", "arguments": GOOD}},
        {"content": f"<think>Perhaps {GOOD.replace('3', '9')}?</think>{GOOD}"},
        {"content": f"<think>\nIt is three.\n{GOOD}"},
        {"content": f"[THINK]hm[/THINK]{GOOD}"},
        {"content": json.dumps({"name": "Count", "arguments": json.loads(GOOD)})},
    ],
)
def test_a_reply_in_another_place_is_found(chat_server, misbehaving, message):
    server = chat_server(default=misbehaving.Reply(message=message))
    assert ask(chat_model(f"{server.url}#m"), "a", Count) == Count(value=3)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("message", "finish"),
    [
        ({"content": None, "reasoning_content": f"Perhaps {GOOD}? I am not sure."}, "stop"),
        ({"content": None, "reasoning_content": f"Perhaps {GOOD}"}, "length"),
        ({"content": f"<think>Perhaps {GOOD}? I am not"}, "length"),
        ({"content": f"<think>Perhaps {GOOD}? No."}, "stop"),
    ],
)
def test_a_draft_in_a_thought_is_no_reply(chat_server, misbehaving, message, finish):
    thought = misbehaving.Reply(message=message, finish_reason=finish)
    server = chat_server([thought], default=GOOD.replace("3", "4"))
    assert ask(chat_model(f"{server.url}#m"), "a", Count) == Count(value=4)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"error": {"message": "The response was filtered", "code": "content_filter", "param": "prompt"}}, 400),
        ({"error": {"message": "m", "code": "400", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, 400),
        ({"error": {"message": "Your input was flagged by moderation", "code": 403}}, 403),
        ({"error": {"message": "Content policy violation"}}, 422),
    ],
)
def test_a_filtered_request_is_named_and_sent_once_and_the_others_go_on(chat_server, misbehaving, body, status):
    def behave(request):
        return misbehaving.Reply(status=status, body=body) if "q0" in request.prompt else GOOD

    server = chat_server(behave=behave)
    first, *others = ask_many(chat_model(f"{server.url}#m"), [f"q{i}" for i in "0abcd"], Count)
    assert isinstance(first, StructuredFailure)
    assert first.error.kind == "filtered"
    assert "filter stopped this request" in str(first)
    assert others == [Count(value=3)] * 4
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    ("reply", "told", "requests"),
    [
        ({"text": "", "finish_reason": "content_filter"}, "filter", 1),
        ({"text": '{"val', "finish_reason": "content_filter"}, "filter", 1),
        ({"text": "", "finish_reason": "SAFETY"}, "filter", 1),
        ({"message": {"content": None, "refusal": "I can't help with that."}}, "refuses.*I can't help with that", 2),
        ({"text": '{"val', "finish_reason": "length"}, r"max_tokens=50 .*raise max_tokens", 2),
    ],
)
def test_what_no_further_question_mends_is_final_for_that_one_request(chat_server, misbehaving, reply, told, requests):
    def behave(request):
        return misbehaving.Reply(**reply) if "q0" in request.messages[0]["content"] else GOOD

    server = chat_server(behave=behave)
    first, second = ask_many(chat_model(f"{server.url}#m", max_tokens=50), ["q0", "qa"], Count, reasks=4)
    with pytest.raises(type(first.error), match=told):
        raise first.error
    assert second == Count(value=3)
    assert len(server.requests) == requests + 1


def test_a_limit_that_is_the_servers_own_is_named_so(chat_server, misbehaving):
    server = chat_server(default=misbehaving.Reply("[" * 20, finish_reason="length"))
    (failed,) = ask_many(chat_model(f"{server.url}#m"), ["q"], Count)
    assert "at the server's own limit" in str(failed)
    assert "set max_tokens" in str(failed)
    assert len(server.requests) == 2
