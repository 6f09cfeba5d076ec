"""What is said where the database of answers can't be written or read: a full disk is one sentence, not a traceback."""

from __future__ import annotations

import errno
import logging
import sqlite3
import time
from typing import TYPE_CHECKING, Any

from saywhy_core.disk.troubles import FULL, UnusableFileError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

SILENCE = 60.0
"""Seconds until the same trouble is told again: every request has it."""
_RETRY = 10  # seconds until a page asks again: somebody has to make room first
_SAID = "Answers can't be stored here at the moment. Nothing that was confirmed is lost; please try again in a few minutes."

log = logging.getLogger(__name__)


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
