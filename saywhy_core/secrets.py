"""Keys and passwords that this process knows, and the one function that takes them out of whatever is said or written."""

from __future__ import annotations

import json
import logging
import os
import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MARK = "(secret)"
"""What stands in the place of a secret; no markup of terminals, Markdown or HTML takes it for its own."""

SHORTEST = 4
"""Characters; what is shorter is a word of ordinary texts, and no secret."""
_LOOSE_FROM = 12  # characters: from here on, what is between the characters of an echo can't be chance
_BETWEEN = r"(?:[\s\\\"'`*_.,:;|+\-\u00ad\u200b-\u200f\u2026\u2060\ufeff]|%20|%0[aAdD]){0,4}"
_WIDEST_GAP = 12  # characters that `_BETWEEN` takes at most
_NAMES = re.compile(r"(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|APIKEY)$", re.IGNORECASE)

_known: dict[str, re.Pattern[str]] = {}


def keep_secret(*values: str | None) -> None:
    """From now on, never let these values out: errors, problems, logs, terminals and files go through `redact`.

    A value is also known in other dress: in upper or lower case, split by spaces, line ends or hyphens, in JSON, in a URL, and
    in base64. Values of fewer than four characters are no secrets.
    """
    for value in values:
        if value is None or len(value.strip()) < SHORTEST:
            continue
        plain = value.strip()
        for one in dict.fromkeys((plain, *_dressed(plain))):
            if one not in _known:
                _known[one] = re.compile(_pattern(one), re.IGNORECASE)
    if _known:
        _guard_logs()


def keep_environment_secrets(environment: Mapping[str, str] | None = None) -> None:
    """Keep secret what environment variables hold whose names say so: those that end in KEY, TOKEN, SECRET or PASSWORD."""
    for name, value in (os.environ if environment is None else environment).items():
        if _NAMES.search(name) and len(value.strip()) >= 2 * SHORTEST and not value.strip().isdigit():
            keep_secret(value)


def forget_secrets() -> None:
    """Forget all secrets; for tests, and for programs that served one user and go on with another."""
    _known.clear()


def redact(text: str) -> str:
    """The text with `MARK` in the place of each secret."""
    for pattern in sorted(_known.values(), key=lambda one: -len(one.pattern)) if _known else ():
        text = pattern.sub(MARK, text)
    return text


def reach() -> int:
    """The most characters that a secret takes in a text, in any dress; 0 where none is known."""
    return max((len(value) * (1 + _WIDEST_GAP) for value in _known), default=0)


def redacted(content: Any) -> Any:
    """JSON content (texts, lists, dictionaries and what is in them) with `MARK` in the place of each secret."""
    if not _known:
        return content
    if isinstance(content, str):
        return redact(content)
    if isinstance(content, dict):
        return {redacted(name): redacted(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return type(content)([redacted(one) for one in content])
    return content


def has_credentials(address: str) -> bool:
    """Whether an address names a user or a password, as in http://user:password@host."""
    return "@" in _netloc(address)


def without_credentials(address: str) -> str:
    """The address without user, password, parameters and fragment, which may be shown."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return re.sub(r"(?<=//)[^/@]*@", "", address).partition("?")[0]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _guard_logs() -> None:
    """Take secrets out of log records where they are made, so that no handler of any library gets them."""
    made_before = logging.getLogRecordFactory()
    if getattr(made_before, "redacts", False):
        return

    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = made_before(*args, **kwargs)
        if _known:
            record.msg, record.args = redact(_message(record)), ()
            if record.exc_info:
                record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return record

    make.redacts = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(make)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a message that does not fit its arguments; logging itself only prints that
        return f"{record.msg} {record.args}"


def _netloc(address: str) -> str:
    try:
        return urlsplit(address).netloc
    except ValueError:
        return address.partition("//")[2].partition("/")[0]


def _dressed(value: str) -> Iterable[str]:
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield quote(value, safe="")
    yield quote_plus(value)
    yield b64encode(value.encode()).decode().rstrip("=")


def _pattern(value: str) -> str:
    if len(value) < _LOOSE_FROM:
        return re.escape(value)
    return _BETWEEN.join(re.escape(one) for one in value)
