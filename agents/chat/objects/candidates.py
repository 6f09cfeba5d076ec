"""The JSON values in what a model wrote, by where they stand: the whole text, a fenced block, or somewhere in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from agents.chat.objects.lenient import value_at

WHOLE, FENCED, WITHIN = range(3)
"""Where a value stands, the likeliest to be the reply first."""

_FENCE = re.compile(r"```[\w-]*[ \t]*\n(.*?)```", re.DOTALL)
_STARTS = re.compile(r"[{\[]")
_LIKE_JSON = re.compile(r"\{\s*[\"']|\[\s*[\[{\"']")
_LIKE_LENIENT = re.compile(r"\{\s*[\"'\w}/#]|\[\s*[\"'\w\]\[{/#.+-]")
_MARKS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[][{}]', re.DOTALL)  # a string is passed over whole
_MOST_STARTS = 200
_MOST_LACKING = 10  # brackets; no reply has more within each other
_MOST_LENIENT = 200_000  # characters that are read as what is no JSON, which is slow, for one text


@dataclass(frozen=True)
class Candidate:
    """A value, where it stands (`WHOLE`, `FENCED` or `WITHIN`), how long it is, and whether the text ends with it.

    `unclosed` holds the closing brackets that it lacks; a value that ends with a number ends with "0" there, because more
    digits may have been to come.
    """

    value: Any
    place: int
    length: int
    last: bool
    unclosed: str = ""


def candidates(text: str, *, unclosed: bool = False) -> list[Candidate]:
    """The values in a text, the likeliest first. Parts of a value that breaks off or is malformed are none.

    Args:
        text: what a model wrote.
        unclosed: whether a value counts that lacks nothing but the closing brackets at the end of the text.
    """
    whole = text.strip()
    budget = [_MOST_LENIENT]
    found: list[Candidate] = []
    parts = [(whole, WHOLE), *((block.strip(), FENCED) for block in _FENCE.findall(text))]
    for part, place in parts:
        value = _read(part, 0, budget) if part else None
        if value is not None and not part[value[1] :].strip():
            found.append(Candidate(value[0], place, len(part), last=place == WHOLE))
    end = len(whole.removesuffix("```").rstrip())
    at = 0
    for _ in range(_MOST_STARTS):
        start = _STARTS.search(whole, at)
        if start is None:
            break
        value = _read(whole, start.start(), budget)
        if value is not None:
            at = value[1]
            found.append(Candidate(value[0], WITHIN, at - start.start(), last=at == end))
        elif _LIKE_JSON.match(whole, start.start()) is None:
            at = start.end()
        else:
            closed = _end_of(whole, start.start())
            if closed is None:
                if unclosed and (ended := _closed(whole[start.start() : end])) is not None:
                    found.append(ended)
                break
            at = closed
    return found


def _read(text: str, start: int, budget: list[int]) -> tuple[Any, int] | None:
    found = value_at(text, start)
    if found is not None or budget[0] <= 0 or _LIKE_LENIENT.match(text, start) is None:
        return found
    end = _end_of(text, start)
    # single quotes may hide brackets from `_end_of`, so it tells the cost and not the end
    cost = len(text) - start if end is None else end - start
    budget[0] -= cost
    return None if budget[0] < 0 else value_at(text, start, lenient=True)


def _closed(part: str) -> Candidate | None:
    """A value that breaks off behind a whole value within it, closed; None where it breaks off anywhere else."""
    lacking: list[str] = []
    for mark in _MARKS.finditer(part):
        if mark[0] in "[{":
            lacking.append("]" if mark[0] == "[" else "}")
        elif mark[0] in "]}" and (not lacking or lacking.pop() != mark[0]):
            return None
    # behind a comma, something was to follow
    if not lacking or len(lacking) > _MOST_LACKING or len(part) > _MOST_LENIENT or part.endswith(","):
        return None
    closing = "".join(reversed(lacking))
    found = value_at(part + closing, 0) or value_at(part + closing, 0, lenient=True)
    if found is None or found[1] != len(part) + len(closing):
        return None
    return Candidate(found[0], WITHIN, len(part), last=False, unclosed=closing + "0" * part[-1].isdigit())


def _end_of(text: str, start: int) -> int | None:
    """Where the bracket at `start` is closed; None where it is not."""
    depth = 0
    for found in _MARKS.finditer(text, start):
        if found[0] in "[{":
            depth += 1
        elif found[0] in "]}":
            depth -= 1
            if depth == 0:
                return found.end()
    return None
