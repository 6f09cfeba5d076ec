"""Calls of a classifier on their way: one at a time where it is computed here, or several at once, each in its own thread."""

from __future__ import annotations

import threading
from contextlib import suppress
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Generic, Protocol, TypeAlias, TypeVar

from saywhy_core.classifiers import ClassifierError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context

    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

TICK = 1.0  # seconds: on Windows Ctrl-C is noticed between two waits only


class Asked(Protocol):
    """What one call asks about."""

    def ask(self) -> Floats:
        """Call the classifier."""


B = TypeVar("B", bound=Asked)


class Calls(Generic[B]):
    """Calls on their way, at most so many at once.

    With `most` = 1 each call is made by `send`, in the caller's thread. Otherwise threads make them, and half as many more
    wait for a thread, so that none is idle while the caller computes. A thread that hangs in a call does not keep the process
    from ending.

    Attributes:
        room: calls that may be on the way.
        on_the_way: calls that were sent and whose answers were not yet taken by `next`.
    """

    def __init__(self, most: int) -> None:
        self.most, self.on_the_way = most, 0
        self.room = most + most // 2
        self._tasks: SimpleQueue[tuple[Context, B] | None] = SimpleQueue()
        self._answers: SimpleQueue[tuple[B, Floats | BaseException]] = SimpleQueue()
        self._threads = 0

    @property
    def free(self) -> bool:
        """Whether another call may be sent."""
        return self.on_the_way < self.room

    @property
    def busy(self) -> bool:
        """Whether a further call would wait for another one."""
        return self.on_the_way >= self.most

    def send(self, asked: B) -> None:
        """Make a call, or have a thread make it. Errors of the classifier are told by `next`."""
        self.on_the_way += 1
        if self.most == 1:
            try:
                self._answers.put((asked, asked.ask()))
            except ClassifierError as error:
                self._answers.put((asked, error))
            except BaseException:
                self.on_the_way -= 1
                raise
            return
        if self._threads < min(self.most, self.on_the_way):  # no thread before it is needed
            self._threads += 1
            worker = threading.Thread(target=_work, args=(self._tasks, self._answers), name="asking", daemon=True)
            worker.start()
        self._tasks.put((copy_context(), asked))

    def next(self, seconds: float | None = None) -> tuple[B, Floats | BaseException] | None:
        """Wait for the next answer: what was asked, and the scores or the error. None where none came in so many seconds."""
        while True:
            try:
                answered = self._answers.get(timeout=TICK if seconds is None else seconds)
            except Empty:
                if seconds is None:
                    continue
                return None
            self.on_the_way -= 1
            return answered

    def stop(self) -> None:
        """Make no call that is not begun yet."""
        with suppress(Empty):
            while True:
                self._tasks.get_nowait()
                self.on_the_way -= 1

    def close(self) -> None:
        """Let the threads end."""
        for _ in range(self._threads):
            self._tasks.put(None)


def _work(tasks: SimpleQueue[tuple[Context, B] | None], answers: SimpleQueue[tuple[B, Floats | BaseException]]) -> None:
    while (task := tasks.get()) is not None:
        context, asked = task
        call: Callable[[], Floats] = asked.ask
        try:
            answers.put((asked, context.run(call)))
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is waited for
            answers.put((asked, error))
        del task, context, asked, call  # they hold images
