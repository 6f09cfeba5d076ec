"""A server that sends whatever bytes a test wants, at whatever pace.

    with RawServer(lambda connection, number: connection.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n")) as server:
        model = chat_model(f"{server.url}#test", api_key="none")

`behave(connection, number)` is called once the request has come, with the number of the connection, from 0. The connection is
closed when it returns; a broken connection and the end of the test end it.
"""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class RawServer:
    """A context manager around the server; see the module. `requests` holds what came, as bytes."""

    def __init__(self, behave: Callable[[socket.socket, int], Any], *, read_request: bool = True) -> None:
        self.behave, self.read_request = behave, read_request
        self.requests: list[bytes] = []
        self.connections = 0
        self.closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listener.settimeout(0.05)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> RawServer:
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._thread.join(timeout=5)
        self._listener.close()

    def _serve(self) -> None:
        while not self.closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            number, self.connections = self.connections, self.connections + 1
            threading.Thread(target=self._answer, args=(connection, number), daemon=True).start()

    def _answer(self, connection: socket.socket, number: int) -> None:
        try:
            connection.settimeout(30)
            if self.read_request:
                self.requests.append(request_of(connection))
            self.behave(connection, number)
        except OSError:
            pass  # the client has left
        finally:
            connection.close()

    def drip(self, connection: socket.socket, data: bytes, pause: float) -> None:
        """Send byte by byte, with a pause after each."""
        for byte in data:
            connection.sendall(bytes([byte]))
            if self.closing.wait(pause):
                return

    def stream(self, connection: socket.socket, data: bytes) -> None:
        """Send the same bytes over and over, until the client leaves."""
        while not self.closing.is_set():
            connection.sendall(data)


def request_of(connection: socket.socket) -> bytes:
    """One request with its body, as it came."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            raise OSError("the client has left")
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0)
    while len(body) < length:
        part = connection.recv(65536)
        if not part:
            raise OSError("the client has left")
        body += part
    return head + b"\r\n\r\n" + body


def answer(body: bytes | dict[str, Any], *headers: str, status: str = "200 OK", length: bool = True) -> bytes:
    """The bytes of an answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", *headers, *([f"Content-Length: {len(data)}"] if length else []), "Connection: close"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + data


def completion(content: Any = "hello", **changes: Any) -> dict[str, Any]:
    """The body of a chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage, **changes}
