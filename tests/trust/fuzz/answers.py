"""HTTP answers of hostile and broken servers, seeded, and a server that gives them.

    with serve(mutated_answers(seed=1, count=100)) as server:
        model = chat_model(f"{server.url}#m", timeout=5, max_retries=0)
        for _ in range(100):
            model.invoke("hi")      # a reply, or a UsageError

Each connection gets the next answer, then it is closed. Number N of a seed is the same in every run, and can be made alone with
`mutated_answer(seed, N)`. Every answer holds the canary texts `ESCAPE` or `MARKUP` with some likelihood.
"""

from __future__ import annotations

import gzip
import json
import random
import socket
import threading
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ESCAPE = "\x1b]0;owned\x07\x1b[31m\x9b2J\u202e"
MARKUP = "[/foo][bold]x[/bold][link=file:///etc/passwd]"
ZOO: tuple[Any, ...] = (
    None, True, 0, -1, -(10**30), 10**400, 1e308, float("nan"), float("inf"), "", " ", "\x00", ESCAPE, MARKUP, "\ud800", "x" * 100_000,
    [], {}, [[]], {"": {}}, [None] * 10_000, {"error": {"message": MARKUP}}, {"$ref": "#"}, "é" * 1000, "</think>{}", "```json\n{}\n```",
)  # fmt: skip
_STATUS = (
    "100 Continue", "101 Switching Protocols", "103 Early Hints", "200 OK", "200", "200 " + ESCAPE, "201 Created", "204 No Content",
    "206 Partial", "300 M", "301 M", "302 F", "304 N", "307 T", "308 P", "400 B", "401 U", "403 F", "404 N", "407 P", "408 R", "413 L",
    "418 T", "422 U", "429 T", "451 L", "500 I", "501 N", "502 B", "503 S", "599 X", "600 X", "999 X", "099 X", "-1 X", "1e3 X", "2OO OK",
)  # fmt: skip
_HEADERS = (
    "Location: http://127.0.0.1:1/v1", "Location: " + MARKUP, "Location: //[", "Retry-After: 1e400", "Retry-After: -1", "Retry-After: 99999",
    "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT", "Retry-After: " + ESCAPE, "retry-after-ms: nan", "x-should-retry: true", "Content-Type: text/html",
    "Content-Type: application/json; charset=utf-7", "Content-Type: application/json; charset=no-such", "Content-Type: text/event-stream",
    "Content-Encoding: gzip", "Content-Encoding: deflate", "Content-Encoding: br", "Content-Encoding: " + "gzip, " * 50, "Content-Length: -1",
    "Content-Length: 0", "Content-Length: 99999999999999999999", "Content-Length: 5, 6", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: identity", "Set-Cookie: a=" + "b" * 5000, "WWW-Authenticate: Basic realm=\"" + MARKUP + '"', "Alt-Svc: h3=\":443\"",
    "Refresh: 0; url=http://127.0.0.1:1/", "Connection: upgrade", "Upgrade: websocket", "X: " + "y" * 60_000, ": nameless", "no colon", " folded: x",
    "Héader: é", "X-Null: a\x00b", "Date: " + MARKUP, "openai-processing-ms: NaN", "x-request-id: " + ESCAPE,
)  # fmt: skip


