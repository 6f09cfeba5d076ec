"""Computations that are watched: each ends after a time that is set beforehand, also one that would never end by itself."""

from __future__ import annotations

import threading
import time
import weakref
from contextvars import copy_context
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from saywhy_core.reading.ceilings import CeilingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context

    Task = tuple["_Stopping", Context, Callable[[], Any], SimpleQueue[tuple[bool, Any]]]

T = TypeVar("T")
TICK = 0.05  # seconds between two looks
MOST_OF_A_TICK = 1.0  # seconds that count between two looks: a process that was halted, as by Ctrl-Z, has not computed
GRACE = 0.5  # seconds that a computation has to end after it was told to
PAGE = 4096  # bytes; systems with larger pages only notice growth later

_here = threading.local()
_left_behind = False


class OverTimeError(CeilingError):
    """A computation did not end in its time, or took more memory than it may."""


class Watched:
    """A thread of its own for computations that are watched from outside, one at a time.

    What is told to stop and doesn't, because it is inside a native function, is left behind: its thread goes on until the
    process ends, and the next computation gets a new thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._tasks: SimpleQueue[Task | None] | None = None
        self._thread: threading.Thread | None = None

    def __call__(
        self,
        compute: Callable[[], T],
        seconds: float,
        too_long: str | Callable[[], str],
        *,
        stop: Callable[[], None] | None = None,
        growth: int | None = None,
        too_large: str = "",
    ) -> T:
        """What `compute` returns. Ctrl-C ends it as well.

        Args:
            compute: the computation. Steps of it in Python call `go_on` now and then.
            seconds: the longest that it may take.
            too_long: the error's text where it takes longer, or a function that makes it.
            stop: tells native code to stop, where that can be told.
            growth: bytes by which the process may grow meanwhile; looked at where there is /proc.
            too_large: the error's text where it grows more.

        Raises:
            OverTimeError: it takes longer, or grows more.
        """
        with self._lock:
            stopping = _Stopping()
            answers: SimpleQueue[tuple[bool, Any]] = SimpleQueue()
            self._running().put((stopping, copy_context(), compute, answers))
            try:
                done, answer = _watch(answers, seconds, too_long, growth, too_large)
            except BaseException:
                stopping.now = True
                if stop is not None:
                    stop()
                self._wait_for_end(answers)
                raise
        if done:
            found: T = answer
            return found
        raise answer

    def _running(self) -> SimpleQueue[Task | None]:
        if self._tasks is None or self._thread is None or not self._thread.is_alive():  # the last one after a fork
            self._tasks = SimpleQueue()
            self._thread = threading.Thread(target=_work, args=(self._tasks,), name=self._name, daemon=True)
            self._thread.start()
            weakref.finalize(self, self._tasks.put, None)
        return self._tasks

    def _wait_for_end(self, answers: SimpleQueue[tuple[bool, Any]]) -> None:
        global _left_behind
        try:
            answers.get(timeout=GRACE)
        except Empty:
            _left_behind = True
            if self._tasks is not None:
                self._tasks.put(None)
            self._tasks = self._thread = None


def too_long(where: str, what: str, seconds: float, ceiling: int) -> str:
    """The text of the error that something took too long: how long it may take, and how to raise the ceiling `seconds`."""
    return (
        f"{where} took more than {seconds:,.0f} second{'s' * (round(seconds) != 1)} to {what}, the most that is allowed; "
        f"if you trust it, raise the ceiling, for example with --ceiling seconds={12 * ceiling}"
    )


def of_time(error: BaseException) -> str | None:
    """What is too slow, where that is why an error was raised; None where it was raised for another reason."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OverTimeError):
        cause = cause.__cause__
    return None if cause is None else str(cause)


def go_on() -> None:
    """Called between two steps of a computation: it ends here if it was told to stop."""
    stopping = getattr(_here, "stopping", None)
    if stopping is not None and stopping.now:
        raise OverTimeError("it was told to stop")


def left_behind() -> bool:
    """Whether native code that can't be stopped may still run. Such a process must not wait for its threads at its end."""
    return _left_behind


def leave_behind() -> None:
    """Say that something native may go on in a thread of its own until the process ends; see `left_behind`."""
    global _left_behind
    _left_behind = True


class _Stopping:
    now = False


def _work(tasks: SimpleQueue[Task | None]) -> None:
    while (task := tasks.get()) is not None:
        stopping, context, compute, answers = task
        _here.stopping = stopping
        try:
            answer = True, context.run(compute)
        except BaseException as error:  # noqa: BLE001 - it is raised where it was asked for
            answer = False, error
        answers.put(answer)
        del task, stopping, context, compute, answers, answer  # they may hold large arrays


def _watch(
    answers: SimpleQueue[tuple[bool, Any]],
    seconds: float,
    too_long: str | Callable[[], str],
    growth: int | None,
    too_large: str,
) -> tuple[bool, Any]:
    spent, last = 0.0, time.monotonic()
    start = None if growth is None else _size()
    while True:
        try:
            return answers.get(timeout=TICK)
        except Empty:
            pass
        now = time.monotonic()
        spent, last = spent + min(now - last, MOST_OF_A_TICK), now
        if spent > seconds:
            raise OverTimeError(too_long if isinstance(too_long, str) else too_long())
        if growth is not None and start is not None and (_size() or 0) - start > growth:
            raise OverTimeError(too_large)


def _size() -> int | None:
    """Bytes of memory that this process has; None where the system doesn't say."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE
    except (OSError, ValueError, IndexError):
        return None
