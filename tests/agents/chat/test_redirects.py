"""No answer makes the model send its prompts, or its key, anywhere but to the address that the user named."""

from __future__ import annotations

import pytest

from agents import ChatError, UsageError, chat_model

KEY = "sk-planted-7f3c1b9e2d4a"


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 307, 308, 399])
def test_redirects_are_not_followed(raw, raw_server, chat_server, status):
    other = chat_server(default="stolen")
    location = f"{other.url}/chat/completions"
    server = raw_server(
        lambda connection, _: connection.sendall(raw.answer(b"", f"Location: {location}", status=f"{status} X"))
    )
    with pytest.raises(
        ChatError, match=rf"answered {status}: it sends requests on to {other.url}, and redirects are not followed"
    ):
        chat_model(f"{server.url}#m", api_key=KEY).invoke("hi")
    assert other.requests == []
    assert server.connections == 1


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("/v2/chat/completions", "http://127.0.0.1:PORT/v2,"),
        ("https://127.0.0.1:1/v1/chat/completions", "https://127.0.0.1:1/v1,"),
        ("//evil.example/v1/chat/completions", "http://evil.example/v1,"),
        ("http://user:password-9@evil.example/x?key=secret#y", "http://evil.example/x,"),
        ("http://[evil/", "http://"),
        ("file:///etc/passwd", "file:///etc/passwd,"),
        (f"http://evil.example/{KEY}", "http://evil.example/(secret),"),
        ("http://evil.example/[red]x[/red]", "http://evil.example/[red]x[/red],"),
        ("x" * 5000, "xxx…"),
        ("", "names no address"),
    ],
)
def test_where_a_redirect_leads_is_told_safely(raw, raw_server, location, told):
    server = raw_server(lambda connection, _: connection.sendall(raw.answer(b"", f"Location: {location}", status="307 X")))
    with pytest.raises(ChatError) as caught:
        chat_model(f"{server.url}#m", api_key=KEY).invoke("hi")
    assert told.replace("PORT", str(server.port)) in str(caught.value)
    assert "password-9" not in str(caught.value)
    assert "secret#" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_other_ways_to_send_on_are_not_followed(raw, raw_server, chat_server):
    other = chat_server(default="stolen")
    headers = (
        f"Refresh: 0; url={other.url}",
        f'Alt-Svc: h2="{other.url}"',
        f"Content-Location: {other.url}",
        "Set-Cookie: a=b",
    )
    server = raw_server(lambda connection, _: connection.sendall(raw.answer(raw.completion(), *headers)))
    model = chat_model(f"{server.url}#m")
    model.invoke("hi")
    model.invoke("hi again")
    assert other.requests == []
    assert b"cookie" not in server.requests[1].lower()


def test_a_server_that_asks_for_a_password_gets_none(raw, raw_server):
    headers = ('WWW-Authenticate: Digest realm="x", nonce="y"', 'WWW-Authenticate: Basic realm="[/bold]"')
    server = raw_server(lambda connection, _: connection.sendall(raw.answer(b"", *headers, status="401 Unauthorized")))
    with pytest.raises(ChatError, match=r"401.*(check the key in|no key was sent: set) SAYWHY_API_KEY"):
        chat_model(f"{server.url}#m").invoke("hi")
    assert server.connections == 1


def test_headers_that_belong_to_openai_go_nowhere_else(chat_server, monkeypatch):
    server = chat_server(default="hello")
    monkeypatch.delenv("SAYWHY_API_KEY")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-mine")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-of-mine")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Gateway: gate-word\nAuthorization: Bearer other-word")
    chat_model(f"{server.url}#m").invoke("hi")
    assert server.requests[0].headers["authorization"] == "Bearer none"
    assert not {"openai-organization", "openai-project", "x-gateway"} & set(server.requests[0].headers)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    chat_model("openai:m").invoke("hi")
    assert server.requests[1].headers["authorization"] == f"Bearer {KEY}"
    assert server.requests[1].headers["openai-organization"] == "org-of-mine"
    assert server.requests[1].headers["x-gateway"] == "gate-word"


@pytest.mark.parametrize("scheme", ["ftp", "gopher", "nonsense"])
def test_a_proxy_of_no_known_kind_is_refused(monkeypatch, scheme):
    monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://user:{KEY}@proxy.example:1")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(UsageError, match="must be http://") as caught:
        chat_model("https://models.invalid/v1#m")
    assert KEY not in str(caught.value)
