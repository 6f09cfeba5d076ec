"""Being told to stop: signals that end a process in silence become an exception, as Ctrl-C is one."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
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
def signals_raise() -> Iterator[None]:
    """Inside the block, SIGTERM and SIGHUP raise `Stopped` in the main thread; in another thread nothing changes.

    Ctrl-C raises KeyboardInterrupt as ever. The first of them is remembered; see `received`. A signal that the process was told
    to ignore (as by nohup) stays ignored.
    """
    global _first
    _first = None
    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in _NAMES:
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, _raise)
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            before[signal.SIGINT] = signal.signal(signal.SIGINT, _raise)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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


def _raise(number: int, frame: FrameType | None) -> None:
    global _first
    del frame
    stop = KeyboardInterrupt() if number == signal.SIGINT else Stopped(number)
    _first = _first or stop
    raise stop
