"""Being told to stop: signals that end a process in silence become an exception, as Ctrl-C is one."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_NAMES = ("SIGTERM", "SIGHUP")
_first: KeyboardInterrupt | None = None


class Stopped(KeyboardInterrupt):
    """A signal asked this process to stop. What handles Ctrl-C handles it as well.

    Attributes:
        signal: the signal's number.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.signal = number


class _Leave:
    """A handler that ends the process at once, with one sentence, by the status that a shell expects."""

    def __init__(self, said: str) -> None:
        self.said = said

    def __call__(self, number: int, frame: FrameType | None) -> None:
        del frame
        if _first is None and self.said:  # what stopped the run is told already
            why = "interrupted" if number == signal.SIGINT else str(Stopped(number))
            with suppress(OSError):  # nobody reads it
                os.write(2, f"{why}: {self.said}\n".encode())
        os._exit(128 + number if _first is None else exit_status(_first))


def leave_at_once(said: str) -> None:
    """From now on Ctrl-C, SIGTERM and SIGHUP end this process with one sentence: `said`, behind what stopped it.

    It is for the time in which a command is imported, when an exception could be raised at any place and be lost there. For
    the time of its work, `signals_raise` makes exceptions of the signals. Ignored signals stay ignored.
    """
    for name in ("SIGINT", *_NAMES):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and _is_free(number):
            signal.signal(number, _Leave(said))


def exit_status(stop: KeyboardInterrupt) -> int:
    """The status that a shell expects of a process that was stopped so: 130 after Ctrl-C, 143 after SIGTERM."""
    return 128 + (stop.signal if isinstance(stop, Stopped) else signal.SIGINT)


def received() -> KeyboardInterrupt | None:
    """The first stop that came in the last block of `signals_raise`; None where none came.

    What is raised after it need not be the stop: it may have left a module imported by half, which then fails in its own way,
    or a library may have caught it.
    """
    return _first


@contextmanager
def signals_raise(afterwards: str = "") -> Iterator[None]:
    """Inside the block, SIGTERM and SIGHUP raise `Stopped` in the main thread; in another thread nothing changes.

    Ctrl-C raises KeyboardInterrupt as ever. The first of them is remembered; see `received`. A signal that the process was told
    to ignore (as by nohup) stays ignored.

    Args:
        afterwards: what is said of a signal that comes after the block, where `leave_at_once` was in force before it.
    """
    global _first
    _first = None
    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", *_NAMES):
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and _is_free(number):
                before[number] = signal.signal(number, _raise)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, _Leave(afterwards) if isinstance(handler, _Leave) else handler)


@contextmanager
def signals_wait() -> Iterator[None]:
    """Inside the block, which must be short, no signal stops the main thread: what ends there was stopped already."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        numbers = [getattr(signal, name) for name in ("SIGINT", *_NAMES) if hasattr(signal, name)]
        before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _is_free(number: int) -> bool:
    """Whether a signal does what Python lets it do, or what was set here."""
    now = signal.getsignal(number)
    return isinstance(now, _Leave) or now is (signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def _raise(number: int, frame: FrameType | None) -> None:
    global _first
    del frame
    stop = KeyboardInterrupt() if number == signal.SIGINT else Stopped(number)
    _first = _first or stop
    raise stop
