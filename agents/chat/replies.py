"""The reply cache: no request is paid for twice, and a run can be replayed offline."""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
import time
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.caches import BaseCache
from langchain_core.messages import AIMessage, message_to_dict, messages_from_dict
from langchain_core.outputs import ChatGeneration, Generation

from saywhy_core.disk.destinations import destination
from saywhy_core.disk.files import input_at
from saywhy_core.disk.locks import FileLock
from saywhy_core.disk.sqlite import naming_file, open_database
from saywhy_core.errors import UsageError
from saywhy_core.reading.documents import parse_json
from saywhy_core.secrets import redact, redacted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from saywhy_core.disk.sqlite import Database

FORMAT_VERSION = 1
_TURN = ".turn.lock"
_KEPT = ("content", "name", "tool_calls", "tool_call_id")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, created REAL NOT NULL, reply TEXT NOT NULL
) WITHOUT ROWID
"""


class OfflineMiss(UsageError):  # noqa: N818
    """A reply that an offline run needs is not in the cache."""


class ReplyWarning(UserWarning):
    """Something about the reply cache that costs time or a request, and no result."""


class Replies(BaseCache):
    """Replies of chat models in one SQLite file, behind langchain-core's cache interface.

    The key of a reply is a digest of the model, its parameters and the messages. The file holds this digest, the model's
    name and the reply; it holds neither messages nor API keys. Any number of threads and processes may share the file. A
    reply is on disk before `update` returns, so a killed process loses none. If a request gets two replies, the first is kept.
    A stored reply that can't be read counts as none: a `ReplyWarning` says so, and the next one takes its place.

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
        self._damaged: set[str] = set()
        self._damage_told = False
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
        key = key_of(prompt, llm_string)
        with self._held():
            found = self._stored(key)
        if found is None:
            return None
        try:
            return _decode(found)
        except (ValueError, LookupError, TypeError, AttributeError):
            self._tell_damage(key)
            return None

    def _stored(self, key: str) -> bytes | None:
        # as bytes, because SQLite's text need not be UTF-8 where somebody else wrote it
        found = self._open().execute("SELECT CAST(reply AS BLOB) FROM replies WHERE key = ?", (key,)).fetchone()
        return None if found is None else bytes(found[0])

    def _tell_damage(self, key: str) -> None:
        self._damaged.add(key)
        if not self._damage_told:
            self._damage_told = True
            what = "such replies count as missing" if self.read_only else "such replies are asked for again"
            warnings.warn(f"the reply cache {self.path} holds a reply that can't be read; {what}", ReplyWarning, stacklevel=3)

    def update(self, prompt: str, llm_string: str, return_val: Sequence[Generation], *, instead: bool = False) -> None:
        """Store a reply, and with `instead` in the place of the one that is there; it is on disk when this returns."""
        if self.read_only:
            return
        key = key_of(prompt, llm_string)
        row = (key, redact(model_name_in(llm_string)), time.time(), _encode(return_val))
        with self._held():
            verb = "REPLACE" if instead or key in self._damaged else "INSERT OR IGNORE"
            self._open().execute(f"{verb} INTO replies VALUES (?, ?, ?, ?)", row)
            self._damaged.discard(key)

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


def excerpt_of(prompt: str, length: int = 80) -> str:
    """The beginning of a request's last message, for an error."""
    messages = _messages(prompt)
    if isinstance(messages, str) or not messages:
        return prompt[:length]
    content = messages[-1][1].get("content", "")
    text = content if isinstance(content, str) else json.dumps(content)
    return text if len(text) <= length else f"{text[:length]}…"


def model_name_in(llm_string: str) -> str:
    """The model's name in a description of model and parameters, or an empty text."""
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


def _decode(reply: bytes) -> list[Generation]:
    content = parse_json(reply)
    if content["version"] != FORMAT_VERSION or not content["generations"]:
        raise ValueError("no reply of this version")
    return [_generation(kept) for kept in content["generations"]]


def _generation(kept: Any) -> Generation:
    if "message" not in kept:
        return Generation(text=kept["text"], generation_info=kept["info"])
    message = messages_from_dict([kept["message"]])[0]
    if not isinstance(message, AIMessage):
        raise TypeError("not what a model says")
    return ChatGeneration(message=message, generation_info=kept["info"])
