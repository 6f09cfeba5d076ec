"""Files of text and JSON, read within the ceilings: whatever is wrong with one becomes one sentence."""

from __future__ import annotations

import codecs
import json
import os
import re
import select
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saywhy_core.disk.files import protect_input
from saywhy_core.errors import UsageError
from saywhy_core.legible import legible
from saywhy_core.reading.ceilings import CeilingError, ceiling, check_ceiling, over

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

DEEPEST = 100
"""Lists and objects within each other; no format has more than ten, and what works on a document may call itself for each."""

_CHUNK = 2**20  # bytes; a read of a pipe returns 64 KiB at most, a read of a file all of it
_WAIT = 10.0  # seconds; somebody who fills a named pipe has opened it by then
_EMPTY_PARTS = 1000  # a gzip file may consist of several, but only a hostile one of many that hold nothing
_WIDE = {
    codecs.BOM_UTF32_LE: "UTF-32",  # before UTF-16, whose mark begins it
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_HALF = re.compile(r"[\ud800-\udfff]")
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
    try:
        return parse_json(data, where)
    except (NotJsonError, CeilingError):
        raise
    except UsageError:
        text = decode_text(data, where) if isinstance(data, bytes) else data.removeprefix("\ufeff")
        if not text.lstrip().startswith("["):
            raise
    found: list[Any] = []
    for part in _items(text, where):
        try:
            found.append(parse_json(part))
        except UsageError as error:
            found.append(Unreadable(str(error)))
    return found


def encoding_of(data: bytes) -> str | None:
    """The encoding that the first bytes mark, if it is UTF-16 or UTF-32; `None` for all others."""
    return next((name for mark, name in _WIDE.items() if data.startswith(mark)), None)


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


def read_bytes(path: str | os.PathLike[str], *, limit: str = "bytes", holds: str = "") -> bytes:
    """The bytes of a file, which may be a pipe or a device, and may grow while it is read.

    Args:
        path: the file. Inside `protected_inputs` it is from now on protected.
        limit: the name of the ceiling on its size.
        holds: what it should hold, for the error that it does not exist.

    Raises:
        CeilingError: there are more bytes than the ceiling; not many more were read.
        UsageError: there is no such file, it is a folder or can't be read, or nobody writes to the pipe.
    """
    with open_file(path, holds=holds) as stream:
        try:
            size = os.fstat(stream.fileno()).st_size
            check_ceiling(limit, size, path)
            return read_stream(stream, str(path), limit=limit)
        except OSError as error:
            raise UsageError(f"{path} can't be read: {error.strerror or error}") from None


def read_stream(stream: BinaryIO, where: str, *, limit: str = "bytes") -> bytes:
    """The bytes that are left of a stream.

    Raises:
        CeilingError: there are more than the ceiling of that name.
    """
    most = ceiling(limit)
    parts: list[bytes] = []
    have = 0
    while part := stream.read(min(_CHUNK, most + 1 - have)):
        parts.append(part)
        have += len(part)
        if have > most:
            raise CeilingError(over(limit, f"{where} has more than {most:,} bytes"))
    return b"".join(parts)


def open_file(path: str | os.PathLike[str], *, holds: str = "") -> BinaryIO:
    """Open a file for reading bytes; a named pipe is waited for only some seconds, until somebody writes to it.

    Raises:
        UsageError: there is no such file, it is a folder or can't be opened, or nobody writes to the pipe.
    """
    wanted = f"; it should hold {holds}" if holds else ""
    shown = legible(os.fspath(path))
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISDIR(mode):
            raise UsageError(f"{shown} is a folder; name a file")
        protect_input(path)
        return _open_pipe(path, shown) if stat.S_ISFIFO(mode) else Path(path).open("rb")
    except UsageError:
        raise
    except FileNotFoundError:
        raise UsageError(f"{shown} does not exist{wanted}") from None
    except OSError as error:
        raise UsageError(f"{shown} can't be read: {error.strerror or error}") from None
    except ValueError:  # a NUL character in the name
        raise UsageError(f"{shown} is no name of a file") from None


def read_text(path: str | os.PathLike[str], *, holds: str = "") -> str:
    """The text of a UTF-8 file, without a byte order mark.

    Raises:
        UsageError: as `read_bytes`, or it is not UTF-8.
    """
    return decode_text(read_bytes(path, holds=holds), legible(os.fspath(path)))


def read_json(path: str | os.PathLike[str], *, holds: str = "", unique: bool = False) -> Any:
    """The content of a JSON file, which may be packed with gzip if its name ends in .gz.

    Raises:
        UsageError: as `read_bytes`, `unpack_gzip` and `parse_json`.
    """
    return parse_json(_document(path, holds), legible(os.fspath(path)), unique=unique)


def read_records(path: str | os.PathLike[str], *, holds: str = "") -> Any:
    """As `read_json`, but where the file is a list, an item that can't be used is `Unreadable`, and the others are read."""
    return parse_records(_document(path, holds), legible(os.fspath(path)))


def unpack_gzip(data: bytes, where: str) -> bytes:
    """What is in the bytes of a gzip file.

    Raises:
        CeilingError: it unpacks to more than the ceiling of bytes; not more was unpacked.
        UsageError: it is damaged, is cut short, or is no gzip file.
    """
    most = ceiling("bytes")
    found: list[bytes] = []
    have, empty, place = 0, 0, 0
    while place < len(data) and (place == 0 or data[place : place + 2] == b"\x1f\x8b"):
        part = zlib.decompressobj(wbits=31)
        begun = have
        while not part.eof:
            chunk = part.unconsumed_tail or data[place : place + _CHUNK // 16]
            if not chunk:
                raise UsageError(f"{where} can't be unpacked: it is cut short")
            try:
                piece = part.decompress(chunk, min(_CHUNK, most + 1 - have))
            except zlib.error as error:
                raise UsageError(f"{where} can't be unpacked: {error}") from None
            place += len(chunk) - len(part.unconsumed_tail) - len(part.unused_data)
            found.append(piece)
            have += len(piece)
            if have > most:
                raise CeilingError(over("bytes", f"{where} unpacks to more than {most:,} bytes"))
        empty += begun == have
        if empty > _EMPTY_PARTS:
            raise UsageError(f"{where} can't be unpacked: it has more than {_EMPTY_PARTS:,} parts that hold nothing")
    if data[place:].strip(b"\0"):  # tapes are filled up with zeros
        raise UsageError(f"{where} can't be unpacked: after its end stands something else")
    return b"".join(found)


def _document(path: str | os.PathLike[str], holds: str) -> bytes:
    data = read_bytes(path, holds=holds)
    return unpack_gzip(data, os.fspath(path)) if os.fspath(path).lower().endswith(".gz") else data


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
    """The items of a JSON list, as texts; for a text that a parser found to be JSON, but for what one item may hold."""
    depth, begun = 0, 0
    for found in _MARKS.finditer(text):
        mark = found[0]
        if mark in "[{":
            depth += 1
            begun = found.end() if depth == 1 else begun
        elif mark in "]}":
            depth -= 1
        if (mark == "," and depth == 1) or (mark == "]" and depth == 0):
            if text[begun : found.start()].strip():
                yield text[begun : found.start()]
            begun = found.end()
            if not depth:
                break
    if depth or text[begun:].strip():
        reason = "a bracket is missing" if depth else "Extra data behind the list"
        raise NotJsonError(_at(where, f"not JSON: {reason}"), 1, reason)


def _open_pipe(path: str | os.PathLike[str], shown: str) -> BinaryIO:
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # without it, opening waits for a writer for ever
    stream = os.fdopen(handle, "rb")
    asked = select.poll()
    asked.register(handle, select.POLLIN)
    if not asked.poll(1000 * _WAIT):
        try:
            os.read(handle, 1)
        except BlockingIOError:  # somebody has opened it for writing, and takes time
            pass
        else:
            stream.close()
            raise UsageError(f"{shown} is a pipe, and for {_WAIT:.0f} seconds nobody has opened it for writing")
    os.set_blocking(handle, True)
    return stream
