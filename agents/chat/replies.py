"""The reply cache: no request is paid for twice, and a run can be replayed offline."""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
import time
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.caches import BaseCache
from langchain_core.messages import message_to_dict, messages_from_dict
from langchain_core.outputs import ChatGeneration, Generation

from saywhy_core.disk.destinations import destination
from saywhy_core.disk.files import UnusableFileError, input_at
from saywhy_core.disk.locks import FileLock
from saywhy_core.disk.sqlite import naming_file, open_database
from saywhy_core.errors import UsageError
from saywhy_core.reading.documents import parse_json
from saywhy_core.secrets import redact, redacted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agents.chat.limits import Meter
    from saywhy_core.disk.sqlite import Database

FORMAT_VERSION = 1
_TURN = ".turn.lock"
_LOOK = 0.05  # seconds between two looks for a reply that somebody else has asked for
_LONGEST_WAIT = 900.0  # seconds; all attempts of one request take less, unless whoever sends it was put to sleep
_KEPT = ("content", "name", "tool_calls", "tool_call_id")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, created REAL NOT NULL, reply TEXT NOT NULL
) WITHOUT ROWID
"""


class OfflineMiss(UsageError):  # noqa: N818
    """A reply that an offline run needs is not in the cache."""


class Replies(BaseCache):
    """Replies of chat models in one SQLite file, behind langchain-core's cache interface.

    The key of a reply is a digest of the model, its parameters and the messages. The file holds this digest, the model's
    name and the reply; it holds neither messages nor API keys. Any number of threads and processes may share the file. A
    reply is on disk before `update` returns, so a killed process loses none. If a request gets two replies, the first is kept.

    Args:
        path: the file; it is made, with its folder, if it does not exist. A link to the file is the same cache. SQLite keeps
            newest replies in `path` + "-wal", and `path` + "-shm" and "-journal" belong to the file as well.
        read_only: never write; the file must exist.

    Raises:
        UsageError: the file can't be opened, is not a reply cache, or has another version.
        UnusableFileError: on use, the file turns out to be damaged, or a reply can't be stored.
    """

    def __init__(self, path: str | os.PathLike[str], *, read_only: bool = False) -> None:
        self.path = Path(path)
        self._place = destination(path).place  # where all who share the file look for each other, by whatever link they name it
        self.read_only = read_only
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._connection: Database | None = None
        self._open()

    def __repr__(self) -> str:
        return f"Replies({str(self.path)!r})"

    def __len__(self) -> int:
        with self._held():
            return int(self._open().execute("SELECT count(*) FROM replies").fetchone()[0])

    def lookup(self, prompt: str, llm_string: str) -> list[Generation] | None:
        """The stored reply to a request, or None."""
        with self._held():
            found = self._open().execute("SELECT reply FROM replies WHERE key = ?", (key_of(prompt, llm_string),)).fetchone()
        return None if found is None else _decode(found[0], self.path)

    def update(self, prompt: str, llm_string: str, return_val: Sequence[Generation]) -> None:
        """Store a reply; it is on disk when this returns."""
        if self.read_only:
            return
        row = (key_of(prompt, llm_string), redact(_model_name(llm_string)), time.time(), _encode(return_val))
        with self._held():
            self._open().execute("INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?)", row)

    def clear(self, **kwargs: Any) -> None:  # noqa: ARG002 - langchain's signature
        """Forget every reply."""
        with self._held():
            self._open().execute("DELETE FROM replies")

    async def alookup(self, prompt: str, llm_string: str) -> list[Generation] | None:
        """As `lookup`; it takes well under a millisecond, so it runs in the event loop."""
        return self.lookup(prompt, llm_string)

    async def aupdate(self, prompt: str, llm_string: str, return_val: Sequence[Generation]) -> None:
        """As `update`."""
        self.update(prompt, llm_string, return_val)

    async def aclear(self, **kwargs: Any) -> None:
        """As `clear`."""
        self.clear(**kwargs)

    def turn(self, prompt: str, llm_string: str) -> FileLock | None:
        """A lock that whoever sends this request holds until the reply is stored; None where nothing is stored.

        Its file lies beside the cache, and is removed on release. The system frees the lock of a process that was killed.
        """
        if self.read_only:
            return None
        return FileLock(self.path, "reply cache", file=f"{self._place}.{key_of(prompt, llm_string)[:16]}{_TURN}")

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._held():
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    @contextmanager
    def _held(self) -> Iterator[None]:
        """This thread alone uses the connection in the block; what SQLite says there names the file."""
        with self._own_lock(), naming_file(self.path, "reply cache"):
            yield

    def _own_lock(self) -> threading.RLock:
        if self._pid != os.getpid():  # after a fork, the child may use neither the connection nor the lock
            self._connection, self._pid, self._lock = None, os.getpid(), threading.RLock()
        return self._lock

    def _open(self) -> Database:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> Database:
        if self.read_only and not self.path.is_file():
            raise UsageError(f"there is no reply cache at {self.path}; a run with the model, online, makes one")
        database = open_database(
            self.path, what="reply cache", schema=_SCHEMA, version=FORMAT_VERSION, read_only=self.read_only, any_thread=True
        )
        if not self.read_only:
            self._remove_old_turns()
        return database

    def _remove_old_turns(self) -> None:
        """Remove the lock files of processes that were killed."""
        ours = re.compile(re.escape(self._place.name) + r"\.[0-9a-f]{16}" + re.escape(_TURN))
        with suppress(OSError):
            for file in list(self._place.parent.iterdir()):
                if ours.fullmatch(file.name) and input_at(file) is None:
                    with suppress(UsageError), FileLock(self.path, "reply cache", file=file):
                        continue


@dataclass(eq=False)
class _Turn:
    stopping: threading.Event
    lock: FileLock | None = None


_turn: ContextVar[_Turn | None] = ContextVar("saywhy_turn", default=None)


class ModelReplies(BaseCache):
    """The cache as one model sees it: it counts the hits, and raises `OfflineMiss` for a missing reply when offline."""

    def __init__(self, replies: BaseCache, meter: Meter, *, offline: bool = False) -> None:
        self.replies, self.meter, self.offline = replies, meter, offline
        self._fresh: set[str] = set()
        self._unstored: list[tuple[str, str, Sequence[Generation]]] = []
        self._storing = threading.Lock()

    def __repr__(self) -> str:
        return f"{self.replies!r}{' (offline)' if self.offline else ''}"

    def peek(self, prompt: str, llm_string: str) -> bool:
        """Whether a reply is there, without counting a hit."""
        return self.replies.lookup(prompt, llm_string) is not None

    def expect(self, prompts: set[str]) -> None:
        """Do not count the next lookup of these prompts as a hit: their replies were generated just now."""
        self._fresh |= prompts

    def lookup(self, prompt: str, llm_string: str) -> list[Generation] | None:
        """The stored reply; offline, a missing one raises `OfflineMiss`.

        Inside `turns`, where somebody else has sent the same request, the reply to that is waited for.
        """
        found = self.replies.lookup(prompt, llm_string)
        if found is None and self.offline:
            raise OfflineMiss(
                f"offline, and {self.replies!r} holds no reply of {_model_name(llm_string)} to "
                f"{_excerpt(prompt)!r}; run once without offline, with the same model, parameters and input"
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
        return list(found)

    @contextmanager
    def turns(self, stopping: threading.Event) -> Iterator[None]:
        """In this block and thread, look up one request, and let nobody else send it until its reply is stored.

        Args:
            stopping: where it is set, nothing is waited for.
        """
        mine = _Turn(stopping)
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
        end = time.monotonic() + _LONGEST_WAIT
        while lock is not None and time.monotonic() < end and not mine.stopping.is_set():
            try:
                lock.acquire()
            except UnusableFileError:  # a file system without locks: as well as nobody else asks
                return None
            except UsageError:
                mine.stopping.wait(_LOOK)
                if (found := self.replies.lookup(prompt, llm_string)) is not None:
                    return found
            else:
                mine.lock = lock
                return self.replies.lookup(prompt, llm_string)  # it may have been stored just before
        return None

    def update(self, prompt: str, llm_string: str, return_val: Sequence[Generation]) -> None:
        """Store a reply; one that can't be stored is kept in memory, and until it is stored no request is sent."""
        try:
            self.replies.update(prompt, llm_string, return_val)
        except UnusableFileError:
            with self._storing:
                self._unstored.append((prompt, llm_string, return_val))
            raise

    def store_rest(self) -> None:
        """Store replies that could not be stored before, so that no further reply is paid for and lost.

        Raises:
            UnusableFileError: they still can't be stored.
        """
        with self._storing:
            while self._unstored:
                self.replies.update(*self._unstored[0])
                del self._unstored[0]

    def clear(self, **kwargs: Any) -> None:
        """Forget every reply, of other models too."""
        self.replies.clear(**kwargs)


