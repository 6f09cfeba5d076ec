"""Files of text and JSON, read within the ceilings: whatever is wrong with one becomes one sentence."""

from __future__ import annotations

import codecs
import json
import os
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError
from saywhy_core.legible import legible
from saywhy_core.reading.ceilings import CeilingError, ceiling, check_ceiling, over
from saywhy_core.reading.raw import CutShortError as CutShortError
from saywhy_core.reading.raw import open_file as open_file
from saywhy_core.reading.raw import read_bytes as read_bytes
from saywhy_core.reading.raw import read_stream as read_stream
from saywhy_core.reading.raw import unpack_gzip as unpack_gzip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEEPEST = 100
"""Lists and objects within each other; no format has more than ten, and what works on a document may call itself for each."""

_WIDE = {
    codecs.BOM_UTF32_LE: "UTF-32",  # before UTF-16, whose mark begins it
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_HALF = re.compile(r"[\ud800-\udfff]")
_OTHER = re.compile(r"[\udc80-\udcff]")
_MAYBE_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_MAYBE_INFINITE = re.compile(r"(?<![\d.])\d{300}|[eE]\+?0*\d{3}")
_MARKS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[][{},]', re.DOTALL)  # a string is passed over whole


class NotJsonError(UsageError):
    """A text that is not JSON.

    Attributes:
        line: where, counted from 1.
        reason: what Python's parser says.
        several: whether it begins with a whole JSON value and something follows, as in JSON Lines.
    """

    def __init__(self, text: str, line: int, reason: str) -> None:
        super().__init__(text)
        self.line, self.reason, self.several = line, reason, reason.startswith("Extra data")


@dataclass(frozen=True)
class Unreadable:
    """What stands in the place of a record that can't be read, among others that can: `what` is wrong with it, in words."""

    what: str


def parse_json(data: bytes | str, where: str = "", *, unique: bool = False) -> Any:
    """The content of a JSON document, which is bounded before it takes memory.

    NaN, Infinity and -Infinity are read, as Python's parser does. Of a key that stands twice in an object, the last counts.

    Args:
        data: the document; bytes are UTF-8, with or without a byte order mark.
        where: the file or record, which the error names first.
        unique: whether a key that stands twice in an object is an error.

    Raises:
        NotJsonError: it is not JSON.
        CeilingError: it is over the ceiling of bytes or of values.
        UsageError: it is not UTF-8, is nested deeper than `DEEPEST`, or holds half a character (a lone surrogate), a whole
            number of thousands of digits, or a number too large for Python's floats.
    """
    named = where or "the document"
    check_ceiling("bytes", len(data), named)
    text = decode_text(data, named) if isinstance(data, bytes) else data.removeprefix("\ufeff")
    openings = text.count("[") + text.count("{")
    values = text.count(",") + text.count(":") + text.count("{") + openings  # an upper limit: marks in strings count, too
    if values > ceiling("values"):
        raise CeilingError(over("values", f"{named} has up to {values:,} values and keys", values))
    found = _parsed(text, where, unique=unique, deep=openings > DEEPEST)
    if (not text.isascii() and _HALF.search(text)) or (_MAYBE_HALF.search(text) and _has_half(text)):
        raise UsageError(_at(where, "the text holds half a character (a lone surrogate), which can't be written as UTF-8"))
    return found


def parse_records(data: bytes | str, where: str = "") -> Any:
    """As `parse_json`, but where the document is a list, an item that can't be used is `Unreadable`, and the others are read.

    Raises:
        UsageError: as `parse_json`, for what concerns the whole document.
    """
    text, found = _whole_or_not(data, where, "[")
    return found if text is None else [_read_or_not(part) for part in _items(text, where)]


def parse_entries(data: bytes | str, where: str = "") -> Any:
    """As `parse_json`, but where the document is an object, an entry that can't be used is `Unreadable`; the others are read.

    Raises:
        UsageError: as `parse_json`, for what concerns the whole document.
    """
    text, whole = _whole_or_not(data, where, "{")
    if text is None:
        return whole
    found: dict[str, Any] = {}
    for number, part in enumerate(_items(text, where)):
        entry = _read_or_not(f"{{{part}}}")
        if isinstance(entry, Unreadable):
            key = _read_or_not(part[: part.find('":') + 1])
            found[key if isinstance(key, str) else f"number {number}"] = entry
        else:
            found.update(entry)
    return found


def _read_or_not(text: str) -> Any:
    try:
        return parse_json(text)
    except UsageError as error:
        return Unreadable(str(error))


def encoding_of(data: bytes) -> str | None:
    """The encoding that the first bytes mark, if it is UTF-16 or UTF-32; `None` for all others."""
    return next((name for mark, name in _WIDE.items() if data.startswith(mark)), None)


def _whole_or_not(data: bytes | str, where: str, opening: str) -> tuple[str | None, Any]:
    """(None, the content) of a document; (its text, None) where something in it can't be used and it begins as wanted."""
    try:
        return None, parse_json(data, where)
    except (NotJsonError, CeilingError):
        raise
    except UsageError:
        text = decode_text(data, where) if isinstance(data, bytes) else data.removeprefix("\ufeff")
        if not text.lstrip().startswith(opening):
            raise
        return text, None


def decode_text(data: bytes, where: str) -> str:
    """UTF-8 bytes as text, without a byte order mark.

    Raises:
        UsageError: they are in another encoding, which the error names where it can be told.
    """
    if (name := encoding_of(data)) is not None:
        raise UsageError(f"{where} is {name} text; save it as UTF-8")
    if b"\0" in data[:2]:
        raise UsageError(f"{where} is not text, or text in UTF-16: it begins with a NUL byte; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{where} is not UTF-8 text: {error.reason} at byte {error.start}, line {line}; save it as UTF-8"
        ) from None


def decode_lines(data: bytes, where: str) -> str:
    """As `decode_text`, but a byte that is no UTF-8 stays in the text, so that only its line or row need be refused.

    `has_other_bytes` tells of a part of the text whether there is such a byte in it.

    Raises:
        UsageError: they are UTF-16 or UTF-32, or no text.
    """
    try:
        return decode_text(data, where)
    except UsageError:
        if encoding_of(data) is not None or b"\0" in data[:2]:
            raise
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")


def has_other_bytes(text: str) -> bool:
    """Whether a part of a text of `decode_lines` holds bytes that are no UTF-8."""
    return not text.isascii() and _OTHER.search(text) is not None


def read_text(path: str | os.PathLike[str], *, holds: str = "") -> str:
    """The text of a UTF-8 file, without a byte order mark.

    Raises:
        UsageError: as `read_bytes`, or it is not UTF-8, or holds NUL characters, which no text does.
    """
    shown = legible(os.fspath(path))
    text = decode_text(read_bytes(path, holds=holds), shown)
    if "\0" in text:
        raise UsageError(f"{shown} is not text: it holds NUL characters")
    return text


def read_json(path: str | os.PathLike[str], *, holds: str = "", unique: bool = False) -> Any:
    """The content of a JSON file, which may be packed with gzip if its name ends in .gz.

    Raises:
        UsageError: as `read_bytes`, `unpack_gzip` and `parse_json`.
    """
    return _named(partial(parse_json, unique=unique), path, holds)


def read_entries(path: str | os.PathLike[str], *, holds: str = "") -> Any:
    """As `read_json`, but where the file is an object, an entry that can't be used is `Unreadable`, and the others are read."""
    return _named(parse_entries, path, holds)


def _named(parse: Callable[[bytes, str], Any], path: str | os.PathLike[str], holds: str) -> Any:
    """The content of a JSON file; an error says what the file should hold."""
    shown = legible(os.fspath(path))
    data = read_bytes(path, holds=holds)
    if shown.lower().endswith(".gz"):
        data = unpack_gzip(data, shown)
    try:
        return parse(data, shown)
    except NotJsonError as error:
        if not holds:
            raise
        raise NotJsonError(f"{error}; it should hold {holds}", error.line, error.reason) from None


def _parsed(text: str, where: str, *, unique: bool, deep: bool) -> Any:
    hooks: dict[str, Any] = {"object_pairs_hook": _unique} if unique else {}
    if _MAYBE_INFINITE.search(text):
        hooks["parse_float"] = _finite
    try:
        found = json.loads(text, **hooks)
        if deep and _is_deep(found):
            raise RecursionError
    except json.JSONDecodeError as error:
        raise NotJsonError(
            f"{where}, line {error.lineno}: not JSON: {error.msg}" if where else f"not JSON: {error.msg}",
            error.lineno,
            error.msg,
        ) from None
    except RecursionError:
        raise UsageError(_at(where, f"lists and objects are nested deeper than {DEEPEST} levels")) from None
    except MemoryError:
        raise UsageError(_at(where, "the memory does not suffice to read it")) from None
    except UsageError as error:
        raise UsageError(_at(where, str(error))) from None
    except ValueError:
        raise UsageError(_at(where, "a whole number has thousands of digits")) from None
    return found


def _at(where: str, what: str) -> str:
    return f"{where}: {what}" if where else what


def _has_half(text: str) -> bool:
    return any(found.lastgroup for found in _ESCAPE.finditer(text))


def _finite(digits: str) -> float:
    found = float(digits)
    if found in (float("inf"), float("-inf")):
        shown = digits if len(digits) < 20 else f"{digits:.20}..."
        raise UsageError(f"the number {shown} is too large")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise UsageError(f"the key {key!r:.80} stands there twice; give each key once")
        found[key] = value
    return found


def _is_deep(document: Any) -> bool:
    level = [document] if isinstance(document, (list, dict)) else []
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, (list, dict))
        ]
        if not level:
            return False
    return True


def _items(text: str, where: str) -> Iterator[str]:
    """The items of a JSON list, or the entries of a JSON object, as texts.

    Raises:
        NotJsonError: it is neither, as far as its brackets tell.
    """
    depth, begun = 0, 0
    for found in _MARKS.finditer(text):
        mark = found[0]
        if mark in "[{":
            depth += 1
            begun = found.end() if depth == 1 else begun
        elif mark in "]}":
            depth -= 1
        if (mark == "," and depth == 1) or (mark in "]}" and depth == 0):
            if text[begun : found.start()].strip():
                yield text[begun : found.start()]
            begun = found.end()
            if not depth:
                break
    if depth or text[begun:].strip():
        reason = "a bracket is missing" if depth else "Extra data behind its end"
        raise NotJsonError(_at(where, f"not JSON: {reason}"), 1, reason)
