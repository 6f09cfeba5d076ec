"""Addresses of servers, which may hold no key, and the environment variables that hold the keys instead."""

from __future__ import annotations

import os
import re
import unicodedata
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from saywhy_core.errors import UsageError
from saywhy_core.legible import legible
from saywhy_core.secrets import MARK, credentials_of, has_credentials, keep_secret, redact, without_credentials

if TYPE_CHECKING:
    from urllib.parse import SplitResult

SERVER_KEY = "SAYWHY_API_KEY"
"""The environment variable with the key for `http(s)://` specs. `OPENAI_API_KEY` goes to OpenAI alone."""
SERVER_USER = "SAYWHY_API_USER"
SERVER_PASSWORD = "SAYWHY_API_PASSWORD"  # noqa: S105 - a variable's name
"""The environment variables with user and password, for servers that want those (basic authentication) in place of a key."""
OFFICIAL_KEY = "OPENAI_API_KEY"
NO_KEY = "none"
"""What is sent where there is no key: some servers want one, whatever it is."""

_HOW = f"put the key into {SERVER_KEY}, or user and password into {SERVER_USER} and {SERVER_PASSWORD}"
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
_PAIR = re.compile(r"[^/:@\s]*:[^/@\s]+@|@[^/@\s]*:")  # user:password@host, in either order
_PATH_PARAMETER = re.compile(
    r";|[,&|][\w.-]+\s*[=:]|(?:^|[/?#])[\w.-]*(?:key|token|tok|secret|password|passwd|pwd|pass|auth|credential)\s*[=:]", re.I
)
_VERSION = re.compile(r"@(?:latest|default|stable|main|v?\d[\d.-]*[a-z]{0,4}\d{0,2})$|^@(?=[\w.-]+/)")
_NO_PORT = re.compile(r"^\s*(?:[a-zA-Z][\w+.-]*:(?=[/\\]))?[/\\]*(?:\[[^\]/]*\]|[^:/?#\[\]]*):(?!\d{0,5}(?:[/?#\\]|$))")
_DIGEST = re.compile(r"@sha256:[0-9a-f]+$")
_HEADER = re.compile(r"(?:^|[\s@#:,;])(?:bearer|basic|digest|authorization|x-api-key)[\s:]+\S", re.I)


def split_spec(spec: str, forms: str) -> tuple[str, str]:
    """The address of a server and the name of a model, from `http(s)://HOST:PORT/v1#MODEL`.

    Raises:
        UsageError: it is no such spec, or holds a key or a password. The error does not repeat them.
    """
    address, _, name = (spec, "", "") if has_credentials(spec) else spec.partition("#")
    split_address(address, forms)
    shown = without_credentials(address)
    if not name.strip():
        raise UsageError(f"{shown!r} says no model: write {shown}#MODEL, with a name that the server knows")
    if _is_no_name(name):
        raise UsageError(
            f"the name of the model at {shown!r} holds a key, a password or an address; {_HOW}, and name the model alone "
            "behind the #"
        )
    return address.rstrip("/"), name.strip()


def check_name(kind: str, name: str) -> None:
    """See whether the name of a model, in a spec such as `openai:MODEL`, is a name and nothing else.

    Raises:
        UsageError: it holds a key, a password or an address with one. The error does not repeat it.
    """
    if _is_no_name(name, file=kind == "transformers"):
        raise UsageError(
            f"the name of the model behind {kind}: holds a key, a password or an address; put a key into {OFFICIAL_KEY}, and "
            f"write {kind}:MODEL with the name of the model alone"
        )


def _is_no_name(name: str, *, file: bool = False) -> bool:
    """Whether the name of a model looks like a key, or holds one, a user with a password, or an address."""
    plain = _DIGEST.sub("", unquote(name.strip()))  # models may be named with the digest of their weights
    address = "://" in plain or (not file and (re.search(r"[#?]", plain) or "@" in _VERSION.sub("", _wide(plain))))
    return bool(address) or _PAIR.search(plain) is not None or _HEADER.search(plain) is not None or _holds_key(plain)


