"""A server that gives one answer, whatever it is asked, until it is given another."""

from __future__ import annotations

import json
import socketserver
import threading
from typing import Any


class AnsweringServer:
    """Serves on a port of its own until the process ends.

    Attributes:
        url: where a chat model finds it.
        answer: the bytes of the whole answer, or a list of them, of which each request gets the next and all later ones the last.
    """

    def __init__(self) -> None:
        self.answer: bytes | list[bytes] = b""
        owner = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                owner.respond(self.request)

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 128

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that has left is no news."""

        self._listener = Listener(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._listener.server_address[1]}/v1"
        self._lock = threading.Lock()
        threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def respond(self, connection: Any) -> None:
        """Read one request whole, and answer it."""
        connection.settimeout(5)
        data = b""
        while b"\r\n\r\n" not in data and (part := connection.recv(65_536)):
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
        while len(body) < sum(lengths) and (part := connection.recv(65_536)):
            body += part
        with self._lock:
            if isinstance(self.answer, list):
                answer = self.answer.pop(0) if len(self.answer) > 1 else self.answer[0]
            else:
                answer = self.answer
        connection.sendall(answer)


def completion(said: str) -> bytes:
    """An honest answer that says this."""
    choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    body = json.dumps(
        {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    ).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (
        len(body),
        body,
    )


FAILURE = b"HTTP/1.1 500 Internal\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
DRAFT = completion("'great' speaks for 'positive'.")
DESCRIPTION = completion(
    json.dumps(
        {
            "attributes": [
                {
                    "attribute": "shape",
                    "first_caption": "a photo of a sign, with eight sides.",
                    "second_caption": "a photo of a sign, with three sides.",
                }
            ]
        }
    )
)
