"""The cache as one model sees it: hits are counted, and what is of no use can be asked again."""

from __future__ import annotations

import os
import threading
import time
import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.caches import BaseCache

from agents.chat.replies import OfflineMiss, Replies, ReplyWarning, excerpt_of, key_of, model_name_in
from saywhy_core.disk.files import UnusableFileError
from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langchain_core.outputs import Generation

    from agents.chat.limits import Meter
    from saywhy_core.disk.locks import FileLock

_LOOK = 0.05  # seconds between two looks for a reply that somebody else has asked for
_LONGEST_WAIT = 900.0  # seconds, for a reply that this process has asked for; all attempts of one request take less
_SILENT_WAIT = 5.0  # seconds, for another process's reply, after which it is said who is waited for


class TurnTaken(UsageError):  # noqa: N818
    """Another process has asked the same and has no reply within the time that this one waits."""


@dataclass(eq=False)
class _Turn:
    stopping: threading.Event
    seconds: float
    lock: FileLock | None = None


_turn: ContextVar[_Turn | None] = ContextVar("saywhy_turn", default=None)


class ModelReplies(BaseCache):
    """The cache as one model sees it: it counts the hits, and raises `OfflineMiss` for a missing reply when offline.

    Args:
        replies: the cache.
        meter: counts the hits.
        offline: a missing reply is an error.
        retry_invalid: `ask_again` sets replies of earlier runs aside, so that what they answer is asked once more.
    """

    def __init__(self, replies: BaseCache, meter: Meter, *, offline: bool = False, retry_invalid: bool = False) -> None:
        self.replies, self.meter, self.offline, self.retry_invalid = replies, meter, offline, retry_invalid
        self._found: set[str] = set()
        self._set_aside: set[str] = set()
        self._renewed: set[str] = set()
        self._fresh: set[str] = set()
        self._unstored: list[tuple[str, str, Sequence[Generation]]] = []
        self._storing = threading.Lock()

    def __repr__(self) -> str:
        return f"{self.replies!r}{' (offline)' if self.offline else ''}"

    def peek(self, prompt: str, llm_string: str) -> bool:
        """Whether a reply is there, without counting a hit."""
        return self._look(prompt, llm_string) is not None

    def kept(self, prompt: str, llm_string: str) -> list[Generation] | None:
        """The stored reply, or None, without counting a hit."""
        return self._look(prompt, llm_string)

    def _look(self, prompt: str, llm_string: str) -> list[Generation] | None:
        """The stored reply, if it is not set aside."""
        if self._set_aside and key_of(prompt, llm_string) in self._set_aside:
            return None
        found = self.replies.lookup(prompt, llm_string)
        return None if found is None else list(found)

    def ask_again(self, prompts: Sequence[str], llm_string: str) -> bool:
        """Set aside what earlier runs got to these requests, because nothing usable came of it; whether there was any.

        A reply that is set aside stays in the file until a new one takes its place, and no request is set aside twice, so
        that a model that always answers in the same way is asked once more and not for ever.
        """
        found = {key_of(prompt, llm_string) for prompt in prompts} & self._found
        self._found -= found
        self._set_aside |= found
        return bool(found)

    def expect(self, prompts: set[str]) -> None:
        """Do not count the next lookup of these prompts as a hit: their replies were generated just now."""
        self._fresh |= prompts

    def lookup(self, prompt: str, llm_string: str) -> list[Generation] | None:
        """The stored reply; offline, a missing one raises `OfflineMiss`.

        Inside `turns`, where somebody else has sent the same request, the reply to that is waited for.
        """
        found = self._look(prompt, llm_string)
        if found is None and self.offline:
            raise OfflineMiss(
                f"offline, and {self.replies!r} holds no reply of {model_name_in(llm_string)} to "
                f"{excerpt_of(prompt)!r}; run once without offline, with the same model, parameters and input"
            )
        if found is None:
            self.store_rest()
            found = self._waited(prompt, llm_string)
        if found is None:
            return None
        if prompt in self._fresh:
            self._fresh.discard(prompt)
        else:
            self.meter.hit()
            if self.retry_invalid and (key := key_of(prompt, llm_string)) not in self._renewed:
                self._found.add(key)
        return found

    @contextmanager
    def turns(self, stopping: threading.Event, seconds: float = _LONGEST_WAIT) -> Iterator[None]:
        """In this block and thread, look up one request, and let nobody else send it until its reply is stored.

        Args:
            stopping: where it is set, nothing is waited for.
            seconds: how long another process's reply is waited for.

        Raises:
            TurnTaken: in the block, another process has asked the same and has no reply within this time.
        """
        mine = _Turn(stopping, seconds)
        token = _turn.set(mine)
        try:
            yield
        finally:
            _turn.reset(token)
            if mine.lock is not None:
                mine.lock.release()

    def _waited(self, prompt: str, llm_string: str) -> list[Generation] | None:
        mine = _turn.get()
        if mine is None or not isinstance(self.replies, Replies):
            return None
        lock = self.replies.turn(prompt, llm_string)
        begun, longest, told = time.monotonic(), max(_LONGEST_WAIT, mine.seconds), False
        while lock is not None and time.monotonic() - begun < longest and not mine.stopping.is_set():
            try:
                lock.acquire()
            except UnusableFileError:  # a file system without locks: as well as nobody else asks
                return None
            except UsageError:
                mine.stopping.wait(_LOOK)
                if (found := self._look(prompt, llm_string)) is not None:
                    return found
                told = _tell_wait(lock, time.monotonic() - begun, mine.seconds, told)
            else:
                mine.lock = lock
                return self._look(prompt, llm_string)  # it may have been stored just before
        return None

    def update(self, prompt: str, llm_string: str, return_val: Sequence[Generation]) -> None:
        """Store a reply; one that can't be stored is kept in memory, and until it is stored no request is sent."""
        try:
            self._store(prompt, llm_string, return_val)
        except UnusableFileError:
            with self._storing:
                self._unstored.append((prompt, llm_string, return_val))
            raise

    def _store(self, prompt: str, llm_string: str, return_val: Sequence[Generation]) -> None:
        if not self.retry_invalid:
            self.replies.update(prompt, llm_string, return_val)
            return
        key = key_of(prompt, llm_string)
        if key not in self._set_aside:
            self.replies.update(prompt, llm_string, return_val)
        elif isinstance(self.replies, Replies):
            self.replies.update(prompt, llm_string, return_val, instead=True)
        else:  # other caches of langchain keep the newest reply
            self.replies.update(prompt, llm_string, return_val)
        self._renewed.add(key)
        self._set_aside.discard(key)

    def store_rest(self) -> None:
        """Store replies that could not be stored before, so that no further reply is paid for and lost.

        Raises:
            UnusableFileError: they still can't be stored.
        """
        with self._storing:
            while self._unstored:
                self._store(*self._unstored[0])
                del self._unstored[0]

    def clear(self, **kwargs: Any) -> None:
        """Forget every reply, of other models too."""
        self.replies.clear(**kwargs)


def _tell_wait(lock: FileLock, waited: float, seconds: float, told: bool) -> bool:
    """Say which other process is waited for, once and after a while, and raise where the wait was too long."""
    if waited < min(seconds, _SILENT_WAIT):
        return told
    owner = lock.owner()
    if owner in (None, os.getpid()):
        return told
    if waited >= seconds:
        raise TurnTaken(
            f"another process ({owner}) has asked for the same reply, and none has come within {seconds:.3g} s; "
            f"see whether that process is stopped, or raise {argument('timeout')}"
        )
    if not told:
        warnings.warn(f"waiting for a reply that another process ({owner}) has asked for", ReplyWarning, stacklevel=4)
    return True
