"""A server that runs: until a signal comes, or for as long as a block lasts."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from evals.study.server.shielding import App

HEAD_SECONDS = 15.0
"""Until the head of a request is there: who sends a byte at a time is not waited for."""
IDLE_SECONDS = 15
"""Until a connection without a request is closed."""
_CONNECTIONS = 2000  # at once; each costs some 50 kB
_BACKLOG = 2048
_ENDING = 10  # seconds for requests that are on their way when the server ends


def serve(app: App, *, host: str = "127.0.0.1", port: int = 8000, ready: Any = None) -> None:
    """Serve an application until SIGINT or SIGTERM comes; requests that are on their way are answered.

    Args:
        app: the application.
        host: the address to listen at.
        port: the port to listen at; 0 for any.
        ready: called with the port when connections are taken.

    Raises:
        UsageError: the port is taken, or the address is none of this machine.
    """
    server = _server(app)
    with _listening(host, port) as listener:
        if ready is not None:
            ready(listener.getsockname()[1])
        server.run(sockets=[listener])


@contextmanager
def running(app: App, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve an application in another thread for as long as the block lasts; gives the address, which ends in "/"."""
    server = _server(app)
    with _listening(host, port) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True, name="study server")
        thread.start()
        try:
            yield f"http://{host}:{listener.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join()


def check_installed() -> None:
    """See whether a server can run here.

    Raises:
        UsageError: its libraries are not installed.
    """
    if find_spec("uvicorn") is None or find_spec("starlette") is None:
        raise UsageError("a study is served with starlette and uvicorn: pip install 'saywhy[serve]'")


def _server(app: App) -> Any:
    check_installed()
    import uvicorn

    config = uvicorn.Config(
        app,
        http=_protocol(),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=_ENDING,
    )
    return uvicorn.Server(config)


def _protocol() -> Any:
    """Uvicorn's protocol, with an end to waiting for a request's head, which it has only between requests."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class BoundedProtocol(H11Protocol):
        """Closes connections on which no whole head of a request arrives in time."""

        waiting: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._watch()

        def data_received(self, data: bytes) -> None:
            before = self.cycle
            super().data_received(data)
            if self.cycle is not before and self.waiting is not None:
                self.waiting.cancel()
                self.waiting = None

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if (
                self.waiting is None
                and not self.transport.is_closing()
                and (self.cycle is None or self.cycle.response_complete)
            ):
                self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            if self.waiting is not None:
                self.waiting.cancel()
            super().connection_lost(exc)

        def _watch(self) -> None:
            self.waiting = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    return BoundedProtocol


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    if not 0 <= port < 2**16:
        raise UsageError(f"{port} is no port; name one from 1 to 65535, or 0 for any that is free")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        looked_up = isinstance(error, socket.gaierror) or not error.errno  # whose numbers are none of the system's
        why = (error.strerror or error) if looked_up else os.strerror(error.errno or 0)
        raise UsageError(f"no connections can be taken at {host}, port {port}: {why}; name another --port or --host") from error
    # without it, replies wait 40 ms for the other side's acknowledgement; connections inherit it
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with listener:
        yield listener
