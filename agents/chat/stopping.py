"""Which errors of a chat model end a whole run, because every other request would meet them too."""

from __future__ import annotations

from agents.chat.replies import OfflineMiss
from saywhy_core.disk.files import UnusableFileError
from saywhy_core.errors import BudgetExceeded


def ends_run(error: BaseException) -> bool:
    """Whether other requests would fail alike: a ceiling, a key, a model that is not there, a cache that can't be used."""
    if isinstance(error, (BudgetExceeded, OfflineMiss, UnusableFileError)):
        return True
    return bool(getattr(error, "permanent", False))  # of a `ChatError`, whose module would load the client of servers
