"""A server that says back all that it was sent and every secret it knows, in every place of an answer and in every dress."""

from __future__ import annotations

import json
import socketserver
import threading
from base64 import b64decode, b64encode
from contextlib import suppress
from typing import Self
from urllib.parse import quote

DRESSES = {
    "plain": lambda text: text,
    "upper": str.upper,
    "lower": str.lower,
    "spaced": " ".join,
    "broken": lambda text: "\n".join(text[place : place + 5] for place in range(0, len(text), 5)),
    "hyphens": lambda text: "-".join(text[place : place + 3] for place in range(0, len(text), 3)),
    "percent": lambda text: quote(text, safe=""),
    "every percent": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "json": lambda text: json.dumps(text)[1:-1],
    "twice json": lambda text: json.dumps(json.dumps(text))[3:-3],
    "unicode": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "base64": lambda text: b64encode(text.encode()).decode(),
    "basic": lambda text: b64encode(f"planted.user:{text}".encode()).decode(),
}
PLACES = (
    *("content", "content", "fields", "tool call", "reasoning", "400", "401", "403", "404", "407", "429", "500", "503"),
    *(
        "reason",
        "header",
        "retry-after",
        "redirect",
        "html",
        "not json",
        "no choices",
        "broken chunk",
        "bad status line",
        "drop",
    ),
)


class EchoServer:
    """A context manager; `port` is where it listens.

    Args:
        secrets: what it says back in every answer, besides what it was sent.
        usual: makes the text of an ordinary reply from the body of a request and the echo, so that the command goes on.
        places: where the echo stands, one for each request in turn.
    """

    def __init__(self, secrets: tuple[str, ...], usual, places: tuple[str, ...] = PLACES) -> None:
        self.secrets, self.usual, self.places = secrets, usual, places
        self.count = 0
        self.lock = threading.Lock()
        self.authorizations: set[str] = set()
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with suppress(OSError, ValueError):
                    outer.answer(self.rfile, self.wfile)

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 64

        self.listener = Listener(("127.0.0.1", 0), Handler)
        self.port = self.listener.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self.listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown()
        self.listener.server_close()

    def answer(self, read, write) -> None:
        """Read one request and answer it, with the echo in the place whose turn it is."""
        first = read.readline().decode("latin-1")
        if not first.strip():
            return
        headers = {}
        while (line := read.readline().decode("latin-1")).strip():
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        body = json.loads(read.read(int(headers.get("content-length", 0))) or b"{}")
        sent = {text for name, text in headers.items() if name.endswith("authorization")}
        sent |= {f"api-key {text}" for name, text in headers.items() if name == "api-key"}
        with self.lock:
            self.authorizations |= sent
            place = self.places[self.count % len(self.places)]
            self.count += 1
        write.write(self.made(place, body, sorted({*self.secrets, *sent, *(text.partition(" ")[2] for text in sent)})))
        write.flush()

    def made(self, place: str, body: dict, secrets: list[str]) -> bytes:
        """An answer, head and body."""
        echo = " ; ".join(f"{name} {dress(secret)}" for secret in secrets for name, dress in DRESSES.items())
        line = " ".join(echo.split())[:6000]
        error = json.dumps({"error": {"message": echo, "type": echo, "param": echo, "code": echo}}).encode()
        if place.isdigit():
            return _whole(int(place), "No", error, {"x-echo": line, "www-authenticate": line, "retry-after-ms": "1"})
        if place == "reason":
            return _whole(418, line, b"", {})
        if place == "header":
            return _whole(200, "OK", b"{}", {"x-request-id": line, "set-cookie": line, "server": line, "x-model": line})
        if place == "retry-after":
            return _whole(429, "Slow", error, {"retry-after": line[:300], "retry-after-ms": "1", "x-should-retry": line[:99]})
        if place == "redirect":
            return _whole(
                307, "Elsewhere", error, {"location": f"http://u:{quote(secrets[0])}@127.0.0.1:9/?key={quote(line[:300])}"}
            )
        if place == "html":
            return _whole(502, "Bad", f"<html><title>{echo}</title>".encode(), {})
        if place == "not json":
            return _whole(200, "OK", f"{{{echo}".encode(), {})
        if place == "no choices":
            return _whole(200, "OK", json.dumps({"choices": [], "error": echo, "model": echo}).encode(), {})
        if place == "broken chunk":
            return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + echo.encode() + b"\r\n"
        if place == "bad status line":
            return f"HTTP/9.9 {line}\r\n\r\n".encode()
        if place == "drop":
            return f"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\nx-echo: {line}\r\n\r\n{echo}".encode()
        return _whole(200, "OK", json.dumps(self._completion(place, body, echo)).encode(), {"x-echo": line})

    def _completion(self, place: str, body: dict, echo: str) -> dict:
        message = {"role": "assistant", "content": self.usual(body, echo if place == "content" else "")}
        if place == "reasoning":
            message |= {"reasoning_content": echo, "refusal": echo, "annotations": [echo], "audio": {"transcript": echo}}
        if place == "tool call":
            message["tool_calls"] = [{"id": echo, "type": "function", "function": {"name": "f", "arguments": json.dumps(echo)}}]
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        made = {"id": "c", "object": "chat.completion", "created": 1, "model": "test", "choices": [choice]}
        if place == "fields":
            choice |= {"finish_reason": echo, "logprobs": {"content": [{"token": echo, "logprob": 0, "top_logprobs": []}]}}
            made |= {"id": echo, "model": echo, "system_fingerprint": echo, "service_tier": echo, echo[:60]: echo}
            made["usage"] = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "note": echo, echo[:60]: 1}
        return made


def decoded(authorizations: set[str]) -> set[str]:
    """What the headers said, with user and password in clear."""
    said = {text.partition(" ")[2] for text in authorizations}
    return said | {b64decode(text.partition(" ")[2]).decode() for text in authorizations if text.startswith("Basic ")}


def _whole(status: int, reason: str, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {reason}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body
