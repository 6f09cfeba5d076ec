"""Read texts about maps from a file, and pair them with their maps, whoever wrote them."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import Problem, UsageError
from saywhy_core.reading.ceilings import CeilingError, check_ceiling
from saywhy_core.reading.documents import (
    NotJsonError,
    Unreadable,
    decode_text,
    encoding_of,
    parse_json,
    parse_records,
    read_bytes,
    read_stream,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from verbalize.saliency import Saliency

_LINES = (".jsonl", ".ndjson")
_RECORDS = (*_LINES, ".json")  # files that hold records whatever their first characters are
_TABLES = (".csv", ".tsv")  # read as one text, they would say nothing at length
_RECORD = re.compile(r'\s*\{\s*(?:"|\})')  # a text may begin with a brace, too: "{label} was predicted because ..."


@dataclass(frozen=True)
class TextRecord:
    """One text about one map.

    Attributes:
        id: the id of the map that the text is about; `None` if its record names none.
        text: the sentences.
        claims: claims that the author states beside the text, as `Claim.to_record` writes them.
        line: the line number of the record in its file, counted from 1.
        label: the correct label of the text, where it is an input of a model and its record names one: a name, or the number of
            a class.
        place: its place among the records of its file, counted from 0 and including those that can't be read. `with_maps` uses
            it for texts without ids.
    """

    id: str | None
    text: str
    claims: tuple[Mapping[str, Any], ...] = ()
    line: int | None = None
    place: int | None = field(default=None, compare=False)
    label: str | int | None = None


def iter_texts(source: str | os.PathLike[str], on_problem: Callable[[Problem], None] | None = None) -> Iterator[TextRecord]:
    """Read texts from a file: JSON Lines, a JSON list, or one plain text.

    A record has `text`, and optionally `id` (the id of its map) and `claims`. A JSON object without `text` may hold a list of
    records under `texts`, as the report of an audit does. A file whose name does not end in .jsonl, .ndjson
    or .json, and that does not begin with a record, is one plain text without an id.

    Args:
        source: the file; "-" stands for standard input.
        on_problem: called with each record that can't be read; the others are read. Without it, the first such record raises.

    Raises:
        UsageError: the file can't be read or holds no text, or a record can't be read and `on_problem` is not given.
    """
    called = "standard input" if str(source) == "-" else str(source)
    data = _standard_input(called) if str(source) == "-" else read_bytes(source)
    lines = called.lower().endswith(_LINES) or (data.lstrip()[:1] == b"{" and not called.lower().endswith(_RECORDS))
    content = _line_by_line(data) if lines and encoding_of(data) is None else _decoded(data, called)
    if not content.strip():
        raise UsageError(f"{called} holds no texts")
    if ("\0" in content and not lines) or called.lower().endswith(_TABLES):
        what = "not text" if "\0" in content else "a table"
        raise UsageError(f"{called} is {what}; give JSON Lines with 'id' and 'text', or one plain text")
    whole = _whole(content, called)
    if whole is not None:
        check_ceiling("records", len(whole), called)
        for place, record in enumerate(whole):
            found = Problem(called, record.what) if isinstance(record, Unreadable) else _record(record, None, called)
            if isinstance(found, TextRecord):
                yield replace(found, place=place)
            else:
                _tell(found, on_problem)
        return
    if str(source).lower().endswith(_RECORDS) or _RECORD.match(content):
        yield from _records(content, called, on_problem)
    else:
        check_ceiling("text", len(content), called)
        yield TextRecord(None, content.strip(), (), None, 0)


def with_maps(
    texts: Iterable[TextRecord],
    saliencies: Iterable[Saliency],
    *,
    where: str = "the texts",
    on_problem: Callable[[Problem], None] | None = None,
) -> Iterator[tuple[TextRecord, Saliency]]:
    """Pair each text with the map of the same id. If no text has an id, the first belongs to the first map, and so on.

    Each text that is returned has the id of its map.

    Args:
        texts: the texts, as `iter_texts` reads them.
        saliencies: the maps; all are read before the first pair is returned.
        where: the source of the texts, which problems name.
        on_problem: called with each text that has no map, or more than one. Without it, the first such text raises.

    Raises:
        UsageError: a text has no map, or more than one, and `on_problem` is not given; or no text has an id, and there are not
            as many texts as maps, or some of the texts could not be read.
    """
    maps = list(saliencies)
    records = list(texts)
    if records and all(record.id is None for record in records):
        lost = any(record.place not in (None, place) for place, record in enumerate(records))
        if len(maps) != len(records) or lost:
            raise UsageError(f"{where}: {_unpaired(len(records), len(maps), lost=lost)}")
        for record, saliency in zip(records, maps, strict=True):
            yield replace(record, id=saliency.saliency_id), saliency
        return
    by_id: dict[str | None, list[Saliency]] = {}
    for saliency in maps:
        known = by_id.setdefault(saliency.saliency_id, [])
        if saliency not in known:  # a map that is given twice is still one map
            known.append(saliency)
    for record in records:
        found = by_id.get(record.id, [])
        if len(found) == 1:
            yield record, found[0]
            continue
        what = f"{len(found)} maps have this id" if found else "there is no map with this id"
        what = "the text has no 'id', and others have one" if record.id is None else what
        _tell(Problem(where, what, record.line, record.id), on_problem)


def _records(content: str, where: str, on_problem: Callable[[Problem], None] | None) -> Iterator[TextRecord]:
    for place, (number, line) in enumerate(_lines(content)):
        check_ceiling("records", place + 1, where)
        found = _parsed(line, number, where)
        if isinstance(found, TextRecord):
            yield replace(found, place=place)
        else:
            _tell(found, on_problem)


def _lines(content: str) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers."""
    number, counted = 1, 0
    # not splitlines: JSON strings may hold other line separators, such as U+2028
    for found in re.finditer(r"[^\n]+", content):
        number += content.count("\n", counted, found.start())
        counted = found.start()
        if found[0].strip():
            yield number, found[0]