def honest(rng: random.Random) -> dict[str, Any]:
    """The body of a chat completion that any client reads."""
    said = rng.choice(['{"value": 1}', "The word 'good' speaks for it.", "", "{}", '["a", "b"]', ESCAPE, MARKUP])
    message: dict[str, Any] = {"role": "assistant", "content": said}
    if rng.random() < 0.2:
        call = {"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
        message |= {"tool_calls": [call], "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12, "prompt_tokens_details": {"cached_tokens": 1}}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


def mutated_answers(seed: int, count: int) -> Iterator[bytes]:
    """Answers, each of them from its own generator, so that one can be made again without the others."""
    return (mutated_answer(seed, number) for number in range(count))


def mutated_answer(seed: int, number: int) -> bytes:
    """One answer: in two of three cases with a hostile body, and in the others with hostile framing or broken bytes."""
    rng = random.Random(f"{seed}/{number}")
    body = rng.choice(_BODIES)(rng)
    lines = [f"HTTP/1.1 {rng.choice(_STATUS) if rng.random() < 0.2 else '200 OK'}"]
    lines += [rng.choice(_HEADERS) for _ in range(rng.choice((0, 0, 0, 0, 0, 1, 3)))]
    lines += ["Connection: close"] * (rng.random() < 0.9)
    frame = rng.random()
    if frame < 0.7:
        lines.append(f"Content-Length: {len(body) + rng.choice((0,) * 20 + (-1, 1))}")
    elif frame < 0.85:
        lines.append("Transfer-Encoding: chunked")
        body = _chunks(body, rng)
    data = b"\r\n".join(line.encode("utf-8", "surrogatepass") for line in lines) + b"\r\n\r\n" + body
    if rng.random() < 0.15:
        data = b"".join(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" for _ in range(rng.choice((1, 3, 2000)))) + data
    return _broken(data, rng) if rng.random() < 0.2 else data


def _json(document: Any) -> bytes:
    return json.dumps(document).encode()


def _replaced(rng: random.Random) -> bytes:
    """A completion in which one to three values are something else."""
    document: Any = honest(rng)
    for _ in range(rng.randint(1, 3)):
        places = list(_places(document))
        holder, key = rng.choice(places)
        holder[key] = rng.choice(ZOO)
    return _json(document)


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield node, key
        if not isinstance(value, list) or len(value) < 100:
            yield from _places(value)


def _dropped(rng: random.Random) -> bytes:
    document = honest(rng)
    holder, key = rng.choice([place for place in _places(document) if isinstance(place[0], dict)])
    del holder[key]
    return _json(document)


def _raw(text: str) -> Callable[[random.Random], bytes]:
    return lambda rng: text.encode("utf-8", "surrogatepass")


_BODIES: tuple[Callable[[random.Random], bytes], ...] = (
    _replaced, _replaced, _replaced, _replaced, _replaced, _replaced, _dropped, _dropped,
    lambda rng: _json(honest(rng)),
    lambda rng: _json(rng.choice(ZOO)),
    lambda rng: _json({"error": rng.choice(ZOO)}),
    lambda rng: _json({"error": {"message": rng.choice(ZOO), "code": rng.choice(ZOO)}}),
    lambda rng: _json({**honest(rng), "choices": honest(rng)["choices"] * rng.choice((2, 1000))}),
    lambda rng: _json({**honest(rng), "usage": {"prompt_tokens": rng.choice(ZOO), "completion_tokens": rng.choice(ZOO)}}),
    lambda rng: b'{"choices": ' * rng.choice((50, 5000, 100_000)),
    lambda rng: b"[" * rng.choice((200, 100_000)) + b"]" * 100_000,
    lambda rng: b'{"choices": [{}' + b",{}" * 300_000 + b"]}",
    lambda rng: b'{"usage": {"prompt_tokens": ' + b"9" * 5000 + b'}, "choices": []}',
    lambda rng: _json(honest(rng)).replace(b'"content": "', b'"content": "\\ud83d'),
    lambda rng: _json(honest(rng)).replace(b'"content": "', b'"content": "\xff\xfe'),
    lambda rng: json.dumps(honest(rng)).encode(rng.choice(("utf-16", "utf-32", "utf-8-sig"))),
    lambda rng: gzip.compress(_json(honest(rng))),
    lambda rng: gzip.compress(b" " * 40_000_000, 9),
    lambda rng: zlib.compress(_json(honest(rng))),
    lambda rng: rng.randbytes(rng.choice((0, 1, 100, 5000))),
    lambda rng: b"data: " + _json(honest(rng)) + b"\n\ndata: [DONE]\n\n",
    lambda rng: _json(honest(rng)) * 2,
    _raw(f"<html><body>{MARKUP}{ESCAPE}</body></html>"),
    _raw(ESCAPE * 3000),
    _raw(""),
)  # fmt: skip


def _chunks(body: bytes, rng: random.Random) -> bytes:
    parts, at = [], 0
    while at < len(body) and len(parts) < 2000:
        size = rng.choice((1, 7, 1000, 100_000))
        part = body[at : at + size]
        extension = rng.choice((b"", b"", b"", b";x=y", b";" + b"z" * 3000, b" ", b"\t"))
        parts.append(b"%x" % len(part) + extension + b"\r\n" + part + b"\r\n")
        at += size
    end = rng.choice(
        (
            b"0\r\n\r\n",
            b"0\r\n\r\n",
            b"0\r\nTrailer: x\r\n\r\n",
            b"",
            b"ffffffffffffffffffff\r\n",
            b"-1\r\n",
            b"0x0\r\n\r\n",
            b"g\r\n",
        )
    )
    return b"".join(parts) + end


def _broken(data: bytes, rng: random.Random) -> bytes:
    """Bytes flipped, cut, repeated or put in, near the beginning as often as anywhere."""
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(min(len(data), rng.choice((60, 400, 10**9))) + 1)
        change = rng.randrange(5)
        if change == 0:
            data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
        elif change == 1:
            data = data[:at] + rng.choice((b"\r\n", b"\n", b"\x00", b"\r", b"\x1b[31m", b"\xff" * 9, b" ")) + data[at:]
        elif change == 2:
            data = data[: at + rng.randrange(50)]
        elif change == 3:
            data = data[:at] + data[at : at + 40] * rng.choice((2, 50)) + data[at + 40 :]
        else:
            data = data[:at] + data[at + rng.randrange(1, 20) :]
    return data


class Server:
    """What `serve` yields: `url`, and how many answers it has given."""

    def __init__(self, answers: Iterable[bytes]) -> None:
        self._answers = iter(answers)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.settimeout(0.05)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"
        self.given = 0
        self.closing = threading.Event()

    def run(self) -> None:
        """Answer one connection after another until `closing` is set."""
        while not self.closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            try:
                self._answer(connection)
            except OSError:
                continue  # the client has left
            finally:
                connection.close()
        self._listener.close()

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        data = b""
        while b"\r\n\r\n" not in data and (part := connection.recv(65536)):
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
        while len(body) < sum(lengths) and (part := connection.recv(65536)):
            body += part
        answer = next(self._answers, b"")
        self.given += 1
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):  # until the client has read it all: a connection closed at once may lose the rest
            pass


@contextmanager
def serve(answers: Iterable[bytes]) -> Iterator[Server]:
    """A server that gives one answer per connection, in order, and nothing once they are used up."""
    server = Server(answers)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        thread.join(timeout=10)
