"""Saliency maps in and out, from saywhy's own files and from other tools' files and objects.

A format is one module with a `Format` and its name in `_MODULES`; files that are no JSON have a reader by suffix.
"""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from saywhy_core.errors import Problem
from verbalize.formats import pixels, table
from verbalize.formats._common import BadRecord, Format, ReadOptions
from verbalize.saliency import PixelSaliency, SaliencyError, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Callable

    from verbalize.saliency import Saliency

__all__ = ["BadRecord", "Format", "ReadOptions", "format_names", "iter_saliency", "read_saliency", "write_saliency"]

_MODULES = ("own", "inseq", "thermostat", "pairs", "captum", "shap", "ferret")
_LINES = (".jsonl", ".ndjson")
MAX_LINE = 64 * 2**20  # bytes; a longer line is no map that anyone reads


@cache
def _formats() -> tuple[Format, ...]:
    modules = [import_module(f"verbalize.formats.{name}") for name in _MODULES]
    return tuple(found for module in modules for found in (getattr(module, "FORMATS", None) or (module.FORMAT,)))


def format_names() -> dict[str, str]:
    """Each format's name and what it is."""
    by_suffix = {"csv": "CSV or TSV with columns token and score (id, label, text)", "pixels": "a grey PNG or a 2-D NPY array"}
    return {known.name: known.summary for known in _formats()} | by_suffix


def read_saliency(
    source: Any,
    *,
    format: str = "auto",  # noqa: A002 - the field's own word
    label: str | None = None,
    versus: Sequence[str] = (),
    class_names: Sequence[str] | None = None,
    tokenizer: Any = None,
    image: Any = None,
    on_problem: Callable[[Problem], None] | None = None,
) -> list[Saliency]:
    """Read the maps of a file, an open binary stream of JSON Lines, or another library's object.

    Args:
        source: a path (.jsonl, .json, .json.gz, .csv, .tsv, .npy, .png), a binary stream, or an object (captum, shap, ferret,
            transformers-interpret, a list of (word, score), or a list of such objects).
        format: the name of the format where it should not be guessed; `format_names` lists them.
        label: the query's label, where the record does not say it, or to choose one output of several.
        versus: the labels it is set against.
        class_names: names for classes that the record gives by number.
        tokenizer: for records of token ids (Thermostat): an object, a name or a path.
        image: the picture that a pixel map belongs to: an array or a path.
        on_problem: called with each record that can't be read; the rest is read. Without it the first one raises.

    Raises:
        SaliencyError: nothing can be read, or (without `on_problem`) a record can't.
    """
    options = ReadOptions(label, tuple(versus), tuple(class_names) if class_names else None, tokenizer, image)
    return list(iter_saliency(source, options, format=format, on_problem=on_problem))


def iter_saliency(
    source: Any,
    options: ReadOptions | None = None,
    *,
    format: str = "auto",  # noqa: A002
    on_problem: Callable[[Problem], None] | None = None,
) -> Iterator[Saliency]:
    """`read_saliency` one map at a time, for files that are larger than memory. A second record of one id is a problem."""
    seen: set[str] = set()
    for item in _items(source, options or ReadOptions(), format):
        found: Saliency | Problem = item
        if not isinstance(found, Problem) and found.id is not None:
            name = found.id
            if name in seen:
                found = Problem(_name(source), "an earlier record has this id; it is left out", None, name)
            seen.add(name)
        if isinstance(found, Problem):
            if on_problem is None:
                raise SaliencyError(str(found))
            on_problem(found)
            continue
        yield found


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


def _items(source: Any, options: ReadOptions, wanted: str) -> Iterator[Saliency | Problem]:
    if wanted != "auto" and wanted not in format_names():
        raise SaliencyError(f"unknown format {wanted!r}; it is one of {', '.join(format_names())}")
    if isinstance(source, (TokenSaliency, PixelSaliency)):
        yield source
    elif isinstance(source, (str, os.PathLike)):
        yield from _file(Path(source), options, wanted)
    elif isinstance(source, (io.RawIOBase, io.BufferedIOBase)):
        yield from _lines(source, _name(source), None, options, wanted)
    else:
        yield from _object(source, options, wanted)