def _whole(content: str, where: str) -> list[Any] | None:
    """The records of a JSON file that is no JSON Lines: a list, or one record over several lines; `None` for any other file."""
    if content.lstrip()[:1] not in ("[", "{"):
        return None
    try:
        found = parse_records(content, where)
    except CeilingError:
        raise
    except NotJsonError:
        return None
    except UsageError as error:
        first = content.strip().partition("\n")[0].strip()
        return None if first.endswith("}") else [Unreadable(str(error))]
    if isinstance(found, Mapping) and "text" not in found and isinstance(found.get("texts"), list):
        found = found["texts"]  # the report of an audit, or any other document that lists its texts
    listed = isinstance(found, list) and found and all(isinstance(one, Mapping | Unreadable) for one in found)
    return found if listed else [found] if isinstance(found, Mapping) and "\n" in content.strip() else None


def _parsed(line: str, number: int, where: str) -> TextRecord | Problem:
    try:
        if "\0" in line:
            raise UsageError("the line holds NUL characters, which no text does")
        record = parse_json(line.encode("utf-8", "surrogateescape"))
    except UsageError as error:
        return Problem(where, str(error), number)
    return _record(record, number, where)


def _record(record: Any, number: int | None, where: str) -> TextRecord | Problem:
    if isinstance(record, Mapping) and ({"tokens", "scores"} <= set(record) or "pixels" in record):  # they may have a text, too
        return Problem(where, "this record looks like a map, not a text", number, _id_shown(record))
    if not isinstance(record, Mapping) or not isinstance(record.get("text"), str):
        return Problem(where, "a text is an object with 'text' and, if it names its map, 'id'", number)
    name = record.get("id")
    if name is not None and not isinstance(name, str | int | float):
        return Problem(where, "'id' must be a string or a number", number)
    name = None if name is None else str(name)
    claims = record.get("claims") or ()
    if not isinstance(claims, list | tuple) or not all(isinstance(claim, Mapping) for claim in claims):
        return Problem(where, "'claims' must be a list of objects", number, _id_shown(record))
    try:
        check_ceiling("text", len(record["text"]), "it")
        check_ceiling("name", len(name or ""), "the id")
        check_ceiling("tokens", len(claims), "it", "claims")
    except CeilingError as error:
        return Problem(where, str(error), number, _id_shown(record))
    label = record.get("label")
    known = label if isinstance(label, str | int) and not isinstance(label, bool) else None
    return TextRecord(name, record["text"], tuple(claims), number, label=known)


def _id_shown(record: Mapping[str, Any]) -> str | None:
    name = record.get("id")
    return str(name)[:200] if isinstance(name, str | int | float) else None


def _standard_input(called: str) -> bytes:
    stream = getattr(sys.stdin, "buffer", None)  # a program may have put a stream without bytes in its place
    return read_stream(stream, called) if stream is not None else sys.stdin.read().encode()


def _line_by_line(data: bytes) -> str:
    """The text of JSON Lines, in which a byte that is no UTF-8 stays as half a character, so that only its line is refused."""
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _decoded(data: bytes, called: str) -> str:
    """The text in UTF-8 or, with a byte order mark, in UTF-16, which some editors write."""
    if encoding_of(data) != "UTF-16":
        return decode_text(data, called)
    try:
        return data.decode("utf-16")
    except UnicodeDecodeError as error:
        raise UsageError(f"{called} is no UTF-16 text: {error.reason} at byte {error.start}; save it as UTF-8") from None


def _tell(problem: Problem, on_problem: Callable[[Problem], None] | None) -> None:
    if on_problem is None:
        raise UsageError(str(problem))
    on_problem(problem)


def _unpaired(texts: int, maps: int, *, lost: bool) -> str:
    if texts == 1 and not lost:
        number = "no maps" if not maps else f"{maps} maps"
        return (
            f"the text names no map, and there are {number}; give a file with that map alone, or texts in JSON Lines, "
            "each with the 'id' of its map"
        )
    has = "not all of them could be read" if lost else f"there are {texts} texts and {maps} maps"
    return f"the texts have no ids, and {has}; give each text the 'id' of its map"
