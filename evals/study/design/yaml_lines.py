"""YAML with the line of each key and value, bounded before it takes memory.

Plain texts mean what they mean in YAML 1.2: `yes`, `no`, `on` and dates are texts, and only `true` and `false` are not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from saywhy_core.errors import UsageError
from saywhy_core.legible import legible
from saywhy_core.reading.ceilings import CeilingError, ceiling, over

LARGEST = 2**19
"""Characters of a file: some fifty times what anybody writes for a study. The parser takes seconds for it."""
DEEPEST = 20
"""Lists and mappings within each other; a study has five."""
MOST_VALUES = 50_000
"""Values of a file, with each repetition through an alias counted: a few lines can otherwise stand for billions."""

Place = tuple[str | int, ...]
"""Where a value stands: keys of mappings, and numbers of list entries from 0."""

_INT = re.compile(r"[-+]?[0-9]{1,19}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_CONSTANTS: dict[str, object] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_CONSTANTS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


@dataclass(frozen=True)
class Document:
    """What a file holds.

    Attributes:
        content: as nested dictionaries, lists, texts, numbers, booleans and None.
        lines: the line of each key and each list entry, counted from 1; `()` is the line of the beginning.
        plain: the text of each value that was written without quotes, as it was written.
        problems: keys that stand twice, with their line: (line, sentence).
    """

    content: Any
    lines: dict[Place, int]
    plain: dict[Place, str] = field(default_factory=dict)
    problems: tuple[tuple[int, str], ...] = ()


def plain_value(text: str) -> object:
    """What a text without quotes means."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def parse_yaml(text: str, where: str) -> Document:
    """The content of a YAML text.

    Args:
        text: the text.
        where: the file, which errors name first.

    Raises:
        UsageError: it is no YAML, or holds several documents, tags, keys that are no texts, or an alias of itself.
        CeilingError: it is too large or too deep.
    """
    import yaml

    if len(text) > LARGEST:
        raise CeilingError(f"{where} has {len(text):,} characters, and a study has at most {LARGEST:,}")
    try:
        return _Building(where).document(_events(text, where))
    except yaml.YAMLError as error:
        if isinstance(error, yaml.reader.ReaderError):
            at = text.count("\n", 0, int(error.position)) + 1
            raise UsageError(
                f"{where}, line {at}: here stands the control character U+{ord(text[int(error.position)]):04X}; take it out"
            ) from None
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise UsageError(f"{where}{line}: {_said(error, text, mark)}") from None


def _events(text: str, where: str) -> list[Any]:
    """What PyYAML's parser finds, one event after the other: for deep brackets, its time grows with the square of the depth."""
    import yaml

    found: list[Any] = []
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        found.append(event)
        kind = type(event).__name__
        depth += kind.endswith("StartEvent") - kind.endswith("EndEvent")
        if depth > DEEPEST + 2:  # the stream and the document are two
            raise CeilingError(f"{where}, line {event.start_mark.line + 1}: nested deeper than {DEEPEST} levels")
        if len(found) > 4 * MOST_VALUES:
            raise CeilingError(f"{where} holds more than {MOST_VALUES:,} values; a study has a few hundred")
    return found


def _said(error: Any, text: str, mark: Any) -> str:
    problem = legible(str(getattr(error, "problem", None) or getattr(error, "reason", None) or "it can't be read"))
    lines = text.splitlines()
    line = lines[mark.line] if mark is not None and mark.line < len(lines) else ""
    if "\\t" in problem or re.match(r" *\t", line):
        return "YAML is indented with spaces, and here stands a tab; replace it by spaces"
    if "mapping values are not allowed" in problem:
        return (
            "a colon stands where none can be; put a text that holds a colon and a space in quotes, and check the indentation"
        )
    if "expected ',' or" in problem:
        return "inside of brackets, a text that holds one of , : ? [ ] { } # stands in quotes; or a bracket or comma is missing"
    if "undefined alias" in problem:
        return f"{problem}; a text that begins with * stands in quotes"
    return f"this is no YAML ({problem}); check the indentation, the quotes and the brackets here"


