"""A planted key is looked for in everything that a run leaves behind."""

from __future__ import annotations

import io
import logging
import traceback

import pytest
from pydantic import BaseModel

from agents import ChatError, StructuredError, UsageError, ask, chat_model, usage_of

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


@pytest.mark.parametrize("credentials", [KEY, ("user", PASSWORD)])
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
        fresh = chat_model(spec, api_key=credentials, cache=tmp_path / "c.sqlite", timeout=0.5, max_retries=1)
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


@pytest.mark.parametrize(
    "spec",
    [f"http://u:{PASSWORD}@h:bad/v1#m", f"http://u:{PASSWORD}@h/v1", f"htp://u:{PASSWORD}@h/v1#m", f"http://h/v1?key={KEY}#m"],
)
def test_bad_specs_do_not_repeat_secrets(spec):
    with pytest.raises(UsageError) as caught:
        chat_model(spec)
    assert PASSWORD not in _told(caught.value)
    assert KEY not in _told(caught.value)


def test_key_that_cannot_be_a_header_is_not_quoted():
    with pytest.raises(UsageError, match="characters no key has") as caught:
        chat_model("http://127.0.0.1:1/v1#m", api_key=f"{KEY}\nInjected: header")
    assert KEY not in _told(caught.value)
