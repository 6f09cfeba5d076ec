"""The messages between a worker, which works in a thread of its own, and whoever holds it."""

from __future__ import annotations

import threading
import traceback
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSE = 0.1  # seconds between two deliveries of messages that are gathered: what a killed worker has not delivered is lost
QUIET = 1.0  # seconds after which a worker that has nothing to tell says so, which shows that it is alive

Task = TypeVar("Task")
Message = TypeVar("Message")


@dataclass(frozen=True)
class Unusable:
    """The worker can't work, and why."""

    why: str


@dataclass(frozen=True)
class Broken:
    """An error in the code: its traceback."""

    said: str


class Mailbox(Generic[Task, Message]):
    """Takes tasks to a worker's thread and its messages back, so that whoever holds the worker needs one call on its way.

    Attributes:
        changed: to be held while something else is changed that the thread waits for; see `wait`.

    Args:
        gathered: the kinds of message that wait for others, up to `PAUSE`; each of the others is handed over at once.
        last: told when the thread ends, after whatever ended it; None for nothing.
    """

    def __init__(self, *, gathered: tuple[type, ...] = (), last: Message | None = None) -> None:
        self.changed = threading.Condition()
        self._gathered, self._last = gathered, last
        self._tasks: deque[Task] = deque()
        self._messages: list[Message | Unusable | Broken] = []
        self._stopped = False

    def start(self, work: Callable[[], None], name: str) -> None:
        """Work in a thread with that name. An error that ends the work is told: `Unusable` if a user can correct it."""
        threading.Thread(target=self._run, args=(work,), name=name, daemon=True).start()

    def exchange(self, task: Task | None = None, *, stop: bool = False) -> list[Message | Unusable | Broken]:
        """Hand over a task, or the word to stop, and take the messages; waits for some, at most about `QUIET`."""
        with self.changed:
            if task is not None:
                self._tasks.append(task)
            self._stopped = self._stopped or stop
            self.changed.notify_all()
            if self._gathered:
                self.changed.wait_for(self._urgent, PAUSE)
            self.changed.wait_for(lambda: bool(self._messages), QUIET)
            messages, self._messages = self._messages, []
            return messages

    def tell(self, message: Message | Unusable | Broken) -> None:
        """Put a message in line."""
        with self.changed:
            self._messages.append(message)
            self.changed.notify_all()

    def next(self) -> Task | None:
        """The task that has waited longest, once there is one; None if the worker is told to stop and no task waits."""
        with self.changed:
            self.wait(lambda: bool(self._tasks))
            return self._tasks.popleft() if self._tasks else None

    def wait(self, until: Callable[[], bool]) -> None:
        """Wait until that is so, or the worker is told to stop; `changed` must be held."""
        self.changed.wait_for(lambda: until() or self._stopped)

    def check(self) -> None:
        """See whether work may go on.

        Raises:
            KeyboardInterrupt: the worker is told to stop.
        """
        if self._stopped:
            raise KeyboardInterrupt("the audit is stopped")

    def _urgent(self) -> bool:
        return not all(isinstance(message, self._gathered) for message in self._messages)

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except UsageError as error:
            self.tell(Unusable(str(error)))
        except BaseException:  # noqa: BLE001 - it is raised where the messages are read
            self.tell(Broken(traceback.format_exc()))
        if self._last is not None:
            self.tell(self._last)