class _Building:
    """Builds the content out of the parser's events, which take no memory for what aliases repeat."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._values = 0
        self._lines: dict[Place, int] = {}
        self._plain: dict[Place, str] = {}
        self._problems: list[tuple[int, str]] = []
        self._anchors: dict[str, int] = {}  # the number of the event that an anchor stands at
        self._open: set[str] = set()
        self._events: list[Any] = []

    def document(self, events: list[Any]) -> Document:
        self._events = events
        starts = [n for n, event in enumerate(events) if type(event).__name__ == "DocumentStartEvent"]
        if not starts:
            return Document(None, {(): 1})
        if len(starts) > 1:
            raise self._error(
                events[starts[1]], "a second document begins; a study is one document, without --- between its parts"
            )
        self._lines[()] = events[starts[0] + 1].start_mark.line + 1
        content, _ = self._value(starts[0] + 1, (), None)
        return Document(content, self._lines, self._plain, tuple(self._problems))

    def _error(self, event: Any, what: str) -> UsageError:
        return UsageError(f"{self._where}, line {event.start_mark.line + 1}: {what}")

    def _value(self, at: int, place: Place, line: int | None) -> tuple[Any, int]:
        """The value that begins at an event, and the number of the event behind it. `line` is that of an alias."""
        event = self._events[at]
        self._values += 1
        most = min(MOST_VALUES, ceiling("values"))
        if self._values > most:
            first = f"{self._where}, line {line or event.start_mark.line + 1}: more than {most:,} values, with aliases counted"
            raise CeilingError(over("values", first) if most < MOST_VALUES else f"{first}; a study has a few hundred")
        if len(place) > DEEPEST:
            raise CeilingError(f"{self._where}, line {event.start_mark.line + 1}: nested deeper than {DEEPEST} levels")
        kind = type(event).__name__
        if kind == "AliasEvent":
            return self._alias(event, place, line), at + 1
        if event.tag is not None and event.tag != "!":
            raise self._error(event, f"the tag {event.tag!r:.60} is not used in a study; write the value without it")
        anchor = event.anchor
        if anchor is not None:
            if line is None:
                self._anchors[anchor] = at
            self._open.add(anchor)
        try:
            if kind == "ScalarEvent":
                return self._scalar(event, place), at + 1
            return self._mapping(at, place, line) if kind == "MappingStartEvent" else self._sequence(at, place, line)
        finally:
            self._open.discard(anchor or "")

    def _alias(self, event: Any, place: Place, line: int | None) -> Any:
        name = event.anchor
        if name not in self._anchors:
            raise self._error(
                event, f"there is no anchor &{name:.60} before the alias *{name:.60}; quote a text that begins with *"
            )
        if name in self._open:
            raise self._error(event, f"the alias *{name:.60} stands inside of what it means")
        return self._value(self._anchors[name], place, line or event.start_mark.line + 1)[0]

    def _scalar(self, event: Any, place: Place) -> object:
        if not event.implicit[0]:  # in quotes, or a block of text
            return event.value
        self._plain[place] = event.value
        return plain_value(event.value)

    def _mapping(self, at: int, place: Place, line: int | None) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        at += 1
        while type(self._events[at]).__name__ != "MappingEndEvent":
            event = self._events[at]
            if type(event).__name__ != "ScalarEvent":
                raise self._error(event, "a key must be a text, not a list, a mapping or an alias")
            key, here = event.value, line or event.start_mark.line + 1
            if key in found:
                first = self._lines[(*place, key)]
                self._problems.append(
                    (here, f"the key {key!r:.80} stands there twice, first in line {first}; give each key once")
                )
            else:
                self._lines[(*place, key)] = here
            found[key], at = self._value(at + 1, (*place, key), line)
        return found, at + 1

    def _sequence(self, at: int, place: Place, line: int | None) -> tuple[list[Any], int]:
        found: list[Any] = []
        at += 1
        while type(self._events[at]).__name__ != "SequenceEndEvent":
            here = (*place, len(found))
            self._lines[here] = line or self._events[at].start_mark.line + 1
            value, at = self._value(at, here, line)
            found.append(value)
        return found, at + 1
