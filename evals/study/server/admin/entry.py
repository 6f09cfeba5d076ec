"""Who may see the researchers' page: a token that is shown once, and sessions of browsers that had it."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from evals.study.server.rates import Rates
from saywhy_core.disk.files import atomic_open
from saywhy_core.errors import UsageError
from saywhy_core.reading.documents import NotJsonError, read_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from evals.study.folder import Study

VARIABLE = "SAYWHY_STUDY_ADMIN_TOKEN"
"""The environment variable that gives the token; then none is made and nothing of it is kept."""
FILE = "admin.json"
_SHORTEST = 16  # characters of a token that somebody chose
_SESSION = 12 * 3600.0  # seconds: a working day
_SESSIONS = 100  # at once; the oldest ends first
_WRONG = (0.2, 10)  # wrong tokens per second, and at once: everybody's together, since nobody's address is kept


def admin_token(study: Study, *, renew: bool = False) -> tuple[str, str | None]:
    """The digest of the token of a study's researchers, and the token itself where it was made just now.

    Args:
        study: the study.
        renew: make a new one; the one before is no longer valid.

    Raises:
        UsageError: the one in the environment is too short, or the file with the digest can't be used.
    """
    given = os.environ.get(VARIABLE)
    if given is not None:
        if len(given) < _SHORTEST:
            raise UsageError(f"{VARIABLE} holds fewer than {_SHORTEST} characters; give a longer token, or unset it")
        if renew:
            raise UsageError(f"{VARIABLE} gives the token, so no new one can be made; unset it")
        return digest(given), None
    place = study.folder / FILE
    if place.is_file() and not renew:
        return _kept(place), None
    token = secrets.token_urlsafe(32)
    with atomic_open(place) as stream:
        json.dump({"version": 1, "sha256": digest(token)}, stream)
    place.chmod(0o600)
    return digest(token), token


def digest(token: str) -> str:
    """What is kept of a token, and compared."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _kept(place: Path) -> str:
    try:
        content = read_json(place, holds="the digest of the researchers' token")
    except NotJsonError:
        content = None
    found = content.get("sha256") if isinstance(content, dict) else None
    if not isinstance(found, str) or len(found) != 64:
        raise UsageError(f"{place} holds no digest of a token; give --new-token, or delete it, and a new token is made")
    return found


@dataclass
class Session:
    """A browser that is let in.

    Attributes:
        until: when it ends.
        form: what every form of its pages holds: another site's form does not have it.
    """

    until: float
    form: str = field(default_factory=lambda: secrets.token_urlsafe(24))


class Entry:
    """The door: compares tokens in constant time, bounds wrong ones, and remembers browsers.

    Args:
        digest: of the token.
        clock: seconds that only grow.
    """

    def __init__(self, digest: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._digest, self.clock = digest, clock
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._wrong = Rates(*_WRONG, clock=clock)

    def check(self, token: str) -> float | None:
        """Compare a token: None where it is right, 0 where it is wrong, or the seconds to wait after many wrong ones.

        A right one is always let in: with 16 characters or more it is the length that keeps guesses out, and the bound keeps
        those who guess from using up the machine.
        """
        if hmac.compare_digest(digest(token), self._digest):  # first: others' guesses lock nobody out who has it
            return None
        return self._wrong.wait() or 0.0

    def begin(self) -> str:
        """Let a browser in; return the value of its cookie."""
        cookie = secrets.token_urlsafe(32)
        self._sessions[digest(cookie)] = Session(self.clock() + _SESSION)
        while len(self._sessions) > _SESSIONS:
            self._sessions.popitem(last=False)
        return cookie

    def session(self, cookie: str | None) -> Session | None:
        """The session of a cookie."""
        found = self._sessions.get(digest(cookie)) if cookie else None
        return found if found is not None and found.until > self.clock() else None

    def end(self, cookie: str | None) -> None:
        """Forget a browser."""
        if cookie:
            self._sessions.pop(digest(cookie), None)
