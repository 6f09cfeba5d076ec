"""Keys and passwords that this process knows, and the one function that takes them out of whatever is said or written."""

from __future__ import annotations

import json
import logging
import os
import re
from base64 import b64encode
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, unquote, urlsplit, urlunsplit

from saywhy_core.secrets import pieces
from saywhy_core.secrets.views import forms, put, shown, units

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MARK = "(secret)"
"""What stands in the place of a secret; no markup of terminals, Markdown or HTML takes it for its own."""

SHORTEST = 4
"""Characters; what is shorter is a word of ordinary texts, and no secret."""
_WORD = 8  # characters: a word of fewer letters, or a number of fewer digits, is no secret either: it is everywhere
_ANYWHERE_FROM = 8  # characters: what is shorter is found where it stands alone, and not within a longer word
_LOOSE_FROM = 12  # characters: from here on, what is between the characters of an echo can't be chance
_LONGEST = 128  # characters of one pattern
_PLACEHOLDERS = frozenset(
    {
        "none",
        "null",
        "empty",
        "dummy",
        "test",
        "token",
        "fake",
        "ollama",
        "lm-studio",
        "local",
        "localhost",
        "unused",
        "default",
    }
    | {"key", "apikey", "api-key", "api_key", "secret", "password", "placeholder", "changeme", "anything", "example"}
    | {"not-needed", "no-key", "no-key-required", "sk-no-key-required"}
)  # what people set where a server wants any key, as the manuals of vLLM, Ollama, LM Studio and llama.cpp say

_BREAKS = "\\\"'`*_.,:;|+-\u00ad\u200b\u200c\u200d\u200e\u200f\u2026\u2060\ufeff"
_UNSEEN = (
    *((0, 0x20), (0x7F, 0xA0), (0x300, 0x370), (0x1AB0, 0x1B00), (0x1DC0, 0x1E00), (0x202A, 0x202F), (0x2060, 0x2070)),
    *((0x20D0, 0x2100), (0xFE00, 0xFE10), (0xFFF9, 0xFFFE), (0xE0000, 0xE01F0)),
)  # controls such as the NUL bytes of UTF-16, directions, joiners, accents that stand over another character
_DROPPED = dict.fromkeys(map(ord, _BREAKS + "~" + "".join(chr(n) for n in range(0x3001) if chr(n).isspace())))
_DROPPED |= dict.fromkeys(code for first, end in _UNSEEN for code in range(first, end))
_GAP = rf"[\s{re.escape(_BREAKS)}]{{0,%d}}+"  # possessive, so that no text makes the search slow
_GAPS = 8  # breaks between two characters of a secret, besides those that are its own
_WIDEST = 8  # characters, of a written-out escape; of a break it is rarely more than one
_MARKS = re.compile(rf"{re.escape(MARK)}(?:(?:[\r\n]|\\[nr])*{re.escape(MARK)})+")
_NAMES = re.compile(r"(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|APIKEY)$", re.IGNORECASE)


class _Secret:
    """A value in one dress. `needle` is looked for first, because that is quick: in texts without breaks, in lower case."""

    def __init__(self, value: str, *, loose: bool) -> None:
        bare = value.translate(_DROPPED)
        self.loose = loose and len(bare) >= _WORD
        self.value = value
        self.needle = (bare if self.loose else value).lower()

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What is replaced: the value in any case, with breaks in it if it is loose, and else alone if it is a word."""
        if self.loose:
            longest = max((len(run) for run in re.findall(rf"[\s{re.escape(_BREAKS)}]+", self.value)), default=0)
            gap = _GAP % (longest + _GAPS)
            return re.compile(gap.join(map(re.escape, self.value.translate(_DROPPED))), re.IGNORECASE)
        exact = re.escape(self.value)
        return re.compile(rf"(?<![\w.]){exact}(?![\w]|\.\d)" if self.alone else exact, re.IGNORECASE)

    @property
    def alone(self) -> bool:
        """Whether it must stand alone, because it may well be a part of a word."""
        return not self.loose and (len(self.value) < _ANYWHERE_FROM or self.value.isalpha() or self.value.isdigit())

    @property
    def reach(self) -> int:
        """The most characters that it takes in a text."""
        return len(self.value) * (_WIDEST + _GAPS) + 2


_known: dict[str, _Secret] = {}
_as_given: set[str] = set()
"""Those that can't be a part of an ordinary text. Each is taken out as it is before any dress of it is looked for."""


def keep_secret(*values: str | None) -> None:
    """From now on, never let these values out: errors, problems, logs, terminals and files go through `redact`.

    A value is also known in other dress: in upper or lower case, backwards, in base64, in hexadecimal digits, with characters
    written as escapes of JSON, of URLs or of HTML, and, if it is long or no mere word, split by spaces, line ends or
    punctuation. A part of a value is taken out as well, from ten letters and digits on (half of them, sixteen at the most),
    also where a few are missing in it, and whatever signs stand in between. No secrets, because they are in ordinary texts,
    are values of fewer than four characters, words of fewer than eight letters, numbers of fewer than eight digits, and what
    is set where a server wants any key, such as "not-needed".
    """
    for value in values:
        plain = (value or "").strip()
        if not _is_secret(plain):
            continue
        if len(plain) >= _WORD and not plain.isalpha() and not plain.isdigit():
            _as_given.add(plain)
            pieces.know(plain)
        for part in _parts(plain):
            for one, loose in _dressed(part):
                secret = _Secret(one, loose=loose)
                _known.setdefault(secret.needle, secret)
    if _known:
        _guard_logs()


