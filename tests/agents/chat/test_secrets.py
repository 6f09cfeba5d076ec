"""A planted key is looked for in everything that a run leaves behind."""

from __future__ import annotations

import copy
import io
import logging
import pickle
import traceback

import pytest
from pydantic import BaseModel

from agents import ChatError, StructuredError, UsageError, ask, chat_model, usage_of
from saywhy_core.secrets import forget_secrets

KEY = "sk-planted-7f3c1b9e2d4a"
PASSWORD = "planted-pass-58c1"


class Answer(BaseModel):
    value: int


@pytest.fixture
def everything_logged():
    """All that any logger says, at its chattiest."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)s"))
    root = logging.getLogger()
    level = root.level
    chatty = [logging.getLogger(name) for name in ("openai", "httpx", "httpx2", "httpcore", "httpcore2", "langchain")]
    levels = [logger.level for logger in chatty]
    root.addHandler(handler)
    for logger in (root, *chatty):
        logger.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)
    for logger, before in zip(chatty, levels, strict=True):
        logger.setLevel(before)


def _told(error: BaseException) -> str:
    """An error as a traceback with local variables left out, its repr, and all that hangs on it."""
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    for linked in (error.__cause__, error.__context__):
        told += _told(linked) if linked is not None else ""
    return told


@pytest.mark.parametrize("credentials", [KEY, pytest.param(("user", PASSWORD), marks=pytest.mark.long)])
def test_planted_key_is_nowhere(chat_server, misbehaving, tmp_path, everything_logged, credentials):
    def behave(request):
        # the worst of servers: it says back all that it was sent
        echo = (
            f"you sent {request.headers.get('authorization')} {credentials if isinstance(credentials, str) else credentials[1]}"
        )
        kind = request.prompt.split()[0]
        if kind.isdigit():
            return misbehaving.Reply(status=int(kind), error=echo, headers={"retry-after-ms": "1", "x-echo": "yes"})
        if kind in {"not-json", "truncated-body", "drop", "hang", "no-choices"}:
            return misbehaving.Reply(echo, fault=kind)
        return echo

    server = chat_server(behave=behave)
    spec = server.url + "#m"
    model = chat_model(spec, api_key=credentials, cache=tmp_path / "c.sqlite", timeout=0.5, max_retries=1)
    left = [repr(model), str(model), model.invoke("echo").content]
    for kind in ("400", "401", "404", "429", "500", "not-json", "truncated-body", "drop", "hang", "no-choices"):
        again = int(kind != "429")  # a server that lets nothing through is asked for minutes otherwise
        fresh = chat_model(spec, api_key=credentials, cache=tmp_path / "c.sqlite", timeout=0.5, max_retries=again)
        with pytest.raises(ChatError) as caught:
            fresh.invoke(f"{kind} please")
        left.append(_told(caught.value))
    with pytest.raises(StructuredError) as refused:
        ask(model, "echo", Answer, reasks=1)
    left += [_told(refused.value), str(usage_of(model)), everything_logged.getvalue()]
    everywhere = "\n".join(left).encode() + b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    sent = {r.headers["authorization"] for r in server.requests}
    assert sent  # a key did go out
    for secret in (KEY, PASSWORD, *(s.split()[1] for s in sent)):
        at = everywhere.find(secret.encode())
        assert at < 0, everywhere[max(at - 200, 0) : at].decode(errors="replace")
    assert b"HTTP Request" in everywhere  # the loggers were on


PARTS = ("pass-58c1", "word-58c1", "planted-7f3c", KEY, PASSWORD)


@pytest.mark.parametrize(
    "spec",
    [
        f"http://u:{PASSWORD}@h:bad/v1#m",
        f"http://u:{PASSWORD}@h/v1",
        f"http://u:{PASSWORD}@h/v1#m",
        f"HTTPS://:{PASSWORD}@h/v1#m",
        f"htp://u:{PASSWORD}@h/v1#m",
        f"u:{PASSWORD}@h/v1#m",
        "http://u:word-58c1/x@h/v1#m",
        "http://u:word-58c1#x@h/v1#m",
        "http://u:word-58c1?x@h/v1#m",
        "http://u:x#word-58c1@h/v1#m",
        "http://u:x@word-58c1@h/v1#m",
        f"http://u%3A{PASSWORD}%40h/v1#m",
        f"http://h/v1?key={KEY}#m",
        f"http://h/v1?{KEY}#m",
        f"http://h/v1;api_key={KEY}#m",
        f"http://h/{KEY}/v1#m",
        f"http://h/v1/#m?api_key={KEY}",
        f"http://h/v1#m&token={KEY}",
        f"http://h/v1#{KEY}",
        # malformed, so that nothing of it is where it should be
        *(
            f"{start}u:{PASSWORD}@h/v1#m"
            for start in ("http:", "http:/", "http:///", "http:////", "https:/", "HTTP:\\\\", "http:/\\/")
        ),
        *(f"{start}u:{PASSWORD}@h/v1" for start in ("//", "///", "ftp:/", "openai://", "OpenAI:", "transformers://", "file:")),
        f"Http:///v1;pw={PASSWORD}#m",
        f"http:///{KEY}#m",
        f"http://h/u:{PASSWORD}@x/v1#m",
        # as the host
        "http://sk-pass-58c1WORD-58c1.invalid/v1#m",
        "http://sk-planted-7f3c1b9e.example.com/v1#m",
        f"http://h.{KEY}.com/v1#m",
        # as the name
        f"openai:{KEY}",
        f"OPENAI:{KEY}",
        f"openai:http://u:{PASSWORD}@h/",
        f"openai:gpt?api_key={PASSWORD}",
        f"openai:gpt#{PASSWORD}",
        f"openai:gpt@{PASSWORD}:x",
        f"openai:Bearer {PASSWORD}",
        f"http://h/v1#Bearer {PASSWORD}",
        f"http://h/v1#basic:{PASSWORD}",
        f"http://h/v1#m@{PASSWORD}:x",
        f"http://h/v1#m#{PASSWORD}",
        f"http://h/v1#m%3F{PASSWORD}",
        f"http://h/v1#m {KEY}",
        # with an @ of another width, in the place of a port, as a parameter of the path
        *(f"http://u:{PASSWORD}{sign}h/v1#m" for sign in ("\uff20", "\ufe6b")),
        *(f"{start}:{PASSWORD}/v1#m" for start in ("http://h", "http://h:80", "https://[::1]", "http://127.0.0.1:80")),
        f"http://h:{PASSWORD}",
        f"http://h/v1;tok={PASSWORD}#m",
        f"http://h/v1;{PASSWORD}#m",
        f"http://h/v1/,api_key:{PASSWORD}#m",
        f"http://h/v1,x={PASSWORD}#m",
        f"http://h/v1/pass:{PASSWORD}#m",
        f"http://h/v1%3Btok={PASSWORD}#m",
        f"http://h/v1#m@{PASSWORD}",
        f"http://h/v1#{PASSWORD}\uff20m",
        f"openai:{PASSWORD}@m",
        f"openai:m@{PASSWORD}",
        f"transformers:{KEY}",
        f"transformers:u:{PASSWORD}@h",
    ],
)
def test_addresses_with_secrets_are_refused_without_a_word_of_them(spec):
    with pytest.raises(UsageError) as caught:
        chat_model(spec)
    assert not any(part in _told(caught.value) for part in PARTS)


@pytest.mark.parametrize("variable", ["OPENAI_BASE_URL", "OPENAI_API_BASE"])
@pytest.mark.parametrize(
    "address", [f"http://u:{PASSWORD}@h/v1", f"http://h/v1?key={KEY}", f"http://h/{KEY}", "ftp://h/v1", "http://"]
)
def test_so_are_those_in_the_environment(monkeypatch, variable, address):
    monkeypatch.setenv("OPENAI_API_KEY", "another-key-17")
    monkeypatch.setenv(variable, address)
    with pytest.raises(UsageError) as caught:
        chat_model("openai:m")
    assert not any(part in _told(caught.value) for part in PARTS)


@pytest.mark.parametrize(
    "name",
    [
        "gpt-4o",
        "Qwen/Qwen3-8B",
        "claude@20240620",
        "hf.co/unsloth/Key-Model-7B:Q4_K_M",
        "./my-model",
        "skywork-o1-open-llama-3.1-8b",
        "@cf/meta/llama-3.1-8b-instruct",
        "gemini-pro@001",
        "text-bison@latest",
        "llama3:8b@sha256:0123456789abcdef0123456789abcdef",
        "ft:gpt-4o-mini-2024-07-18:my-org:name:9AbCdEf1",
        "accounts/fireworks/models/mixtral-8x7b-instruct-v0.1",
        "Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf",
        "my own model",
        "DeepSeek-R1-Distill-Qwen-32B-AWQ-INT4",
    ],
)
def test_names_of_models_are_no_keys(name):
    assert chat_model(f"http://h:80/api/v1/#{name}").model_name == name


@pytest.mark.parametrize(
    "host", ["sk-worker12.example.com", "api-gateway-production-eu", "key-value.lan:80", "SK-NODE", "[::1]:80"]
)
def test_names_of_hosts_are_no_keys(host):
    assert chat_model(f"http://{host}/v1#m").model_name == "m"


def test_a_known_key_is_no_name_of_a_model(monkeypatch):
    monkeypatch.setenv("SAYWHY_API_KEY", "plainlettersandnothingelse")
    chat_model("http://h/v1#m")
    with pytest.raises(UsageError, match="holds a key"):
        chat_model("http://h/v1#plainlettersandnothingelse")


@pytest.mark.parametrize(
    ("set_", "told"),
    [
        (
            {"SAYWHY_API_KEY": KEY, "SAYWHY_API_PASSWORD": PASSWORD},
            "key in SAYWHY_API_KEY, and also a password in SAYWHY_API_P",
        ),
        ({"SAYWHY_API_KEY": KEY, "SAYWHY_API_USER": "me"}, "also a user in SAYWHY_API_USER; set the key alone"),
        (
            {"SAYWHY_API_KEY": KEY, "SAYWHY_API_USER": "me", "SAYWHY_API_PASSWORD": PASSWORD},
            "also a user in SAYWHY_API_USER and a password in SAYWHY_API_PASSWORD;",
        ),
        ({"SAYWHY_API_USER": "me"}, "SAYWHY_API_USER is set and SAYWHY_API_PASSWORD is not"),
        ({"SAYWHY_API_PASSWORD": PASSWORD}, "SAYWHY_API_PASSWORD is set and SAYWHY_API_USER is not"),
        ({"SAYWHY_API_USER": "a:b", "SAYWHY_API_PASSWORD": PASSWORD}, "colon"),
        ({"SAYWHY_API_PASSWORD": f"{PASSWORD}\nX: y"}, "characters no key has"),
        ({"SAYWHY_API_KEY": f"{KEY}é"}, "characters no key has"),
    ],
)
def test_keys_that_can_not_be_sent(monkeypatch, set_, told):
    monkeypatch.delenv("SAYWHY_API_KEY")
    for name, value in set_.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=told) as caught:
        chat_model("http://127.0.0.1:1/v1#m")
    assert not any(part in _told(caught.value) for part in PARTS)


@pytest.mark.parametrize(
    ("spec", "options"),
    [
        ("http://me:pw@127.0.0.1:1/v1#m", {}),
        ("http://127.0.0.1:1/v1", {}),
        ("openai:m", {}),
        ("http://127.0.0.1:1/v1#m", {"batch_size": 3}),
        ("http://127.0.0.1:1/v1#m", {"api_key": ("a:b", "pw")}),
        ("transformers:./nothing", {}),
        ("transformers:x", {"timeout": 3}),
    ],
)
def test_what_is_refused_leaves_no_cache_behind(monkeypatch, tmp_path, spec, options):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UsageError):
        chat_model(spec, cache=tmp_path / "made" / "o.replies.sqlite", **options)
    assert not list(tmp_path.iterdir())


def test_the_model_does_not_hold_the_key():
    model = chat_model("http://127.0.0.1:1/v1#m", api_key=KEY, max_retries=0)
    forget_secrets()  # nothing but the model's own silence
    dumped = f"{model!r} {model} {model.model_dump()} {vars(model)} {vars(model.root_client)} {model.root_client.auth_headers}"
    assert KEY not in dumped
    for copied in (pickle.dumps, copy.deepcopy):
        with pytest.raises(Exception) as caught:  # whatever part of it refuses first
            copied(model)
        assert KEY not in _told(caught.value)


@pytest.mark.parametrize("key", ["ollama", "EMPTY", "none", "word"])
def test_words_that_stand_for_a_key_stay_in_the_reply(chat_server, key):
    server = chat_server(default=f"the {key} of it")
    model = chat_model(f"{server.url}#m", api_key=key)
    assert model.invoke("hi").content == f"the {key} of it"
    assert server.requests[0].headers["authorization"] == f"Bearer {key}"


def test_key_that_cannot_be_a_header_is_not_quoted():
    with pytest.raises(UsageError, match="characters no key has") as caught:
        chat_model("http://127.0.0.1:1/v1#m", api_key=f"{KEY}\nInjected: header")
    assert KEY not in _told(caught.value)
