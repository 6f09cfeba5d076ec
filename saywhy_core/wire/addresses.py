"""Addresses of servers, which may hold no key."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from saywhy_core.errors import UsageError
from saywhy_core.legible import legible
from saywhy_core.secrets import MARK, credentials_of, has_credentials, keep_secret, redact, without_credentials

if TYPE_CHECKING:
    from urllib.parse import SplitResult

LONGEST = 2000  # characters; what searches for keys takes time that grows with the square of the length
_PARAMETER = re.compile(r"(?:^|[/;?&,])[\w.-]*(?:key|token|secret|password|passwd|pwd|auth|credential|sig|signature)\s*=", re.I)
_KEY = re.compile(
    r"(?:^|(?<=[/;=?&,:@#\s]))(?:sk|pk|rk|xai|gsk|hf|ghp|gho|pat|key|api)[-_][\w-]{16,}"
    r"|AIza[\w-]{30,}|eyJ[\w-]{10,}\.[\w-]+\.[\w-]+",
    re.I,
)
_SHORT_KEY = re.compile(r"(?:^|(?<=[/;=?&,:@#.\s]))((?:sk|pk|rk|gsk|xai|ghp|gho)[-_])([\w-]{6,})", re.I)
_KINDS = (str.islower, str.isupper, str.isdigit)
_AMONG = re.compile(r"\d+[a-z]", re.I)
_RUN = re.compile(r"[A-Za-z0-9]{20,}")
_PAIR = re.compile(r"(?<![^/:@\s])[^/:@\s]*:[^/@\s]+@|@[^/@\s]*:")  # user:password@host, in either order
_PATH_PARAMETER = re.compile(
    r";|[,&|][\w.-]+\s*[=:]|(?:^|[/?#])[\w.-]*(?:key|token|tok|secret|password|passwd|pwd|pass|auth|credential)\s*[=:]", re.I
)
_VERSION = re.compile(r"@(?:latest|default|stable|main|v?\d[\d.-]*[a-z]{0,4}\d{0,2})$|^@(?=[\w.-]+/)")
_NO_PORT = re.compile(r"^\s*(?:[a-zA-Z][\w+.-]*:(?=[/\\]))?[/\\]*(?:\[[^\]/]*\]|[^:/?#\[\]]*):(?!\d{0,5}(?:[/?#\\]|$))")
_DIGEST = re.compile(r"@sha256:[0-9a-f]+$")
_HEADER = re.compile(r"(?:^|[\s@#:,;])(?:bearer|basic|digest|authorization|x-api-key)[\s:]+\S", re.I)


def is_no_name(name: str, *, file: bool = False) -> bool:
    """Whether the name of a model looks like a key, or holds one, a user with a password, or an address."""
    plain = _DIGEST.sub("", unquote(name.strip()))  # models may be named with the digest of their weights
    address = "://" in plain or (not file and (re.search(r"[#?]", plain) or "@" in _VERSION.sub("", _wide(plain))))
    return bool(address) or _PAIR.search(plain) is not None or _HEADER.search(plain) is not None or _holds_key(plain)


def split_address(address: str, forms: str, how: str, *, variable: str = "") -> SplitResult:
    """The parts of a server's address, which is http or https, names a host, and holds no secret.

    Args:
        address: of the server, without a model.
        forms: what the error says to write.
        how: what the error says to do with a key or a password.
        variable: the environment variable that it comes from, if it comes from one.

    Raises:
        UsageError: the address is none, or holds a key or a password. The error does not repeat them.
    """
    named = f"the address in {variable}" if variable else "the address"
    if len(address) > LONGEST:
        raise UsageError(f"{named} has {len(address):,} characters, and no address has more than {LONGEST:,}; say {forms}")
    if has_credentials(address):
        keep_secret(*credentials_of(address))
        raise UsageError(
            f"{named} {without_credentials(address)!r} has a user or password in it, which every list of processes and every "
            f"history of commands would show: leave them out, and {how}"
        )
    parts = _read(address)
    if parts is None:
        raise UsageError(f"{shown_address(address)!r} is no address; say {forms}")
    hostname = parts.hostname
    if parts.scheme not in {"http", "https"} or not hostname:
        raise UsageError(f"{shown_address(address)!r} names no host; say {forms}")
    if _is_drawn(parts.netloc) or MARK in redact(parts.netloc):
        raise UsageError(f"the host of {named} looks like a key: name the host there, and {how}")
    if "%" in parts.netloc:  # such as an @ in other dress
        raise UsageError(f"the host of {named} has a % in it, which no host has; say {forms}")
    if parts.query or "?" in address:
        raise UsageError(f"{shown_address(address)!r}: put no parameters into the address; {how}")
    if parts.fragment or not address.isascii() or not address.isprintable() or " " in address:
        raise UsageError(f"{shown_address(address)!r} is no address; say {forms}")
    path = _wide(unquote(parts.path))
    if _holds_key(path) or _PAIR.search(path) or _PATH_PARAMETER.search(path):
        host = f"{parts.scheme}://{parts.netloc}"
        raise UsageError(f"the path of {named} at {host} holds a key: leave it out, and {how}")
    return parts


def _holds_key(text: str) -> bool:
    return _PARAMETER.search(text) is not None or _KEY.search(text) is not None or _is_drawn(text) or MARK in redact(text)


def _is_drawn(text: str) -> bool:
    """Whether a part of a text is drawn at random: capitals, or letters among digits, behind "sk-" and the like."""
    for start, body in _SHORT_KEY.findall(text):
        if (start.islower() and body != body.lower()) or any(len(_AMONG.findall(part)) > 1 for part in re.split(r"[-_]", body)):
            return True
    return any(all(any(map(test, run)) for test in _KINDS) for run in _RUN.findall(text))


def _read(address: str) -> SplitResult | None:
    """The parts of an address, or None. The error of Python repeats the address, so that it may not hang on ours."""
    try:
        parts = urlsplit(address)
        _ = parts.hostname, parts.port
    except ValueError:
        return None
    return parts


def _wide(text: str) -> str:
    """The text with letters and signs of other widths and styles as plain ones: some take a wide @ for an @."""
    return unicodedata.normalize("NFKC", text)


def shown_address(address: str) -> str:
    """An address, or what was given in the place of one, as far as it may be shown: nothing that may be a key or a password."""
    shown = without_credentials(address)
    plain = _wide(unquote(shown))
    if (
        "@" in plain
        or _NO_PORT.search(plain)
        or _PATH_PARAMETER.search(plain)
        or _PAIR.search(plain)
        or _HEADER.search(plain)
        or _holds_key(plain)
    ):
        scheme = re.match(r"[a-zA-Z]{2,12}:(?=[/\\])", shown)
        return f"{scheme[0] if scheme else ''}..."
    return legible(shown)[:200]