def key_of(prompt: str, llm_string: str) -> str:
    """The digest of a request: the model, its parameters, and of each message its role and what the model sees.

    Identifiers, token counts and other traces of a message's origin do not change it.
    """
    return hashlib.sha256(json.dumps([FORMAT_VERSION, llm_string, _messages(prompt)]).encode()).hexdigest()


def _messages(prompt: str) -> Any:
    try:
        messages = json.loads(prompt)
    except ValueError:
        return prompt
    if not isinstance(messages, list) or not all(isinstance(m, dict) and "kwargs" in m for m in messages):
        return prompt
    return [[m["id"][-1], {name: m["kwargs"][name] for name in _KEPT if m["kwargs"].get(name)}] for m in messages]


def _excerpt(prompt: str, length: int = 80) -> str:
    messages = _messages(prompt)
    if isinstance(messages, str) or not messages:
        return prompt[:length]
    content = messages[-1][1].get("content", "")
    text = content if isinstance(content, str) else json.dumps(content)
    return text if len(text) <= length else f"{text[:length]}…"


def _model_name(llm_string: str) -> str:
    with suppress(ValueError, TypeError, KeyError):
        return str(json.loads(llm_string)["model"])
    return ""


def _encode(generations: Sequence[Generation]) -> str:
    kept: list[dict[str, Any]] = []
    for generation in generations:
        if isinstance(generation, ChatGeneration):
            message = message_to_dict(generation.message)
            message["data"].get("additional_kwargs", {}).pop("parsed", None)
            kept.append({"message": message, "info": generation.generation_info})
        else:
            kept.append({"text": generation.text, "info": generation.generation_info})
    return json.dumps(redacted({"version": FORMAT_VERSION, "generations": kept}), default=_told)


def _told(value: Any) -> str:
    return redact(str(value))


def _decode(reply: str, path: Path) -> list[Generation]:
    try:
        return [
            ChatGeneration(message=messages_from_dict([kept["message"]])[0], generation_info=kept["info"])
            if "message" in kept
            else Generation(text=kept["text"], generation_info=kept["info"])
            for kept in parse_json(reply)["generations"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnusableFileError(
            f"the reply cache {path} holds a reply that can't be read ({type(error).__name__}); delete it, or name another file"
        ) from error