def keep_environment_secrets(environment: Mapping[str, str] | None = None) -> None:
    """Keep secret what environment variables hold whose names say so: those that end in KEY, TOKEN, SECRET or PASSWORD.

    The name of a file that holds a key is no secret, and neither is a single word, such as "disabled".
    """
    for name, value in (os.environ if environment is None else environment).items():
        plain = value.strip()
        if not _NAMES.search(name) or len(plain) < _WORD or plain.isalpha() or plain.isdigit():
            continue
        if not (plain.startswith(("/", "~", "./")) and _is_file(plain)):
            keep_secret(plain)


def forget_secrets() -> None:
    """Forget all secrets; for tests, and for programs that served one user and go on with another."""
    _known.clear()
    _as_given.clear()
    pieces.forget()


def redact(text: str) -> str:
    """The text with `MARK` in the place of each secret."""
    if not _known:
        return text
    for value in sorted(_as_given, key=len, reverse=True):
        text = text.replace(value, MARK)
    text = pieces.without_pieces(text, MARK)
    for secret in sorted(_found(text), key=lambda one: -len(one.value)):
        text = secret.pattern.sub(MARK, text)
    if left := [secret for secret in _found(text) if not secret.alone]:
        text = "".join(_decoded_without(line, _found(line)) for line in text.splitlines(keepends=True))
        if any(secret.needle in form for secret in left for form in _forms(text)[secret.loose]):
            text = _decoded_without(text, left)
    return _MARKS.sub(MARK, text)


def reach() -> int:
    """The most characters that a secret takes in a text, in any dress; 0 where none is known."""
    return max((secret.reach for secret in _known.values()), default=0)


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
    return bool(_userinfo(address))


def credentials_of(address: str) -> tuple[str, ...]:
    """The password of an address, as it stands there and unquoted, so that it can be kept secret; empty if there is none."""
    password = _userinfo(address).rstrip("@").partition(":")[2]
    return tuple(dict.fromkeys((password, unquote(password)))) if password else ()


def without_credentials(address: str) -> str:
    """The address without user, password, parameters and fragment, which may be shown."""
    before, rest = _split_off(address)
    address = re.split(r"[;?#]", f"{before}{rest[len(_userinfo(address)) :]}")[0]
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")) if parts.netloc else address


def _userinfo(address: str) -> str:
    """The part of an address before its host, with the @ at its end; passwords may hold what ends a host elsewhere."""
    _, rest = _split_off(address)
    host = re.split(r"[/?#\\]", rest)[0]
    if "@" in host:
        return host.rpartition("@")[0] + "@"
    port = host.rpartition(":")[2] if ":" in host and not host.endswith("]") else ""
    if "@" in rest and port and not port.isdigit():
        return rest.rpartition("@")[0] + "@"
    return ""


def _split_off(address: str) -> tuple[str, str]:
    """The scheme with the slashes behind it, however many and of whichever kind, and the rest of an address."""
    before = re.match(r"\s*(?:[a-zA-Z][\w+.-]*:(?=[/\\]))?[/\\]*", address)
    end = before.end() if before else 0
    return address[:end], address[end:]


def _is_file(value: str) -> bool:
    try:
        return Path(value).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False


def _is_secret(value: str) -> bool:
    if len(value) < SHORTEST or value.lower() in _PLACEHOLDERS:
        return False
    return len(value) >= _WORD or not (value.isalpha() or value.isdigit())


def _parts(value: str) -> list[str]:
    """A very long value in parts of the same length, each of which is looked for by itself."""
    count = -(-len(value) // _LONGEST)
    size = -(-len(value) // count)
    return [value[at : at + size] for at in range(0, len(value), size)]


def _dressed(value: str) -> Iterable[tuple[str, bool]]:
    """The value as it is and in disguise, each with whether breaks in it may be overlooked."""
    kinds = sum(any(test(one) for one in value) for test in (str.islower, str.isupper, str.isdigit))
    loose = len(value) >= _LOOSE_FROM or (len(value) >= _WORD and kinds > 1)
    data = value.encode("utf-8", "surrogatepass")
    plain = (
        value,
        json.dumps(value)[1:-1],
        quote(data, safe=""),
        quote_plus(data),
        data.decode("latin-1"),
        escape(value),
        value.upper(),
    )
    for one in dict.fromkeys(plain):
        yield one, loose
    if len(data) >= _WORD:
        yield value[::-1], False
        yield data.hex(), True
        for before in range(3):  # within a longer text, a value is written in one of three ways
            written = b64encode(bytes(before) + data).decode()
            written = written[(0, 2, 3)[before] : (before + len(data)) * 8 // 6]
            yield written, True
            yield written.translate({ord("+"): "-", ord("/"): "_"}), True


def _found(text: str) -> list[_Secret]:
    """The secrets that are in a text, or may be."""
    forms = _forms(text)
    return [secret for needle, secret in _known.items() if any(needle in form for form in forms[secret.loose])]


def _forms(text: str) -> tuple[list[str], list[str]]:
    """What may be seen in the text, in lower case; and the same without breaks."""
    lower = forms(text)
    return lower, [form.translate(_DROPPED) for form in lower]


def _decoded_without(text: str, secrets: list[_Secret]) -> str:
    """The text without secrets whose characters are written as escapes, or are far from each other."""
    secrets = [secret for secret in secrets if not secret.alone]
    if not secrets:
        return text
    places = []
    for kept in shown(units(text)):
        bare = [unit for unit in kept if ord(unit[0]) not in _DROPPED]
        for secret in secrets:
            among = bare if secret.loose else kept
            plain = "".join(unit[0] for unit in among)
            start = plain.find(secret.needle)
            while start >= 0:
                end = start + len(secret.needle)
                places.append((among[start][1], among[end - 1][2]))
                start = plain.find(secret.needle, end)
    return put(MARK, text, places)


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