def split_address(address: str, forms: str, *, variable: str = "") -> SplitResult:
    """The parts of a server's address, which is http or https, names a host, and holds no secret.

    Args:
        address: of the server, without a model.
        forms: what the error says to write.
        variable: the environment variable that it comes from, if it comes from one.

    Raises:
        UsageError: the address is none, or holds a key or a password. The error does not repeat them.
    """
    named = f"the address in {variable}" if variable else "the address"
    if has_credentials(address):
        keep_secret(*credentials_of(address))
        raise UsageError(
            f"{named} {without_credentials(address)!r} has a user or password in it, which every list of processes and every "
            f"history of commands would show: leave them out, and {_HOW}"
        )
    parts = _read(address)
    if parts is None:
        raise UsageError(f"{_shown(address)!r} is no address; say {forms}")
    hostname = parts.hostname
    if parts.scheme not in {"http", "https"} or not hostname:
        raise UsageError(f"{_shown(address)!r} names no host; say {forms}")
    if _is_drawn(parts.netloc) or MARK in redact(parts.netloc):
        raise UsageError(f"the host of {named} looks like a key: name the host there, and {_HOW}")
    if "%" in parts.netloc:  # such as an @ in other dress
        raise UsageError(f"the host of {named} has a % in it, which no host has; say {forms}")
    if parts.query or "?" in address:
        raise UsageError(f"{_shown(address)!r}: put no parameters into the address; a key goes into {SERVER_KEY}")
    if parts.fragment or not address.isascii() or not address.isprintable() or " " in address:
        raise UsageError(f"{_shown(address)!r} is no address; say {forms}")
    path = _wide(unquote(parts.path))
    if _holds_key(path) or _PAIR.search(path) or _PATH_PARAMETER.search(path):
        host = f"{parts.scheme}://{parts.netloc}"
        raise UsageError(f"the path of {named} at {host} holds a key: leave it out, and {_HOW}")
    return parts


def authorization(official: bool, api_key: str | tuple[str, str] | None, *, wanted: bool, name: str) -> str:
    """The value of the header `Authorization`, from the argument or the environment.

    Args:
        official: for OpenAI's own server, or one that stands in for it.
        api_key: a key, or a user and a password; None for those of the environment.
        wanted: whether requests will be sent, so that OpenAI's server needs a key.
        name: of the model, for the error.

    Raises:
        UsageError: there is no key and one is needed, there are a key and a password, one of user and password is missing in
            the environment, or one can't be sent.
    """
    variable = OFFICIAL_KEY if official else SERVER_KEY
    user, password = (None, None) if official else (os.environ.get(SERVER_USER), os.environ.get(SERVER_PASSWORD))
    key = os.environ.get(variable, "")
    where = variable
    if api_key is not None:
        user, password = (None, None) if isinstance(api_key, str) else api_key
        key, where = (api_key, "api_key") if isinstance(api_key, str) else ("", "api_key")
    keep_secret(key, password)
    key = key.strip()
    if user or password:
        if key:
            named = {SERVER_USER: f"a user in {SERVER_USER}", SERVER_PASSWORD: f"a password in {SERVER_PASSWORD}"}
            also = " and ".join(said for name, said in named.items() if os.environ.get(name))
            raise UsageError(f"there is a key in {SERVER_KEY}, and also {also}; set the key alone, or user and password")
        _must_be_plain(user or "", SERVER_USER if api_key is None else "api_key")
        if ":" in (user or ""):
            raise UsageError(f"the user in {SERVER_USER if api_key is None else 'api_key'} has a colon, which no user may have")
        _must_be_plain(f"{user}{password}", where if api_key is not None else SERVER_PASSWORD)
        if user is None or password is None:  # an empty one is set on purpose
            there, missing = (SERVER_PASSWORD, SERVER_USER) if user is None else (SERVER_USER, SERVER_PASSWORD)
            raise UsageError(
                f"{there} is set and {missing} is not: set both, a server that wants none of the two gets an empty text "
                f"({missing}=''); a key alone goes into {SERVER_KEY}"
            )
        pair = b64encode(f"{user or ''}:{password or ''}".encode()).decode()
        keep_secret(pair)
        return f"Basic {pair}"
    if official and not key and wanted:
        raise UsageError(f"openai:{name} needs a key: set {OFFICIAL_KEY}")
    _must_be_plain(key, where)
    if not key.isascii():
        raise UsageError(f"the key in {where} has characters no key has")
    return f"Bearer {key or NO_KEY}"


def advice_on_key(header: str, *, official: bool, given: bool) -> str:
    """What to do where a server turns away what `authorization` made.

    Args:
        header: the value that was sent.
        official: as there.
        given: whether the key was an argument, and none of the environment's.
    """
    if given:
        return "check api_key"
    if official:
        return f"check the key in {OFFICIAL_KEY}"
    if header.startswith("Basic "):
        return f"check the user in {SERVER_USER} and the password in {SERVER_PASSWORD}"
    if header != f"Bearer {NO_KEY}":
        return f"check the key in {SERVER_KEY}"
    other = f" ({OFFICIAL_KEY} is sent to OpenAI alone)" if os.environ.get(OFFICIAL_KEY) else ""
    return f"no key was sent: set {SERVER_KEY}{other}"


def _must_be_plain(key: str, where: str) -> None:
    if not key.isprintable():
        raise UsageError(f"the key in {where} has characters no key has")


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


def _shown(address: str) -> str:
    return shown_address(address)


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