def _object(source: Any, options: ReadOptions, wanted: str) -> Iterator[Saliency | Problem]:
    try:
        known = _format_of(source, wanted)
    except SaliencyError:
        if not isinstance(source, Iterable) or isinstance(source, (str, bytes, dict)):
            raise
    else:
        yield from known.read(source, options)
        return
    for index, item in enumerate(source):  # a list of other libraries' objects
        try:
            yield from _object(item, options, wanted) if item is not source else ()
        except SaliencyError as error:
            yield Problem("the list", str(error), None, str(index))


def _format_of(document: Any, wanted: str) -> Format:
    for known in _formats():
        if wanted in ("auto", known.name) and known.matches(document):
            return known
    kind = f"is no {wanted!r} record" if wanted != "auto" else "is in no format that can be read"
    raise SaliencyError(f"a {type(document).__name__} ({document!r:.60}) {kind}; see `saywhy convert --help` for the formats")


def _file(path: Path, options: ReadOptions, wanted: str) -> Iterator[Saliency | Problem]:
    suffix = path.suffix.lower()
    try:
        if path.is_dir():
            raise SaliencyError(f"{path} is a folder; name a file")
        if path.stat().st_size == 0:
            raise SaliencyError(f"{path} is empty")
        if suffix == ".npy" or suffix in pixels.IMAGE_SUFFIXES or wanted == "pixels":
            yield pixels.read(path, options)
        elif suffix in (".csv", ".tsv") or wanted == "csv":
            with path.open(encoding="utf-8-sig", newline="") as stream:
                yield from table.read(stream, str(path), options)
        elif suffix in _LINES:
            with path.open("rb") as lines:
                yield from _lines(lines, str(path), path.parent, options, wanted)
        else:
            yield from _document(path, options, wanted)
    except FileNotFoundError:
        raise SaliencyError(f"there is no file {path}") from None
    except UnicodeDecodeError as error:
        raise SaliencyError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise SaliencyError(f"{path} can't be read: {error.strerror or error}") from None


def _document(path: Path, options: ReadOptions, wanted: str) -> Iterator[Saliency | Problem]:
    """A JSON file: one document, or records in a list, or (by another name) JSON Lines."""
    try:
        with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as stream:
            document = json.loads(stream.read())
    except json.JSONDecodeError as error:
        if error.msg.startswith("Extra data") and path.suffix.lower() != ".gz":
            with path.open("rb") as lines:
                yield from _lines(lines, str(path), path.parent, options, wanted)
            return
        raise SaliencyError(f"{path}, line {error.lineno}: no JSON: {error.msg}") from None
    except (EOFError, gzip.BadGzipFile) as error:
        raise SaliencyError(f"{path} can't be unpacked: {error}") from None
    records = document if isinstance(document, list) and not _is_one(document, wanted) else [document]
    if not records:
        raise SaliencyError(f"{path} holds no records")
    for number, record in enumerate(records):
        for item in _record(record, path.parent, options, wanted, str(path), None):
            if isinstance(item, Problem) and item.id is None and len(records) > 1:
                yield Problem(item.where, item.what, item.line, f"number {number}")
            else:
                yield item


def _is_one(document: list[Any], wanted: str) -> bool:
    return any(known.matches(document) for known in _formats() if wanted in ("auto", known.name))


def _lines(
    stream: BinaryIO | io.RawIOBase | io.BufferedIOBase, source: str, folder: Path | None, options: ReadOptions, wanted: str
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
        yield from _record(document, folder, options, wanted, source, number)
    if not records:
        raise SaliencyError(f"{source} is empty")


def _record(
    document: Any, folder: Path | None, options: ReadOptions, wanted: str, source: str, line: int | None
) -> Iterator[Saliency | Problem]:
    name = document.get("id", document.get("idx")) if isinstance(document, dict) else None
    try:
        known = _format_of(document, wanted)
        for item in known.read(document, replace(options, folder=folder)):
            yield Problem(source, item.what, line, item.id) if isinstance(item, Problem) else item
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # a document of the right outline with the wrong things inside: any shape can come from outside
        message = str(error) if isinstance(error, SaliencyError) else f"a field is missing or of the wrong type ({error})"
        yield Problem(source, message, line, None if name is None else str(name))
