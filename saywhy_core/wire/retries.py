"""When a failed attempt is repeated, and after how long."""

from __future__ import annotations

import math
import random
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_PAUSE = 120.0
"""Seconds; a server that asks for a longer one is not waited for."""

_FIRST, _LAST = 0.5, 8.0  # seconds, of the pauses that no server asked for: each is twice as long as the one before
_REPEATED = frozenset({408, 409, 429})
_LASTING = frozenset({501, 505})  # what the server does not know at all


def may_pass(status: int) -> bool:
    """Whether an answer with this status may be another one next time."""
    return status in _REPEATED or (500 <= status <= 599 and status not in _LASTING)


def asked_pause(headers: Mapping[str, str]) -> float | None:
    """The seconds that a server asks to wait, in `Retry-After` or `retry-after-ms`; None where it asks for nothing sensible.

    A time in the past is no time to wait, so it counts as nothing.
    """
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        if seconds >= 0:  # not NaN, and infinity is more than anybody waits
            return seconds
    try:
        date = parsedate_to_datetime(headers.get("retry-after", ""))
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - time.time()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return seconds if seconds >= 0 else None


def pause_before(attempt: int, asked: float | None) -> float:
    """Seconds to wait before the attempt of this number (1 for the first repetition)."""
    if asked is not None and asked <= LONGEST_PAUSE:
        return asked
    pause: float = min(_FIRST * 2 ** (attempt - 1), _LAST)
    return pause * random.uniform(0.75, 1.0)  # noqa: S311 - so that requests in flight don't all come back at once


def in_words(seconds: float) -> str:
    """A time that a server asked for, as a number and not in its own words."""
    if math.isinf(seconds) or seconds > 1e9:
        return "for ever"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.3g} s"
