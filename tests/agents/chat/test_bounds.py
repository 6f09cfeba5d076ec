"""Whatever a server sends, and however slowly: an attempt ends at its deadline, and holds no more than the ceiling."""

from __future__ import annotations

import gzip
import json
import resource
import socket
import threading
import time
import zlib

import pytest

from agents import ChatError, chat_model, usage_of
from saywhy_core.reading.ceilings import ceilings

TIMEOUT = 0.6
LATE = 0.5  # seconds after the deadline at which an attempt must have ended

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def _drip(data, pause=0.1):
    return lambda server, connection: server.drip(connection, data, pause)


def _stream(start, again):
    def send(server, connection):
        connection.sendall(start)
        server.stream(connection, again)

    return send


def _slowly(start, again, pause=0.05):
    def send(server, connection):
        connection.sendall(start)
        while not server.closing.wait(pause):
            connection.sendall(again)

    return send


SLOW = {
    "a silent server": lambda server, connection: server.closing.wait(30),
    "a dripped status line": _drip(HEAD * 20),
    "dripped headers": _drip(HEAD + b"X-Slow: " + b"a" * 500),
    "headers one by one": _slowly(HEAD, b"X-Slow: a\r\n"),
    "a dripped body": _drip(HEAD + b"Content-Length: 900\r\n\r\n" + b"a" * 900, 0.02),
    "dripped chunks": _slowly(CHUNKED, b"1\r\na\r\n"),
    "a dripped chunk extension": _slowly(CHUNKED + b"1;", b"x"),
    "dripped trailers": _slowly(CHUNKED + b"1\r\na\r\n0\r\n", b"X-Slow: a\r\n"),
    "slow 1xx answers without end": _slowly(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "quick 1xx answers without end": _stream(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
    "a body until the connection closes": _slowly(HEAD + b"\r\n", b" "),
}


@pytest.mark.parametrize("what", SLOW)
def test_an_attempt_ends_at_its_deadline(raw_server, what):
    server = raw_server(lambda connection, _: SLOW[what](server, connection))
    model = chat_model(f"{server.url}#m", timeout=TIMEOUT, max_retries=0)
    begun = time.monotonic()
    with pytest.raises(ChatError, match=r"did not answer within 0\.6 s; raise timeout"):
        model.invoke("hi")
    assert TIMEOUT <= time.monotonic() - begun < TIMEOUT + LATE


def test_the_deadline_holds_for_a_server_that_does_not_read(raw_server):
    server = raw_server(lambda *_: server.closing.wait(30), read_request=False)
    model = chat_model(f"{server.url}#m", timeout=TIMEOUT, max_retries=0)
    begun = time.monotonic()
    with pytest.raises(ChatError, match="did not answer within"):
        model.invoke("long " * 8_000_000)
    assert time.monotonic() - begun < TIMEOUT + LATE + 2  # the prompt of 40 MB is written as JSON before the clock runs


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x03\x40\x00"], ids=["silence", "half a record"])
def test_the_deadline_holds_for_a_tls_handshake(raw_server, sent):
    def behave(connection, _):
        connection.sendall(sent)
        server.drip(connection, b"\x00" * 500, 0.05)

    server = raw_server(behave if sent else lambda *_: server.closing.wait(30), read_request=False)
    model = chat_model(f"{server.url.replace('http', 'https')}#m", timeout=TIMEOUT, max_retries=0)
    begun = time.monotonic()
    with pytest.raises(ChatError, match="did not answer within"):
        model.invoke("hi")
    assert time.monotonic() - begun < TIMEOUT + LATE


def test_the_deadline_holds_behind_a_proxy_that_drips(raw_server, monkeypatch):
    server = raw_server(lambda connection, _: server.drip(connection, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 500, 0.05))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    model = chat_model("https://models.invalid/v1#m", timeout=TIMEOUT, max_retries=0)
    begun = time.monotonic()
    with pytest.raises(ChatError, match="did not answer within"):
        model.invoke("hi")
    assert time.monotonic() - begun < TIMEOUT + LATE
    assert server.requests[0].startswith(b"CONNECT models.invalid:443 ")


def test_no_thread_is_left_behind(raw_server):
    server = raw_server(lambda *_: server.closing.wait(30))
    model = chat_model(f"{server.url}#m", timeout=0.2, max_retries=0, concurrency=4)
    before = {thread for thread in threading.enumerate() if not thread.name.startswith("Thread-")}
    assert all(isinstance(one, ChatError) for one in model.batch(["a", "b", "c", "d"], return_exceptions=True))
    assert {thread for thread in threading.enumerate() if not thread.name.startswith("Thread-")} == before


LARGE = {
    "an endless body": _stream(HEAD + b"\r\n", b"a" * 65536),
    "a body of a terabyte": _stream(HEAD + b"Content-Length: 1000000000000\r\n\r\n", b"a" * 65536),
    "endless chunks": _stream(CHUNKED, b"8000\r\n" + b"a" * 0x8000 + b"\r\n"),
    "endless headers": _stream(HEAD, b"X-Long: " + b"a" * 8000 + b"\r\n"),
    "an endless header": _stream(HEAD + b"X-Long: ", b"a" * 65536),
    "an endless status line": _stream(b"HTTP/1.1 200 ", b"a" * 65536),
}


@pytest.mark.parametrize("what", LARGE)
def test_an_endless_answer_is_cut_at_the_ceiling(raw_server, what):
    server = raw_server(lambda connection, _: LARGE[what](server, connection))
    model = chat_model(f"{server.url}#m", timeout=20, max_retries=0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.monotonic()
    with ceilings(answer=4_000_000), pytest.raises(ChatError) as caught:
        model.invoke("hi")
    assert time.monotonic() - begun < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB
    header = "header" in what or "status" in what
    assert ("failed" if header else "--ceiling answer=16777216") in str(caught.value)  # a header may have 100 kB at most


def test_an_answer_over_the_ceiling_is_not_asked_for_again(raw_server):
    server = raw_server(lambda connection, _: LARGE["an endless body"](server, connection))
    model = chat_model(f"{server.url}#m", max_retries=3)
    with ceilings(answer=100_000), pytest.raises(ChatError, match=r"more than 100,000 bytes.*--ceiling answer="):
        model.invoke("hi")
    assert usage_of(model).requests == 1 == server.connections


@pytest.mark.parametrize("status", ["500 Oops", "403 No", "400 Bad"])
def test_an_endless_error_page_tells_its_status(raw_server, status):
    def behave(connection, _):
        connection.sendall(f"HTTP/1.1 {status}\r\n\r\n".encode())
        server.stream(connection, b"so sorry " * 1000)

    server = raw_server(behave)
    with pytest.raises(ChatError, match=f"answered {status[:3]}: so sorry so") as caught:
        chat_model(f"{server.url}#m", max_retries=0).invoke("hi")
    assert caught.value.status == int(status[:3])
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("GZIP", gzip.compress)])
def test_packed_answers_are_unpacked_within_the_ceiling(raw, raw_server, encoding, pack):
    def behave(connection, number):
        plain = json.dumps(raw.completion("hello")).encode() if number == 0 else b" " * 50_000_000
        connection.sendall(raw.answer(pack(plain), f"Content-Encoding: {encoding}"))

    server = raw_server(behave)
    model = chat_model(f"{server.url}#m", max_retries=0)
    assert model.invoke("hi").content == "hello"
    assert b"accept-encoding: identity\r\n" in server.requests[0].lower()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ChatError, match=r"unpacks to more than 16,777,216 bytes"):
        model.invoke("a bomb")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 120_000


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress", "\x1b[31mx"])
def test_other_packing_is_refused(raw, raw_server, encoding):
    server = raw_server(lambda connection, _: connection.sendall(raw.answer(b"\x00" * 100, f"Content-Encoding: {encoding}")))
    with pytest.raises(ChatError, match=r"(a packed answer|failed)") as caught:
        chat_model(f"{server.url}#m", max_retries=0).invoke("hi")
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "least", "most"),
    [
        ("Retry-After", "1", 1.0, 1.4),
        ("Retry-After", "0", 0.0, 0.3),
        ("Retry-After", "-5", 0.3, 0.9),
        ("Retry-After", "nan", 0.3, 0.9),
        ("Retry-After", "soon", 0.3, 0.9),
        ("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT", 0.3, 0.9),
        ("Retry-After", "Wed, 99 Oct 99999 07:28:00 GMT", 0.3, 0.9),
        ("Retry-After", "9" * 5000, 0.0, 0.0),
        ("Retry-After", "1e400", 0.0, 0.0),
        ("Retry-After", "3600", 0.0, 0.0),
        ("retry-after-ms", "1e400", 0.0, 0.0),
        ("retry-after-ms", "200", 0.2, 0.5),
    ],
)
def test_a_pause_that_a_server_asks_for_is_bounded(raw, raw_server, name, value, least, most):
    times = []

    def behave(connection, number):
        times.append(time.monotonic())
        refusal = raw.answer(b"", f"{name}: {value}", status="429 Slow down")
        connection.sendall(refusal if number == 0 else raw.answer(raw.completion()))

    server = raw_server(behave)
    model = chat_model(f"{server.url}#m", max_retries=1)
    if not most:
        with pytest.raises(ChatError, match=r"429.*; it asks to wait (3600 s|for ever)$"):
            model.invoke("hi")
        return
    assert model.invoke("hi").content == "hello"
    assert least <= times[1] - times[0] < most


def test_the_time_of_all_attempts_is_told(raw, raw_server):
    server = raw_server(lambda connection, _: connection.sendall(raw.answer(b"", "retry-after-ms: 500", status="503 Busy")))
    with pytest.raises(ChatError, match=r"answered 503: it does not say why \(3 attempts in 1 s\)$"):
        chat_model(f"{server.url}#m", max_retries=2).invoke("hi")


def test_a_connection_that_was_closed_while_idle_is_opened_anew(raw, raw_server):
    def behave(connection, _):
        connection.sendall(raw.answer(raw.completion()).replace(b"Connection: close", b"Connection: keep-alive"))
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    closed = threading.Event()
    server = raw_server(behave)
    model = chat_model(f"{server.url}#m", max_retries=0)
    for _ in range(3):
        assert model.invoke("hi").content == "hello"
        assert closed.wait(30)
        closed.clear()
