"""Which errors of a chat model end a whole run, and which the same request would meet again."""

from __future__ import annotations

from agents.chat.replies import OfflineMiss
from saywhy_core.disk.files import UnusableFileError
from saywhy_core.errors import BudgetExceeded

_OF_THE_REQUEST = frozenset({"too long", "filtered"})


def ends_run(error: BaseException) -> bool:
    """Whether other requests would fail alike: a ceiling, a key, a model that is not there, a cache that can't be used."""
    if isinstance(error, (BudgetExceeded, OfflineMiss, UnusableFileError)):
        return True
    return bool(getattr(error, "permanent", False))  # of a `ChatError`, whose module would load the client of servers


def stays(error: BaseException) -> bool:
    """Whether the same request would fail alike next time: it is too long, a filter stops it, or any request fails so."""
    return bool(getattr(error, "permanent", False)) or getattr(error, "kind", "") in _OF_THE_REQUEST
