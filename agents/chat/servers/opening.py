"""The first request to a server goes alone: what it teaches spares the others its mistakes."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 3.0  # seconds; servers refuse at once, so a request that is still under way then is being answered
_LOOK = 0.02  # seconds between two looks at whether all may go, or the user wants to stop


class Opening:
    """Lets one request through at a time until `open` is called, which an answer or a passing failure does.

    A server that refuses a field, a key or a model says so once and not once per thread. A failure that may pass, such as a
    time-out, opens as well, since it says nothing about the next request, and so does a request that takes long.
    """

    def __init__(self) -> None:
        self._alone, self._opened = threading.Lock(), threading.Event()

    def open(self) -> None:
        """Let all requests through from now on."""
        self._opened.set()

    @contextmanager
    def turn(self, stopping: threading.Event) -> Iterator[None]:
        """Wait for one's turn, where requests still go one at a time; a user who wants to stop ends the wait."""
        mine, until = False, time.monotonic() + _LONGEST
        while not (self._opened.is_set() or mine or stopping.is_set()):
            mine = self._alone.acquire(timeout=_LOOK)
            if not mine and time.monotonic() > until:
                self._opened.set()
        try:
            yield
        finally:
            if mine:
                self._alone.release()
