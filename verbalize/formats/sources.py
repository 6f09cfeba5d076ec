"""What a source of maps holds: the records of a file, of a stream or of an object, each read by the format that takes it."""

from __future__ import annotations

import io
import os
import reprlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from saywhy_core.errors import Problem, UsageError, argument
from saywhy_core.reading.ceilings import CeilingError, ceiling, check_ceiling, numbered, over
from saywhy_core.reading.documents import (
    CutShortError,
    NotJsonError,
    Unreadable,
    encoding_of,
    open_file,
    parse_json,
    parse_records,
    read_bytes,
    read_stream,
    unpack_gzip,
)
from saywhy_core.reading.nesting import check_nesting
from saywhy_core.reading.records import told
from verbalize.formats.format import FORMATS, ReadOptions, type_name
from verbalize.formats.table import decoded, read_table
from verbalize.saliency import PixelSaliency, SaliencyError, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from verbalize.formats.candidates import Candidates
    from verbalize.saliency import Saliency

_LINES = (".jsonl", ".ndjson")
_DOCUMENTS = (".json", ".gz")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WRONG = "a field is missing or of the wrong type"
_LONGEST = 1000  # characters of a problem
_ID_SHOWN = 200  # characters of an id in a problem; an id may be as long as a file
_KINDS = {
    bool: "true or false",
    str: "a text",
    bytes: "bytes",
    dict: "an object",
    type(None): "null",
    int: "a number",
    float: "a number",
    list: "a list",
    tuple: "a list",
}


class _Ahead:
    """A binary stream with its first line read ahead: the first that is not blank."""

    def __init__(self, stream: BinaryIO | io.RawIOBase | io.BufferedIOBase) -> None:
        self._stream = stream
        self._blank = 0  # lines before the first that is not blank; they count in the numbers of lines
        self._held = b""
        limit = ceiling("bytes")
        while line := stream.readline(limit + 1):
            if line.strip():
                self._held = line
                break
            self._blank += 1

    def readline(self, size: int = -1) -> bytes:
        """The next line, or as many bytes of it as `size` allows."""
        if self._blank:
            self._blank -= 1
            return b"\n"
        if not self._held:
            return bytes(self._stream.readline(size))
        stop = len(self._held) if size < 0 else min(len(self._held), size)
        line, self._held = self._held[:stop], self._held[stop:]
        return line

    def read(self, source: str) -> bytes:
        """All that is left.

        Raises:
            CeilingError: there is more than the ceiling of bytes.
        """
        begun = b"\n" * self._blank + self._held
        self._held, self._blank = b"", 0
        return begun + read_stream(self._stream, source)  # type: ignore[arg-type]

    @property
    def first(self) -> bytes:
        """The first line that is not blank, without a byte order mark."""
        return self._held.removeprefix(_BYTE_ORDER_MARK).strip()

    def is_table(self) -> bool:
        """Whether the first line has cells and is no JSON."""
        return self.first[:1] not in (b"", b"{", b"[") and any(mark in self.first for mark in (b",", b";", b"\t"))

    def opens_document(self) -> bool:
        """Whether the first line is but the opening bracket of a JSON document."""
        return self.first in (b"{", b"[")


