"""The lists of words by which captions are judged, from words.json."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

from agents.prompting.descriptions.reading.spelling import UNSPACED


@cache
def words(name: str) -> frozenset[str]:
    """A list of words: one of the keys of words.json, such as "frame" or "praise"."""
    return frozenset(" ".join(_lists()[name]).split())


@cache
def signs(*names: str) -> tuple[str, ...]:
    """Of lists of words, those in scripts without spaces, which stand within what follows them; the longest first."""
    found = {word for name in names for word in words(name) if re.fullmatch(f"[{UNSPACED}]+", word)}
    return tuple(sorted(found, key=lambda word: (-len(word), word)))


def said(text: str, *names: str) -> list[str]:
    """The words of a text, folded, without those of lists, also where these stand within a text without spaces."""
    empty = _together(names)
    within = signs(*names)
    if within and not text.isascii():
        text = re.sub("|".join(map(re.escape, within)), " ", text)
    return [word for word in re.findall(r"\w+", text) if word not in empty]


@cache
def _together(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset().union(*(words(name) for name in names))


@cache
def _lists() -> dict[str, list[str]]:
    text = files("agents.prompting.descriptions.reading").joinpath("words.json").read_text(encoding="utf-8")
    found: dict[str, list[str]] = json.loads(text)
    return found
