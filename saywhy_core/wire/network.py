"""Connections with one deadline and one ceiling for the whole of an exchange, whatever the server does.

The time-outs of httpx measure silence: a server that sends a byte now and then, in its headers or anywhere else, never
reaches them. Here each read and each write may take what is left until the deadline, and each byte counts.
"""

from __future__ import annotations

import importlib
import re
import socket
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires
from typing import TYPE_CHECKING, Any

from saywhy_core.reading.ceilings import over

if TYPE_CHECKING:
    import ssl
    import threading
    from collections.abc import Iterator


def _library() -> str:
    """httpx, or the fork of it that the openai package uses: what is handed to its client must come from the same one."""
    try:
        wanted = requires("openai") or []
    except PackageNotFoundError:
        wanted = []
    return next((found[0] for one in wanted if (found := re.match(r"httpx\d*(?![\w-])", one))), "httpx")


_NAME = _library()
httpx: Any = importlib.import_module(_NAME)
httpcore: Any = importlib.import_module(_NAME.replace("httpx", "httpcore"))

_SLICE = 16 * 1024  # bytes written at once: a slow reader of more would have several time-outs
_LOOK = 0.5  # seconds between two looks at whether the user wants to stop
GRACE = 5.0
"""Seconds that a reply on its way may still take when the user stops: it is paid for, and kept if it comes."""


class WireError(Exception):
    """An answer that is not let in. Its text says why, in words that follow "the server"."""

    def __init__(self, text: str, *, status: int | None = None, again: bool = False) -> None:
        super().__init__(text)
        self.status, self.again = status, again


@dataclass(eq=False)
class Allowance:
    """What one exchange may still take: seconds until its deadline, and bytes of the answer."""

    deadline: float
    most: int
    stopping: threading.Event
    taken: int = 0
    hurried: bool = False

    def seconds(self, asked: float | None = None) -> float:
        """How long the next step may take: what is left, or less where less is asked for."""
        if not self.hurried and self.stopping.is_set():
            self.hurried, self.deadline = True, min(self.deadline, time.monotonic() + GRACE)
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time is up")
        return left if asked is None else min(left, asked)

    def take(self, count: int) -> None:
        """Count bytes that came in."""
        self.taken += count
        if self.taken > self.most:
            raise WireError(over("answer", f"sent an answer of more than {self.most:,} bytes"))


_in_force: ContextVar[Allowance | None] = ContextVar("saywhy_allowance", default=None)


@contextmanager
def allowance(seconds: float, most: int, stopping: threading.Event) -> Iterator[Allowance]:
    """Bound all that connections do in this block, in this thread."""
    mine = Allowance(time.monotonic() + seconds, most, stopping)
    token = _in_force.set(mine)
    try:
        yield mine
    finally:
        _in_force.reset(token)


class Backend(httpcore.NetworkBackend):  # type: ignore[misc]
    """Opens connections that heed the allowance in force."""

    def __init__(self) -> None:
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> Any:
        """Try the addresses of the host one after another, all of them before the deadline."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from None
        failure: Exception = httpcore.ConnectError("the host has no address")
        for address in dict.fromkeys(str(one[4][0]) for one in found):
            try:
                stream = self._plain.connect_tcp(address, port, _seconds(timeout), local_address, socket_options)
                return _Stream(stream)
            except httpcore.ConnectError as error:
                failure = error
        raise failure

    def connect_unix_socket(self, path: str, timeout: float | None = None, socket_options: Any = None) -> Any:
        """As httpcore does."""
        return _Stream(self._plain.connect_unix_socket(path, _seconds(timeout), socket_options))

    def sleep(self, seconds: float) -> None:
        """As httpcore does, but not beyond the deadline."""
        self._plain.sleep(_seconds(seconds) or 0.0)


class _Stream(httpcore.NetworkStream):  # type: ignore[misc]
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        mine = _in_force.get()
        if mine is None:
            return bytes(self._stream.read(max_bytes, timeout))
        while True:
            try:
                data = bytes(self._stream.read(max_bytes, min(_LOOK, mine.seconds(timeout))))
            except httpcore.ReadTimeout:
                mine.seconds()  # raises when the time is up
            else:
                mine.take(len(data))
                return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for at in range(0, len(buffer), _SLICE):
            self._stream.write(buffer[at : at + _SLICE], _seconds(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None) -> Any:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _seconds(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _seconds(asked: float | None) -> float | None:
    mine = _in_force.get()
    return asked if mine is None else mine.seconds(asked)
