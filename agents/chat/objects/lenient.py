"""JSON as models write it: with trailing commas, comments, single quotes or Python's words; nothing missing is made up."""

from __future__ import annotations

import json
import re
from typing import Any

DEEPEST = 100
"""Lists and objects within each other; no reply has more than ten."""

_SPACE = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/|#[^\n]*)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"' + r"|'(?:[^'\\]|\\.)*'", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?(?![\w.])")
_WORD = re.compile(r"(?:true|false|null|True|False|None)\b")
_KEY = re.compile(r"[A-Za-z_]\w*")
_WORDS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}
_INNER = re.compile(r"\\(.)|\"", re.DOTALL)
_HALF = re.compile(r"\\(?:ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|(?P<half>ud[89a-f][0-9a-f]{2})|(?P<nul>u0000)|.)", re.DOTALL)


class _NoValueError(ValueError):
    """There is no value at this place."""


def _pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in found:
        if key in made and made[key] != value:
            raise _NoValueError
        made[key] = value
    return made


_STRICT = json.JSONDecoder(strict=False, object_pairs_hook=_pairs)  # line breaks inside strings are accepted


def value_at(text: str, start: int, *, lenient: bool = False) -> tuple[Any, int] | None:
    """The JSON value that begins at `start`, and where it ends; None where there is none.

    A key that stands twice in an object with different values makes it none, because nobody knows which is meant.

    Args:
        text: what a model wrote.
        start: where the value begins.
        lenient: whether to accept what is no JSON, but can be meant in one way only.
    """
    try:
        if lenient:
            return _value(text, start, 0)
        return _STRICT.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None


def whole_characters(value: Any) -> str:
    """A value as JSON in ASCII, halves of characters replaced and NUL characters left out, which no file could hold."""
    written = json.dumps(value)
    if "\\u" not in written:
        return written
    return _HALF.sub(lambda found: {None: found[0], "half": "\\ufffd", "nul": ""}[found.lastgroup], written)


def _value(text: str, at: int, depth: int) -> tuple[Any, int]:
    if depth > DEEPEST:
        raise _NoValueError
    at = _after_space(text, at)
    mark = text[at : at + 1]
    if mark == "{":
        return _object(text, at + 1, depth)
    if mark == "[":
        return _list(text, at + 1, depth)
    if mark in {'"', "'"} and mark:
        return _string(text, at)
    if (found := _WORD.match(text, at)) is not None:
        return _WORDS[found[0]], found.end()
    if (found := _NUMBER.match(text, at)) is not None:
        digits = found[0].removeprefix("+")
        return (int(digits) if re.fullmatch(r"-?\d{1,300}", digits) else float(digits)), found.end()
    raise _NoValueError


def _object(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    made: dict[str, Any] = {}
    while True:
        at = _after_space(text, at)
        if text[at : at + 1] == "}":
            return made, at + 1
        if text[at : at + 1] in {'"', "'"} and at < len(text):
            key, at = _string(text, at)
        elif (found := _KEY.match(text, at)) is not None:
            key, at = found[0], found.end()
        else:
            raise _NoValueError
        at = _after_space(text, at)
        if text[at : at + 1] != ":":
            raise _NoValueError
        value, at = _value(text, at + 1, depth + 1)
        if key in made and made[key] != value:
            raise _NoValueError
        made[key] = value
        at = _after_comma(text, at, "}")


def _list(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    made: list[Any] = []
    while True:
        at = _after_space(text, at)
        if text[at : at + 1] == "]":
            return made, at + 1
        value, at = _value(text, at, depth + 1)
        made.append(value)
        at = _after_comma(text, at, "]")


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


def _after_comma(text: str, at: int, closing: str) -> int:
    """Behind the comma that follows an item; at the closing bracket where there is none."""
    at = _after_space(text, at)
    if text[at : at + 1] == ",":
        return at + 1
    if text[at : at + 1] == closing:
        return at
    raise _NoValueError


def _string(text: str, at: int) -> tuple[str, int]:
    found = _STRING.match(text, at)
    if found is None:
        raise _NoValueError
    # an escaped single quote is no escape of JSON, and a double quote between single quotes needs one
    inner = _INNER.sub(lambda one: '\\"' if one[0] == '"' else "'" if one[0] == "\\'" else one[0], found[0][1:-1])
    return str(_STRICT.decode(f'"{inner}"')), found.end()
