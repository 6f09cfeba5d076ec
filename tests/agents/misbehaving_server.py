"""A server that speaks OpenAI's Chat Completions over a real socket, and misbehaves on demand.

    with MisbehavingServer(script=[Reply(status=500), Reply("hello")]) as server:
        model = chat_model(f"{server.url}#test")

What it answers is decided by `script` (one `Reply` or text a request, in order; afterwards `default`), or by
`behave(request) -> Reply | str`, which may look at `request.number`, `.body`, `.prompt` and `.headers`. Every request is
recorded in `server.requests`; `request.answered_at` is set once the whole reply has been written.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True)
class Reply:
    """What the server does with one request.

    `fault`: "hang" (silence until the client leaves), "drop" (closes before the reply), "drop-mid-body", "reset",
    "drip" (one byte every `delay` seconds), "not-json", "truncated-body" (half of the HTTP body's JSON, complete as
    HTTP), "no-choices".
    """

    text: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str | None = None
    delay: float = 0.0
    usage: bool = True
    finish_reason: str = "stop"
    error: str = "scripted error"
    body: Any = None
    """Bytes, or what becomes JSON, in the place of the body that is made of the fields above; with any status."""
    kind: str = "application/json"
    message: Mapping[str, Any] = field(default_factory=dict)
    """Fields that are added to the message of the completion, or replace its own."""


@dataclass
class Request:
    """One request as it arrived; names of headers in lower case."""

    number: int
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    received_at: float
    reply: Reply | None = None
    answered_at: float | None = None

    @property
    def messages(self) -> list[dict[str, Any]]:
        return self.body.get("messages", [])

    @property
    def prompt(self) -> str:
        """The text of the last message."""
        content = self.messages[-1]["content"] if self.messages else ""
        return content if isinstance(content, str) else " ".join(b.get("text", "") for b in content)

    @property
    def key(self) -> str:
        """Equal for requests that ask the same."""
        return json.dumps(self.body, sort_keys=True)


class MisbehavingServer:
    """A context manager around the server; see the module."""

    def __init__(
        self,
        script: Sequence[Reply | str] = (),
        *,
        default: Reply | str = "ok",
        behave: Callable[[Request], Reply | str] | None = None,
    ) -> None:
        self.requests: list[Request] = []
        self.most_at_once = 0
        self._script, self._default, self._behave = list(script), default, behave
        self._lock = threading.Lock()
        self._at_once = 0
        self.closing = threading.Event()
        self._http = _Listener(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> MisbehavingServer:
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(timeout=5)

    @property
    def answered(self) -> list[Request]:
        """Requests that got a whole reply with status 200."""
        with self._lock:
            return [r for r in self.requests if r.answered_at is not None and r.reply and r.reply.status == 200]

    @property
    def at_once(self) -> int:
        """Requests that are being answered at this moment."""
        with self._lock:
            return self._at_once

    def enter(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> tuple[Request, Reply]:
        with self._lock:
            number = len(self.requests)
            request = Request(number, path, headers, body, time.monotonic())
            self.requests.append(request)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            scripted = self._script[number] if number < len(self._script) else self._default
        decided = self._behave(request) if self._behave is not None else scripted
        request.reply = Reply(decided) if isinstance(decided, str) else decided
        return request, request.reply

    def leave(self, request: Request, *, answered: bool) -> None:
        with self._lock:
            self._at_once -= 1
            if answered:
                request.answered_at = time.monotonic()


def completion(reply: Reply, request: Request) -> dict[str, Any]:
    """A Chat Completions body around a text."""
    body: dict[str, Any] = {
        "id": f"chatcmpl-{request.number}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": request.body.get("model", "test"),
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": reply.text, **reply.message},
                "finish_reason": reply.finish_reason,
            }
        ],
    }
    if reply.fault == "no-choices":
        body["choices"] = []
    if reply.usage:
        prompt, said = sum(len(str(m.get("content"))) for m in request.messages) // 4, len(reply.text) // 4 + 1
        body["usage"] = {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}
    return body


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    owner: MisbehavingServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._send(200, b'{"object": "list", "data": [{"id": "test", "object": "model"}]}', {})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        sent = self.rfile.read(length)
        if len(sent) < length:  # the client was killed between its headers and the end of its body: that is no request
            self.close_connection = True
            return
        body = json.loads(sent or b"{}")
        owner = self.server.owner
        request, reply = owner.enter(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
        answered = False
        try:
            answered = self._answer(request, reply, owner)
        except OSError:
            self.close_connection = True
        finally:
            owner.leave(request, answered=answered)

    def _answer(self, request: Request, reply: Reply, owner: MisbehavingServer) -> bool:
        if reply.fault == "hang":
            self._wait_for_the_client_to_leave(owner)
            return False
        if reply.delay and reply.fault != "drip":
            owner.closing.wait(reply.delay)
        if reply.fault in {"drop", "reset"}:
            if reply.fault == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return False
        if reply.body is not None:
            data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self._send(reply.status, data, {**reply.headers, "Content-Type": reply.kind})
            return True
        if reply.status != 200:
            self._send(reply.status, json.dumps({"error": {"message": reply.error}}).encode(), reply.headers)
            return True
        data = json.dumps(completion(reply, request)).encode()
        if reply.fault == "not-json":
            data = b"<html>Bad gateway, but with status 200</html>"
        if reply.fault == "truncated-body":
            data = data[: len(data) // 2]
        if reply.fault in {"drop-mid-body", "drip"}:
            self._send(200, data, reply.headers, write=False)
            if reply.fault == "drop-mid-body":
                self.wfile.write(data[: len(data) // 2])
                self.close_connection = True
                return False
            for byte in data:
                self.wfile.write(bytes([byte]))
                if owner.closing.wait(reply.delay):
                    return False
            return True
        self._send(200, data, reply.headers)
        return True

    def _send(self, status: int, data: bytes, headers: Mapping[str, str], *, write: bool = True) -> None:
        self.send_response(status)
        self.send_header("Content-Type", headers.get("Content-Type", "application/json"))
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            if name != "Content-Type":
                self.send_header(name, value)
        self.end_headers()
        if write:
            self.wfile.write(data)
            self.wfile.flush()

    def _wait_for_the_client_to_leave(self, owner: MisbehavingServer) -> None:
        self.close_connection = True
        self.connection.settimeout(0.05)
        while not owner.closing.is_set():
            try:
                if not self.connection.recv(1):
                    return
            except TimeoutError:
                continue
            except OSError:
                return
