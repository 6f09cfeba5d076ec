"""What is said where a server speaks no HTTP, or none that makes sense: words, and none of Python's names."""

from __future__ import annotations

import logging
import re

import pytest

from agents import chat_model
from agents.chat.servers.failures import ChatError

NAMES_OF_PYTHON = re.compile(r"\w+(?:Error|Exception)\b|bytearray|b'|[{}]|_[A-Z]|\[Errno|<class|None\b")


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", "answered 204, which comes without a reply"),
        (b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", "answered 205, which comes without a reply"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "what it sent is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nno header at all\r\n\r\n", "what it sent is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "what it sent is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "what it sent is no HTTP"),
        (b"220 mail.example ESMTP\r\n", "it hung up without an answer"),
        (b"", "it hung up without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "it hung up within its answer"),
        (b"HTTP/1.1 503 Busy\r\nRetry-After: \xe9\r\nContent-Length: 0\r\n\r\n", "answered 503: it does not say why"),
        (b"HTTP/1.1 503 Busy\r\nretry-after-ms: \xff1\r\nContent-Length: 0\r\n\r\n", "answered 503: it does not say why"),
        (b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n", "answered 999"),
        (b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}", "no choices in the reply"),
    ],
)
def test_what_is_no_answer_is_told_in_words(raw_server, sent, told):
    server = raw_server(lambda connection, _: connection.sendall(sent))
    model = chat_model(f"{server.url}#m", api_key="none", max_retries=0, timeout=5)
    with pytest.raises(ChatError) as caught:
        model.invoke("hi")
    assert told in str(caught.value)
    assert not NAMES_OF_PYTHON.search(str(caught.value))


def test_nobody_listens_in_words():
    with pytest.raises(ChatError, match=r"^the connection to 127\.0\.0\.1:9 failed: Connection refused; is the server up"):
        chat_model("http://127.0.0.1:9/v1#m", max_retries=0).invoke("hi")


def test_quick_attempts_take_no_0_seconds(raw_server):
    server = raw_server(
        lambda connection, _: connection.sendall(b"HTTP/1.1 503 x\r\nretry-after-ms: 1\r\nContent-Length: 0\r\n\r\n")
    )
    with pytest.raises(ChatError, match=r"\(2 attempts in less than 1 s\)$"):
        chat_model(f"{server.url}#m", api_key="none", max_retries=1).invoke("hi")


def test_no_library_speaks_of_proxies(monkeypatch, caplog):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setattr("langchain_openai.chat_models._client_utils._proxy_env_warning_emitted", False, raising=False)
    with caplog.at_level(logging.INFO):
        chat_model("http://models.example/v1#m")
    assert "proxy" not in caplog.text