def name_of(source: object) -> str:
    """What problems call a source."""
    if isinstance(source, (str, os.PathLike)):
        return str(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "the input"


def items_of(source: Any, options: ReadOptions, formats: Candidates) -> Iterator[Saliency | Problem]:
    """The maps of a source, and a problem in the place of each record that can't be read.

    Raises:
        SaliencyError: nothing of it can be read.
    """
    if isinstance(source, (TokenSaliency, PixelSaliency)):
        yield _ready(source, options)
    elif isinstance(source, (str, os.PathLike)):
        yield from _file(Path(source), options, formats)
    elif isinstance(source, (io.RawIOBase, io.BufferedIOBase)):
        with told(SaliencyError, f"{name_of(source)} can't be read"):
            yield from _stream(source, name_of(source), options, formats)
    else:
        with told(SaliencyError):
            check_nesting(source)
        yield from _object(source, options, formats)


def _object(source: Any, options: ReadOptions, formats: Candidates) -> Iterator[Saliency | Problem]:
    try:
        read = _reader_of(source, formats)
    except SaliencyError:
        if not isinstance(source, Iterable) or isinstance(source, (str, bytes, dict)):
            raise
    else:
        with told(SaliencyError, _WRONG):
            for found in read(source, options):
                yield formats.named(found, source)
        return
    for index, item in enumerate(source):  # a list of other libraries' objects
        try:
            if isinstance(item, (TokenSaliency, PixelSaliency)):
                yield _ready(item, options)
            elif item is not source:
                yield from _object(item, options, formats)
        except SaliencyError as error:
            yield Problem("the list", str(error), None, str(index))


def _ready(saliency: Saliency, options: ReadOptions) -> Saliency:
    """A map that is one already, where the options say nothing else."""
    options.agreed(saliency.query)
    options.is_signed(saliency.signed)
    return saliency


def _reader_of(document: Any, formats: Candidates) -> Callable[[Any, ReadOptions], Iterator[Saliency | Problem]]:
    """The reader of the first format that matches.

    Raises:
        SaliencyError: no format does.
    """
    with told(SaliencyError, _WRONG):
        known = formats.matching(document)
    if known is not None and known.read is not None:
        return known.read
    if isinstance(document, dict) and "text" in document and not {"tokens", "pixels"} & set(document):
        raise SaliencyError("this record has no tokens or pixels; it looks like a text, not a map")
    with told(SaliencyError, _WRONG):
        shown = _shown(document)
    if formats.wanted == "auto":
        unread = "".join(f"; {reason}" for reason in formats.unread)
        unread += _needed(document) if isinstance(document, dict) else ""
        raise SaliencyError(f"{shown} is in no format that can be read; see `saywhy convert --help` for the formats{unread}")
    if FORMATS.get(formats.wanted).read is None:
        raise SaliencyError(f"the format {formats.wanted!r} is one of files; name a file")
    raise SaliencyError(f"{shown} is no {formats.wanted!r} record; see `saywhy convert --help` for the formats")


def _shown(document: object) -> str:
    """What is given, in words."""
    what = _KINDS.get(type(document))
    if what is None or document is None:
        return what or f"an object of type {type_name(document)}"
    return f"{what} ({reprlib.repr(document):.60})"


def _needed(document: dict[Any, Any]) -> str:
    """What a JSON object would need to be read as a map."""
    numbers = [key for key, value in document.items() if isinstance(value, (int, float))]
    if document and len(numbers) == len(document):
        return '; if its keys are words, write [["word", score], ...] in the order of the text'
    return '; a map of words has the keys "tokens" and "scores" (and "label", "text", "id" where they are known)'


def _file_reader(path: Path, formats: Candidates) -> Callable[[Path, ReadOptions], Iterator[Saliency | Problem]] | None:
    """The reader of a file that is no JSON; `None` for JSON, and for endings that no format knows."""
    if formats.wanted != "auto":
        return FORMATS.get(formats.wanted).read_file
    suffix = path.suffix.lower()
    if suffix in (*_LINES, *_DOCUMENTS):
        return None
    return next((known.read_file for known in formats if suffix in known.suffixes), None)


def _file(path: Path, options: ReadOptions, formats: Candidates) -> Iterator[Saliency | Problem]:
    with told(SaliencyError, f"{path} can't be read"):
        _check_there(path)
        read_file = _file_reader(path, formats)
        if read_file is not None:
            yield from read_file(path, options)
        elif path.suffix.lower() in _LINES:
            with open_file(path) as lines:
                yield from _lines(lines, str(path), path.parent, options, formats)
        else:
            yield from _document(path, options, formats)


def _check_there(path: Path) -> None:
    """See whether there is a file that holds something, before a reader of a format sees it.

    Raises:
        SaliencyError: there is none, or it is empty.
    """
    try:
        if path.is_dir():
            raise SaliencyError(f"{path} is a folder; name a file")
        size = path.stat().st_size
    except FileNotFoundError:
        raise SaliencyError(f"there is no file {path}") from None
    if size == 0 and path.is_file():  # neither a pipe nor a device
        with open_file(path) as stream:
            if not stream.read(1):  # files of the system hold something though their size is 0
                raise SaliencyError(f"{path} is empty")


def _document(path: Path, options: ReadOptions, formats: Candidates) -> Iterator[Saliency | Problem]:
    """A JSON file: one document, or records in a list, or (by another name) JSON Lines."""
    source = str(path)
    data = read_bytes(path)
    if path.suffix.lower() == ".gz":
        try:
            data = unpack_gzip(data, source)
        except CutShortError as cut:
            yield from _lines_before(cut, source, path.parent, options, formats)
            return
    try:
        document = parse_records(data, source)
    except CeilingError:
        raise
    except UsageError as error:
        ahead = _Ahead(io.BytesIO(data))
        if _may_be_lines(ahead, data) and (not isinstance(error, NotJsonError) or error.several):
            yield from _lines(ahead, source, path.parent, options, formats)
            return
        table = f"; if it is a table, name it .csv or .tsv, or say {argument('format', 'csv')}" if ahead.is_table() else ""
        raise SaliencyError(f"{error}{table}") from None
    yield from _records(document, path.parent, options, formats, source)


def _lines_before(
    cut: CutShortError, source: str, folder: Path, options: ReadOptions, formats: Candidates
) -> Iterator[Saliency | Problem]:
    """The records on the whole lines of a packed file that is cut short, and a problem for the others.

    Raises:
        CutShortError: its content is no JSON Lines, or no line is whole.
    """
    whole = cut.found[: cut.found.rfind(b"\n") + 1]
    ahead = _Ahead(io.BytesIO(whole))
    if ahead.first[:1] != b"{" or ahead.first[-1:] != b"}":
        raise cut
    yield from _lines(ahead, source, folder, options, formats)
    yield Problem(source, "the packed file is cut short; the records from here on are missing", whole.count(b"\n") + 1)


def _may_be_lines(ahead: _Ahead, data: bytes) -> bool:
    """Whether the text may be JSON Lines: a bracket opens and one closes its first line, and it has several."""
    whole = ahead.first[:1] in (b"{", b"[") and ahead.first[-1:] in (b"}", b"]")
    return whole and b"\n" in data.strip() and encoding_of(data) is None


def _records(
    document: Any, folder: Path | None, options: ReadOptions, formats: Candidates, source: str
) -> Iterator[Saliency | Problem]:
    """The records of a JSON document, which is one or a list of them."""
    records = document if isinstance(document, list) and not _is_one(document, formats) else [document]
    if not records:
        raise SaliencyError(f"{source} holds no records")
    check_ceiling("records", len(records), source)
    for number, record in enumerate(records):
        for item in _record(record, folder, options, formats, source, None):
            if isinstance(item, Problem) and item.id is None and len(records) > 1:
                yield Problem(item.where, item.what, item.line, f"number {number}")
            else:
                yield item


def _is_one(document: list[Any], formats: Candidates) -> bool:
    if any(isinstance(one, Unreadable) for one in document):
        return False
    with told(SaliencyError, _WRONG):
        return formats.matching(document) is not None


def _stream(
    stream: io.RawIOBase | io.BufferedIOBase, source: str, options: ReadOptions, formats: Candidates
) -> Iterator[Saliency | Problem]:
    """A table, a JSON document that is spread over lines, or JSON Lines, as the first line tells."""
    ahead = _Ahead(stream)
    if formats.wanted == "csv" or (formats.wanted == "auto" and ahead.is_table()):
        yield from read_table(decoded(ahead.read(source), source), source, options)
        return
    if ahead.opens_document():
        whole = ahead.read(source)
        try:
            document = parse_records(whole, source)
        except NotJsonError:
            yield from _lines(io.BytesIO(whole), source, None, options, formats)
        else:
            yield from _records(document, None, options, formats, source)
        return
    yield from _lines(ahead, source, None, options, formats)


def _lines(
    stream: BinaryIO | io.BytesIO | _Ahead, source: str, folder: Path | None, options: ReadOptions, formats: Candidates
) -> Iterator[Saliency | Problem]:
    number, records = 0, 0
    longest, most = ceiling("bytes"), ceiling("records")
    while line := stream.readline(longest + 1):
        number += 1
        formats.line = number
        if not line.strip():
            continue
        if not records and (name := encoding_of(line)) is not None:
            raise SaliencyError(f"{source} is {name} text; save it as UTF-8")
        records += 1
        if records > most:
            raise SaliencyError(over("records", f"{source} has more than {numbered(most, 'record')}"))
        if len(line) > longest:
            while line and not line.endswith(b"\n"):
                line = stream.readline(longest)
            yield Problem(source, over("bytes", f"the line is longer than {numbered(longest, 'byte')}"), number)
            continue
        try:
            document = parse_json(line, "")
        except UsageError as error:
            yield Problem(source, _short(error), number)
            continue
        yield from _record(document, folder, options, formats, source, number)
    if not records:
        raise SaliencyError(f"{source} is empty")


def _record(
    document: Any, folder: Path | None, options: ReadOptions, formats: Candidates, source: str, line: int | None
) -> Iterator[Saliency | Problem]:
    if isinstance(document, Unreadable):
        yield Problem(source, document.what, line)
        return
    name = document.get("id", document.get("idx")) if isinstance(document, dict) else None
    shown = str(name)[:_ID_SHOWN] if isinstance(name, (str, int, float)) else None
    try:
        with told(SaliencyError, _WRONG):
            read = _reader_of(document, formats)
            for item in read(document, options.copy(folder=folder)):
                yield Problem(source, item.what, line, item.id) if isinstance(item, Problem) else formats.named(item, document)
    except SaliencyError as error:
        yield Problem(source, _short(error), line, shown)


def _short(error: UsageError) -> str:
    """What is wrong with a record, at a length that can be read; it may quote a word of a million characters."""
    text = str(error)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
