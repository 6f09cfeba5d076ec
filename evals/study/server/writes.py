"""What requests write, gathered: while one transaction goes to the disk, the next ones wait and then go together.

And what is said where the disk takes nothing: a full one is one sentence, not a traceback.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import sqlite3
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from saywhy_core.disk.troubles import FULL, UnusableFileError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from evals.study.server.store import Store

SILENCE = 60.0
"""Seconds until the same trouble is told again: every request has it."""
_RETRY = 10  # seconds until a page asks again: somebody has to make room first
_SAID = "Answers can't be stored here at the moment. Nothing that was confirmed is lost; please try again in a few minutes."
_TOGETHER = 100  # works of one transaction: more would let the first of them wait for long

log = logging.getLogger(__name__)


class Writes:
    """Works that write, of many requests at once.

    Args:
        store: where they write.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []
        self._busy: asyncio.Task[None] | None = None

    async def done(self, work: Callable[[], Any]) -> Any:
        """Do a work; when this returns, what it wrote is on the disk. Whatever it raises is raised here."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._busy is None or self._busy.done():
            self._busy = asyncio.create_task(self._go())
        return await future

    async def _go(self) -> None:
        while self._waiting:
            now, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
            works = [work for work, future in now if not future.cancelled()]
            futures = [future for _, future in now if not future.cancelled()]
            try:
                results = await run_in_threadpool(partial(self.store.together, works))
            except Exception as error:  # noqa: BLE001 - a full disk, for example: nothing of all this was written
                results = [error] * len(futures)
            for future, result in zip(futures, results, strict=True):
                if future.cancelled():
                    continue
                if isinstance(result, BaseException):
                    future.set_exception(result)
                else:
                    future.set_result(result)


async def run_in_threadpool(work: Callable[[], Any]) -> Any:
    """Do something that waits for the disk in another thread."""
    from starlette.concurrency import run_in_threadpool as run

    return await run(work)


def disk_troubles(path: Path, *, clock: Callable[[], float] = time.monotonic) -> dict[Any, Callable[..., Awaitable[Response]]]:
    """Handlers, by kind of exception, that reply 503 and tell the researcher why in one sentence.

    Args:
        path: the database of answers.
        clock: seconds that only grow.
    """
    told: dict[str, float] = {}

    async def handle(request: Request, error: Exception) -> Response:  # noqa: ARG001 - starlette gives both
        from starlette.responses import JSONResponse

        sentence, now = trouble_of(path, error), clock()
        if now >= told.get(sentence, now):
            log.error("%s", sentence)
            told[sentence] = now + SILENCE
        return JSONResponse({"error": _SAID}, 503, {"retry-after": str(_RETRY)})

    return {sqlite3.Error: handle, UnusableFileError: handle, OSError: handle}


def trouble_of(path: Path, error: Exception) -> str:
    """What is wrong and what to do, in one sentence for the researcher."""
    cause = error.__cause__ if isinstance(error, UnusableFileError) and error.__cause__ is not None else error
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    number = getattr(cause, "errno", None)
    if code == sqlite3.SQLITE_FULL or number in FULL:
        why = "the disk, or what you may use of it, is full; make room, and pages that wait go on by themselves"
    elif code == sqlite3.SQLITE_IOERR or number == errno.EIO:
        why = (
            f"the disk is full, a limit is reached, or it fails ({cause}); make room or see whether it is sound, and pages "
            "that wait go on by themselves"
        )
    elif code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        why = f"it is damaged ({cause}); stop the server, and keep a copy of it before you try to recover it"
    else:
        why = f"{cause}; see who else uses it, and whether you may write there"
    return f"answers can't be kept in {path}: {why}"
