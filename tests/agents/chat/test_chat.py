"""Chat models over a real socket: what the user gets when the server behaves, and when it does not."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from base64 import b64decode

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.tracers.langchain import wait_for_all_tracers

from agents import BudgetExceeded, ChatError, UsageError, chat_model, usage_of

NOW = {"retry-after-ms": "1"}  # a server that asks for a retry at once keeps tests quick


def test_plain_answer_and_what_was_sent(chat_server):
    server = chat_server(["hello there"])
    model = chat_model(f"{server.url}#some/model", temperature=0.5, max_tokens=7, seed=3)
    assert model.invoke("hi").content == "hello there"
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.body["model"] == "some/model"
    # the field that llama.cpp, Ollama and older servers know
    assert request.body["max_tokens"] == 7
    assert "max_completion_tokens" not in request.body
    assert (request.body["temperature"], request.body["seed"]) == (0.5, 3)
    assert request.body["messages"] == [{"role": "user", "content": "hi"}]
    assert "stream_options" not in request.body


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("gpt-4o", "openai:MODEL.*http://HOST:PORT/v1#MODEL.*transformers:"),
        ("", "openai:MODEL"),
        ("openai:", "openai:MODEL"),
        ("transformers: ", "openai:MODEL"),
        ("http://127.0.0.1:1/v1", "says no model"),
        ("http://127.0.0.1:1/v1#", "says no model"),
        ("http:///v1#m", "no host"),
        ("http://h:99999/v1#m", "no address"),
        ("http://h/v1?key=abc#m", "no parameters"),
        ("ftp://h/v1#m", "'ftp://h/v1' is no address that begins with http:// or https://"),
        ("127.0.0.1:1/v1#m", "'127.0.0.1:1/v1' is no address that begins with http:// or https://"),
        ("//h/v1#m", "is no address that begins with http"),
        ("gpt 4#m", "names no model"),
        (None, "string"),
        ("openai:gpt", "OPENAI_API_KEY"),
        ("transformers:./no/such/folder", "config.json"),
    ],
)
def test_bad_specs_say_what_to_do(spec, message):
    with pytest.raises(UsageError, match=message):
        chat_model(spec)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 0}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"max_requests": 0}, "max_requests"),
        ({"max_cost": 1.0}, "price"),
        ({"max_cost": 1.0, "price": (1.0,)}, "price"),
        ({"concurrency": 0}, "concurrency"),
        ({"max_retries": -1}, "max_retries"),
        ({"offline": True}, "cache"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(UsageError, match=message):
        chat_model("http://127.0.0.1:1/v1#m", **options)


def test_server_errors_are_retried_and_counted(chat_server, misbehaving):
    server = chat_server([misbehaving.Reply(status=s, headers=NOW) for s in (500, 503, 429)], default="fine")
    model = chat_model(f"{server.url}#m", max_retries=3)
    assert model.invoke("hi").content == "fine"
    usage = usage_of(model)
    assert (usage.requests, usage.retries) == (4, 3) == (len(server.requests), 3)


def test_retry_after_is_honoured(chat_server, misbehaving):
    server = chat_server([misbehaving.Reply(status=429, headers={"Retry-After": "1"})], default="fine")
    assert chat_model(f"{server.url}#m").invoke("hi").content == "fine"
    assert server.requests[1].received_at - server.requests[0].received_at >= 1.0


def test_long_retry_after_is_an_error_at_once(chat_server, misbehaving):
    server = chat_server(default=misbehaving.Reply(status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(ChatError, match=r"429.*wait 3600 s") as caught:
        chat_model(f"{server.url}#m").invoke("hi")
    assert caught.value.status == 429
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("drop", "connection to 127.0.0.1:.* failed"),
        ("reset", "connection to 127.0.0.1:.* failed"),
        ("drop-mid-body", "connection to 127.0.0.1:.* failed"),
        ("not-json", "no chat completion"),
        ("truncated-body", "no chat completion"),
        ("no-choices", "no chat completion"),
    ],
)
def test_broken_replies(chat_server, misbehaving, fault, message):
    once = chat_server([misbehaving.Reply("x" * 300, fault=fault)], default="fine")
    model = chat_model(f"{once.url}#m")
    assert model.invoke("hi").content == "fine"
    assert (usage_of(model).requests, usage_of(model).retries) == (2, 1)
    always = chat_server(default=misbehaving.Reply("x" * 300, fault=fault))
    with pytest.raises(ChatError, match=message):
        chat_model(f"{always.url}#m", max_retries=0).invoke("hi")
    assert len(always.requests) == 1


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_time_out_holds_whatever_the_server_does(chat_server, misbehaving, fault):
    server = chat_server(default=misbehaving.Reply("x" * 500, fault=fault, delay=0.05))
    with pytest.raises(ChatError, match=r"did not answer within 0\.4 s"):
        chat_model(f"{server.url}#m", timeout=0.4, max_retries=0).invoke("hi")
    assert server.answered == []  # the client gave up: the dripped reply would take 40 s and the other one for ever


@pytest.mark.parametrize(
    ("status", "message"),
    [(401, "check the key in SAYWHY_API_KEY"), (404, "serve a model named 'm'"), (400, "400: scripted error")],
)
def test_errors_that_no_retry_mends(chat_server, misbehaving, status, message):
    server = chat_server(default=misbehaving.Reply(status=status))
    with pytest.raises(ChatError, match=message):
        chat_model(f"{server.url}#m").invoke("hi")
    assert len(server.requests) == 1


def test_refused_key_is_not_tried_for_every_prompt(chat_server, misbehaving):
    server = chat_server(default=misbehaving.Reply(status=401))
    model = chat_model(f"{server.url}#m", concurrency=2)
    results = model.batch([f"p{i}" for i in range(50)], return_exceptions=True)
    assert all(isinstance(r, ChatError) for r in results)
    assert len(server.requests) <= 2


def test_nobody_listens():
    with pytest.raises(ChatError, match=r"is the server up"):
        chat_model("http://127.0.0.1:9/v1#m", max_retries=0).invoke("hi")


def test_max_requests_is_never_passed_from_many_threads(chat_server, misbehaving):
    server = chat_server(behave=lambda r: misbehaving.Reply(status=500, headers=NOW) if r.number % 3 else "ok")
    model = chat_model(f"{server.url}#m", max_requests=20, concurrency=16, max_retries=5)
    results = model.batch([f"p{i}" for i in range(100)], return_exceptions=True)
    assert len(server.requests) == 20 == usage_of(model).requests
    assert {type(r).__name__ for r in results} == {"AIMessage", "BudgetExceeded"}
    with pytest.raises(BudgetExceeded, match="20 requests"):
        model.invoke("once more")
    assert len(server.requests) == 20


def test_ceiling_on_tokens_is_never_passed(chat_server):
    server = chat_server(default="word " * 10)  # the server says 13 completion tokens
    model = chat_model(f"{server.url}#m", max_tokens_total=500, max_tokens=20, concurrency=8)
    results = model.batch(["a question of some length, as they are"] * 100, return_exceptions=True)
    answered = [r for r in results if not isinstance(r, BudgetExceeded)]
    used = sum(r.usage_metadata["total_tokens"] for r in answered)
    assert used == usage_of(model).tokens <= 500
    # waiting for requests in flight, not giving up on their account: what is left is less than one request's room
    assert used > 500 - 60
    assert len(answered) == len(server.requests)


def test_ceiling_on_cost(chat_server):
    server = chat_server(default="x" * 36)  # 10 completion tokens
    model = chat_model(f"{server.url}#m", max_cost=0.001, price=(1.0, 10.0), max_tokens=10)
    with pytest.raises(BudgetExceeded, match=r"max_cost=0\.001"):
        for _ in range(100):
            model.invoke("hi")
    usage = usage_of(model)
    # by hand: 10 tokens at 10 per million are 1e-4 a reply, so 9 fit beside the room that the tenth asks for
    assert len(server.requests) == 9
    assert usage.cost == pytest.approx(9 * 10 * 10.0 / 1e6 + usage.prompt_tokens / 1e6)
    assert usage.cost <= 0.001


def test_tokens_are_estimated_where_the_server_is_silent(chat_server, misbehaving):
    server = chat_server(default=misbehaving.Reply("x" * 40, usage=False))
    model = chat_model(f"{server.url}#m")
    model.invoke("hi")
    usage = usage_of(model)
    assert usage.estimated == 1
    assert usage.completion_tokens == 10
    assert "estimated" in str(usage)


def test_the_defaults_of_a_server_are_those_that_are_documented():
    model = chat_model("http://127.0.0.1:1/v1#m")
    assert (model.concurrency, model.max_retries, model.request_timeout) == (8, 3, 60.0)
    assert chat_model("http://127.0.0.1:1/v1#m", max_retries=0).max_retries == 0


@pytest.mark.long
def test_concurrency_is_bounded_in_batch_and_abatch(chat_server, misbehaving):
    server = chat_server(behave=lambda r: misbehaving.Reply(r.prompt.upper(), delay=0.08))
    model = chat_model(f"{server.url}#m", concurrency=3)
    prompts = [f"p{i}" for i in range(15)]
    assert [r.content for r in model.batch(prompts)] == [p.upper() for p in prompts]
    assert server.most_at_once == 3
    # each asyncio.run has a loop of its own
    for _ in range(2):
        assert [r.content for r in asyncio.run(model.abatch(prompts))] == [p.upper() for p in prompts]
    assert server.most_at_once == 3


def test_streaming_passes_the_same_meter(chat_server):
    server = chat_server(default="hello")
    model = chat_model(f"{server.url}#m", max_requests=2)
    assert "".join(chunk.content for chunk in model.stream("hi")) == "hello"

    async def gather():
        return [chunk.content async for chunk in model.astream("hi")]

    assert "".join(asyncio.run(gather())) == "hello"
    with pytest.raises(BudgetExceeded):
        next(iter(model.stream("hi")))
    assert len(server.requests) == 2
    assert not any(r.body.get("stream") for r in server.requests)


def test_pictures_go_through(chat_server):
    server = chat_server(default="a cat")
    block = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    message = HumanMessage([{"type": "text", "text": "what is it?"}, block])
    assert chat_model(f"{server.url}#m").invoke([message]).content == "a cat"
    assert server.requests[0].body["messages"][0]["content"][1] == block


def test_openai_spec_uses_its_own_fields(chat_server, monkeypatch):
    server = chat_server(default="hello")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a-key-for-the-official-door")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    assert chat_model("openai:gpt-x", max_tokens=5).invoke("hi").content == "hello"
    assert server.requests[0].body["max_completion_tokens"] == 5
    assert server.requests[0].headers["authorization"] == "Bearer sk-a-key-for-the-official-door"


def test_openai_key_is_not_sent_to_other_servers(chat_server, monkeypatch):
    server = chat_server(default="hello")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a-key-for-the-official-door")
    monkeypatch.delenv("SAYWHY_API_KEY")
    chat_model(f"{server.url}#m").invoke("hi")
    monkeypatch.setenv("SAYWHY_API_KEY", "a-key-for-the-server")
    chat_model(f"{server.url}#m").invoke("hi")
    assert [r.headers["authorization"] for r in server.requests] == ["Bearer none", "Bearer a-key-for-the-server"]


def test_user_and_password_become_basic_auth(chat_server, monkeypatch):
    server = chat_server(default="hello")
    monkeypatch.delenv("SAYWHY_API_KEY")
    monkeypatch.setenv("SAYWHY_API_USER", "user")
    monkeypatch.setenv("SAYWHY_API_PASSWORD", "secret:wörd")
    model = chat_model(f"{server.url}#m")
    assert model.invoke("hi").content == "hello"
    monkeypatch.delenv("SAYWHY_API_USER")
    monkeypatch.delenv("SAYWHY_API_PASSWORD")
    chat_model(f"{server.url}#m", api_key=("user", "secret:wörd")).invoke("hi")
    for request in server.requests:
        kind, pair = request.headers["authorization"].split()
        assert (kind, b64decode(pair).decode()) == ("Basic", "user:secret:wörd")
    assert "wörd" not in repr(model)


def test_a_password_may_be_empty_on_purpose(chat_server, monkeypatch):
    server = chat_server(default="hello")
    monkeypatch.delenv("SAYWHY_API_KEY")
    monkeypatch.setenv("SAYWHY_API_USER", "token")
    monkeypatch.setenv("SAYWHY_API_PASSWORD", "")
    chat_model(f"{server.url}#m").invoke("hi")
    assert b64decode(server.requests[0].headers["authorization"].split()[1]) == b"token:"


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("set_", "given", "told"),
    [
        ({"OPENAI_API_KEY": "sk-a"}, None, r"no key was sent: set SAYWHY_API_KEY \(OPENAI_API_KEY is sent to OpenAI alone\)"),
        ({}, None, "no key was sent: set SAYWHY_API_KEY$"),
        ({"SAYWHY_API_KEY": "a-key"}, None, "check the key in SAYWHY_API_KEY"),
        ({"SAYWHY_API_USER": "u", "SAYWHY_API_PASSWORD": "pass"}, None, "the user in SAYWHY_API_USER and the password in"),
        ({"SAYWHY_API_KEY": "a-key"}, "another-key", "check api_key"),
    ],
)
def test_a_server_that_turns_the_key_away_is_told_with_the_variable(
    chat_server, misbehaving, monkeypatch, status, set_, given, told
):
    server = chat_server(default=misbehaving.Reply(status=status))
    for name in ("SAYWHY_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in set_.items():
        monkeypatch.setenv(name, value)
    if status == 403 and "no key" not in told:
        told = "this key may not use the model"
    with pytest.raises(UsageError, match=told):
        chat_model(f"{server.url}#m", api_key=given, max_retries=0).invoke("hi")


def test_no_tracing_by_environment(chat_server, monkeypatch):
    traces = chat_server(default="no")
    server = chat_server(default="hello")
    for name, value in {
        "LANGSMITH_TRACING": "true",
        "LANGCHAIN_TRACING_V2": "true",
        "LANGSMITH_ENDPOINT": traces.url,
        "LANGSMITH_API_KEY": "lsv2_pt_fake",
    }.items():
        monkeypatch.setenv(name, value)
    model = chat_model(f"{server.url}#m")
    model.batch(["a", "b"])
    asyncio.run(model.ainvoke("c"))
    wait_for_all_tracers()  # had a tracer been started, its queue would be sent now
    assert traces.requests == []
    assert len(server.requests) == 3


def test_threads_of_the_caller_share_the_ceiling(chat_server):
    server = chat_server(default="ok")
    model = chat_model(f"{server.url}#m", max_requests=10)
    outcomes = []

    def work():
        for _ in range(5):
            try:
                outcomes.append(model.invoke("hi").content)
            except BudgetExceeded:
                outcomes.append("refused")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("ok") == 10 == len(server.requests)


def test_import_is_light():
    code = "import sys, agents; print([m for m in ('torch', 'transformers', 'openai', 'langchain_core') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
