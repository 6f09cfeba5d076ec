"""Maps out of files, streams and other libraries' objects, and into files of saywhy's own format."""

from __future__ import annotations

import gzip
import io
import json
import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from saywhy_core.errors import Problem, UsageError
from verbalize.formats.candidates import Candidates
from verbalize.formats.format import FORMATS, ReadOptions
from verbalize.formats.streams import Ahead
from verbalize.formats.table import decoded, read_table
from verbalize.saliency import PixelSaliency, SaliencyError, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Callable

    from verbalize.saliency import Saliency

_LINES = (".jsonl", ".ndjson")
_DOCUMENTS = (".json", ".gz")
_NOTHING_NEGATIVE = (
    "no score is below 0, and nobody says whether the scores have signs; they are read as support for the label. For "
    "magnitudes (attention, norms, |gradient|), say signed=False (--unsigned)"
)
MAX_LINE = 64 * 2**20  # bytes; no map that anyone can read is longer


def read_saliency(
    source: Any,
    *,
    format: str = "auto",  # noqa: A002 - the field's own word
    label: str | None = None,
    versus: Sequence[str] = (),
    class_names: Sequence[str] | None = None,
    tokenizer: Any = None,
    image: Any = None,
    signed: bool | None = None,
    input_text: str | None = None,
    axes: str | None = None,
    on_problem: Callable[[Problem], None] | None = None,
    on_note: Callable[[str], None] | None = None,
) -> list[Saliency]:
    """Read the maps of a file, an open binary stream of JSON Lines, or another library's object.

    Args:
        source: a path (.jsonl, .json, .json.gz, .csv, .tsv, .npy, .npz, .pt, .png), a binary stream of JSON Lines, or an object
            (captum, shap, ferret, transformers-interpret, DIANNA, an array or tensor of pixels, a list of (word, score), or a
            list of such objects).
        format: the name of the format, where it should not be guessed; `FORMATS` lists them.
        label: the label of the query, where the record does not name it, or to choose one output of several. It may not
            contradict the record, and neither may `versus`.
        versus: the labels that it is contrasted with.
        class_names: the names of classes that the record gives by number.
        tokenizer: for records of token ids (Thermostat): an object, a name or a path.
        image: the picture that a pixel map belongs to: an array or a path. A map of another size is resized to it.
        signed: whether negative scores have a meaning, where the record does not say it. `False` for attention weights, norms
            and other magnitudes, which say how much a word matters, not for which label it speaks.
        input_text: the text that the words come from, where the record does not hold it (LIME's and eli5's lists of words).
        axes: what the axes of an array are, where its shape leaves it open: "hw", "chw", "hwc", "nhw", "nchw" or "nhwc" (n
            maps, c channels, which are summed, h rows, w columns).
        on_problem: called with each record that can't be read, while the others are read. Without it the first problem raises.
        on_note: called with each remark about the whole source, such as a column that is not read. Without it, warnings.

    Raises:
        SaliencyError: nothing can be read, there is no such format, (without `on_problem`) a record can't be read, or an
            argument had no effect on any record.
    """
    names = None if class_names is None or len(class_names) == 0 else _labels(class_names)
    options = ReadOptions(label, _labels(versus), names, tokenizer, image, signed, input_text, axes)
    return list(iter_saliency(source, options, format=format, on_problem=on_problem, on_note=on_note))


def _labels(value: Sequence[str]) -> tuple[str, ...]:
    """Labels as a tuple; one string is one label."""
    return (value,) if isinstance(value, str) else tuple(value)


