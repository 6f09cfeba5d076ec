"""The options that all targets behind a server have: how they are asked, and where the key is."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any

from saywhy_core.errors import UsageError, argument
from saywhy_core.secrets import keep_secret
from saywhy_core.wire.addresses import LONGEST, is_no_name, split_address

TIMEOUT = 30.0  # seconds: a large batch on a slow network takes ten
RETRIES = 6  # with growing pauses they bridge some 20 seconds, in which a server starts again
CONCURRENCY = 8  # requests: enough to keep a batching server busy, few enough for the limits of small accounts
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_TAKEN = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade"}
    | {"expect", "accept-encoding", "content-encoding", "proxy-connection", "user-agent", "inference-header-content-length"}
)
"""Headers that say what is sent and how: a key in one of them would spoil the request."""
_HOW = "name the environment variable that holds the key in the option key_env"


@dataclass(frozen=True)
class Connection:
    """How a server is asked.

    Attributes:
        concurrency: the most requests on their way at a time.
        rate: the most requests per second, repeated ones included; None for no limit.
        timeout: seconds after which an attempt is given up, however slowly the server answers.
        retries: further attempts after one that failed in a way that may pass.
        key_env: the environment variable that holds the key; None where the server wants none.
        key_header: the header that the key is sent in.
        query: the parameters of the address, such as "api-version=2"; no key may be in them.

    Raises:
        UsageError: a value is not of this form, or there is no such environment variable.
    """

    concurrency: int = CONCURRENCY
    rate: float | None = None
    timeout: float = TIMEOUT
    retries: int = RETRIES
    key_env: str | None = None
    key_header: str | None = None
    query: str | None = None
    _key: str = field(default="", repr=False, compare=False)

    def __post_init__(self) -> None:
        _must_be("concurrency", self.concurrency, whole=True, least=1)
        _must_be("retries", self.retries, whole=True, least=0)
        _must_be("timeout", self.timeout, least=0.01)
        if self.rate is not None:
            _must_be("rate", self.rate, least=1e-6)
        if self.key_header is not None:
            if self.key_env is None:
                raise UsageError(f"{argument('key_header')} has no effect without a key: {_HOW}")
            if not isinstance(self.key_header, str) or not _HEADER.fullmatch(self.key_header):
                raise UsageError(f"{argument('key_header')} must be the name of a header, such as X-Api-Key")
            if self.key_header.lower() in _TAKEN:
                raise UsageError(f"{argument('key_header')} can't be {self.key_header}, which every request needs for itself")
        if self.key_env is not None:
            object.__setattr__(self, "_key", _key_in(self.key_env))
        if self.query is not None:
            self._check_query()

    def _check_query(self) -> None:
        query = self.query
        if isinstance(query, (int, float)):
            raise UsageError(f"{argument('query')} must be parameters such as api-version=2, not {query!r}")
        if not isinstance(query, str) or not query.isascii() or not query.isprintable() or re.search(r"[\s#]", query):
            raise UsageError(f"{argument('query')} must be parameters as an address has them, such as api-version=2")
        if len(query) > LONGEST:
            raise UsageError(f"{argument('query')} has {len(query):,} characters; it may have {LONGEST:,}")
        if is_no_name(query, file=True):
            raise UsageError(f"{argument('query')} holds a key or a password: leave it out, and {_HOW}")

    def secret_headers(self) -> list[tuple[str, str]]:
        """The header with the key, where there is one. `Authorization: Bearer KEY`, if the key names no scheme by itself."""
        if not self._key:
            return []
        name = self.key_header or "Authorization"
        bare = name.lower() == "authorization" and " " not in self._key
        return [(name, f"Bearer {self._key}" if bare else self._key)]

    def advice_on_key(self) -> str:
        """What to do where the server turns the key away."""
        return f"check the key in {self.key_env}" if self.key_env is not None else f"no key was sent: {_HOW}"


def split_endpoint(where: str, forms: str, *, model: bool) -> tuple[str, str]:
    """The address of a server and, where one is wanted behind a `#`, the name of a model.

    Raises:
        UsageError: there is no such address or name, or it holds a key or a password; the error does not repeat those.
    """
    address, mark, name = where.partition("#")
    split_address(address, forms, _HOW)
    if model and not name:
        raise UsageError(f"no model is named: write {forms}")
    if mark and not model:
        raise UsageError(f"nothing may stand behind a # here: write {forms}")
    if name and (len(name) > LONGEST or is_no_name(name) or not re.fullmatch(r"[\w.@:+-]+(?:/[\w.@:+-]+)*", name)):
        raise UsageError(f"what stands behind the # must be the name of a model alone: write {forms}")
    return address.rstrip("/"), name


def _key_in(variable: Any) -> str:
    if (
        not isinstance(variable, str)
        or len(variable) > LONGEST
        or not _VARIABLE.fullmatch(variable)
        or _looks_like_a_key(variable)
    ):
        raise UsageError(f"{argument('key_env')} must be the name of an environment variable, and not the key itself")
    key = os.environ.get(variable, "").strip()
    keep_secret(key, *key.split(" ")[1:])
    if not key:
        raise UsageError(f"there is no key in the environment variable {variable}; set it, or leave out key_env")
    if not key.isascii() or not key.isprintable():
        raise UsageError(f"the key in {variable} has characters no key has")
    return key


def _looks_like_a_key(variable: str) -> bool:
    return not variable.isupper() and is_no_name(variable)  # names of variables have capitals; keys have letters of both kinds


def _must_be(name: str, value: Any, *, least: float, whole: bool = False) -> None:
    right = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, right) or not least <= value < 1e9:
        kind = "a whole number" if whole else "a number"
        raise UsageError(f"{argument(name)} must be {kind} of at least {least:g}, not {value!r}")