def iter_saliency(
    source: Any,
    options: ReadOptions | None = None,
    *,
    format: str = "auto",  # noqa: A002
    on_problem: Callable[[Problem], None] | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Iterator[Saliency]:
    """`read_saliency`, one map at a time, for files larger than memory. A second record with the same id is a problem.

    That an option had no effect is known, and raised, only after the last map. The notes come after it, too. While maps are
    read, `options.unused()` says which options had no effect so far.
    """
    options = (options or ReadOptions()).copy(notes=[], unsaid=set())
    before = set(options.used)
    try:
        yield from _checked(source, options, format, on_problem, on_note)
    finally:  # the same options may be used for another source, on which they must have an effect of their own
        options.used.intersection_update(before)


def _checked(
    source: Any,
    options: ReadOptions,
    format: str,  # noqa: A002
    on_problem: Callable[[Problem], None] | None,
    on_note: Callable[[str], None] | None,
) -> Iterator[Saliency]:
    any_read = False
    formats = Candidates(format)
    signed_here = False
    partial: list[tuple[int, int]] = []
    for item in _items(source, options, formats):
        found: Saliency | Problem = item
        if not isinstance(found, Problem) and vars(options)["signed"] is not None and "signed" not in options.used:
            found, signed_here = _with_sign(found, options, _name(source)), True
        if not isinstance(found, Problem) and found.id is not None:
            name = found.id
            if name in formats.ids:
                found = Problem(_name(source), "an earlier record has this id; it is left out", None, name)
            formats.ids.add(name)
        if isinstance(found, Problem):
            if on_problem is None:
                raise SaliencyError(str(found))
            on_problem(found)
            continue
        any_read = True
        if isinstance(found, TokenSaliency) and (scored := found.scored) is not None:
            partial.append(scored)
        yield found
    if signed_here:
        options.used.add("signed")
    if len(partial) == 1:
        options.note(f"{partial[0][0]} of {partial[0][1]} words of the text have scores")
    elif partial:
        have, words = (sum(column) for column in zip(*partial, strict=True))
        options.note(f"in {len(partial)} of the texts, only some words have scores, {have} of {words} in all")
    if options.unsaid == {False}:
        options.note(_NOTHING_NEGATIVE)
    for text in options.notes:
        if on_note is None:
            warnings.warn(f"{_name(source)}: {text}", stacklevel=3)
        else:
            on_note(text)
    if any_read and (unused := options.unused()):
        named = " and ".join(f"{name} (--{name.replace('_', '-')})" for name in unused)
        have, them = ("has", "it") if len(unused) == 1 else ("have", "them")
        raise SaliencyError(f"{named} {have} no effect on any record of {_name(source)}; leave {them} out")


def _with_sign(found: Saliency, options: ReadOptions, source: str) -> Saliency | Problem:
    """The map with the sign that the caller says; for maps whose reader (that of a plug-in) did not ask for it."""
    try:
        return replace(found, signed=vars(options)["signed"])
    except SaliencyError as error:
        return Problem(source, str(error), None, found.id)


def write_saliency(saliencies: Saliency | Iterable[Saliency], path: str | os.PathLike[str]) -> int:
    """Write maps to a JSON Lines file, whole or not at all, pixel arrays in `.npy` files beside it; return how many."""
    from verbalize.formats import own

    several = (saliencies,) if isinstance(saliencies, (TokenSaliency, PixelSaliency)) else saliencies
    return own.write(several, Path(path))


def _name(source: object) -> str:
    if isinstance(source, (str, os.PathLike)):
        return str(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "the input"


def _items(source: Any, options: ReadOptions, formats: Candidates) -> Iterator[Saliency | Problem]:
    if isinstance(source, (TokenSaliency, PixelSaliency)):
        yield _ready(source, options)
    elif isinstance(source, (str, os.PathLike)):
        yield from _file(Path(source), options, formats)
    elif isinstance(source, (io.RawIOBase, io.BufferedIOBase)):
        yield from _stream(source, _name(source), options, formats)
    else:
        yield from _object(source, options, formats)


def _object(source: Any, options: ReadOptions, formats: Candidates) -> Iterator[Saliency | Problem]:
    try:
        read = _reader_of(source, formats)
    except SaliencyError:
        if not isinstance(source, Iterable) or isinstance(source, (str, bytes, dict)):
            raise
    else:
        with _told():
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


@contextmanager
def _told() -> Iterator[None]:
    """Make one kind of error of what an object of the right outline with the wrong things inside raises.

    Raises:
        SaliencyError: anything was raised that such an object can cause.
    """
    try:
        yield
    except SaliencyError:
        raise
    except UsageError as error:
        raise SaliencyError(str(error)) from error
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError) as error:
        raise SaliencyError(f"a field is missing or of the wrong type ({error or type(error).__name__})") from error


def _reader_of(document: Any, formats: Candidates) -> Callable[[Any, ReadOptions], Iterator[Saliency | Problem]]:
    """The reader of the first format that matches.

    Raises:
        SaliencyError: no format does.
    """
    known = formats.matching(document)
    if known is not None and known.read is not None:
        return known.read
    if isinstance(document, dict) and "text" in document and not {"tokens", "pixels"} & set(document):
        raise SaliencyError("this record has no tokens or pixels; it looks like a text, not a map")
    shown = f"a {type(document).__name__} ({document!r:.60})"
    if formats.wanted == "auto":
        unread = "".join(f"; {reason}" for reason in formats.unread)
        unread += _needed(document) if isinstance(document, dict) else ""
        raise SaliencyError(f"{shown} is in no format that can be read; see `saywhy convert --help` for the formats{unread}")
    if FORMATS.get(formats.wanted).read is None:
        raise SaliencyError(f"the format {formats.wanted!r} is one of files; name a file")
    raise SaliencyError(f"{shown} is no {formats.wanted!r} record; see `saywhy convert --help` for the formats")


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
    try:
        if path.is_dir():
            raise SaliencyError(f"{path} is a folder; name a file")
        if path.stat().st_size == 0:
            raise SaliencyError(f"{path} is empty")
        read_file = _file_reader(path, formats)
        if read_file is not None:
            yield from read_file(path, options)
        elif path.suffix.lower() in _LINES:
            with path.open("rb") as lines:
                yield from _lines(lines, str(path), path.parent, options, formats)
        else:
            yield from _document(path, options, formats)
    except FileNotFoundError:
        raise SaliencyError(f"there is no file {path}") from None
    except UnicodeDecodeError as error:
        raise SaliencyError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise SaliencyError(f"{path} can't be read: {error.strerror or error}") from None


def _document(path: Path, options: ReadOptions, formats: Candidates) -> Iterator[Saliency | Problem]:
    """A JSON file: one document, or records in a list, or (by another name) JSON Lines."""
    try:
        with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as stream:
            document = json.loads(stream.read())
    except json.JSONDecodeError as error:
        if error.msg.startswith("Extra data") and path.suffix.lower() != ".gz":
            with path.open("rb") as lines:
                yield from _lines(lines, str(path), path.parent, options, formats)
            return
        hint = "; if it is a table, name it .csv or .tsv, or say format='csv' (--format csv)" if _is_table(path) else ""
        raise SaliencyError(f"{path}, line {error.lineno}: no JSON: {error.msg}{hint}") from None
    except (EOFError, gzip.BadGzipFile) as error:
        raise SaliencyError(f"{path} can't be unpacked: {error}") from None
    yield from _records(document, path.parent, options, formats, str(path))


def _is_table(path: Path) -> bool:
    with path.open("rb") as stream:
        return path.suffix.lower() != ".gz" and Ahead(stream, MAX_LINE).is_table()


def _records(
    document: Any, folder: Path | None, options: ReadOptions, formats: Candidates, source: str
) -> Iterator[Saliency | Problem]:
    """The records of a JSON document, which is one or a list of them."""
    records = document if isinstance(document, list) and not _is_one(document, formats) else [document]
    if not records:
        raise SaliencyError(f"{source} holds no records")
    for number, record in enumerate(records):
        for item in _record(record, folder, options, formats, source, None):
            if isinstance(item, Problem) and item.id is None and len(records) > 1:
                yield Problem(item.where, item.what, item.line, f"number {number}")
            else:
                yield item


def _is_one(document: list[Any], formats: Candidates) -> bool:
    return formats.matching(document) is not None


def _stream(
    stream: io.RawIOBase | io.BufferedIOBase, source: str, options: ReadOptions, formats: Candidates
) -> Iterator[Saliency | Problem]:
    """A table, a JSON document that is spread over lines, or JSON Lines, as the first line tells."""
    ahead = Ahead(stream, MAX_LINE)
    if formats.wanted == "csv" or (formats.wanted == "auto" and ahead.is_table()):
        yield from read_table(decoded(ahead.read(), source), source, options)
        return
    if ahead.opens_document():
        whole = ahead.read()
        try:
            document = json.loads(whole)
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
            yield from _lines(io.BytesIO(whole), source, None, options, formats)
        else:
            yield from _records(document, None, options, formats, source)
        return
    yield from _lines(ahead, source, None, options, formats)


def _lines(
    stream: BinaryIO | io.RawIOBase | io.BufferedIOBase | Ahead,
    source: str,
    folder: Path | None,
    options: ReadOptions,
    formats: Candidates,
) -> Iterator[Saliency | Problem]:
    number, records = 0, 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE)
            records += 1
            yield Problem(source, f"the line is longer than {MAX_LINE // 2**20} MiB; a map is one line", number)
            continue
        if not line.strip():
            continue
        records += 1
        try:
            document = json.loads(line)
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
            message = error.msg if isinstance(error, json.JSONDecodeError) else "not UTF-8 text, or nested too deep"
            yield Problem(source, f"no JSON: {message}", number)
            continue
        yield from _record(document, folder, options, formats, source, number)
    if not records:
        raise SaliencyError(f"{source} is empty")


def _record(
    document: Any, folder: Path | None, options: ReadOptions, formats: Candidates, source: str, line: int | None
) -> Iterator[Saliency | Problem]:
    name = document.get("id", document.get("idx")) if isinstance(document, dict) else None
    try:
        with _told():
            read = _reader_of(document, formats)
            for item in read(document, options.copy(folder=folder)):
                yield Problem(source, item.what, line, item.id) if isinstance(item, Problem) else formats.named(item, document)
    except SaliencyError as error:
        yield Problem(source, str(error), line, None if name is None else str(name))
