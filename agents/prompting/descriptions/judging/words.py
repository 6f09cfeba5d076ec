"""The lists of words by which captions are judged, from words.json."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files


def words(name: str) -> frozenset[str]:
    """A list of words: "frame", "empty", "schema", "vague", "dimensions", "unseen", "unseen_alone" or "neutral"."""
    return frozenset(" ".join(_lists()[name]).split())


@cache
def _lists() -> dict[str, list[str]]:
    text = files("agents.prompting.descriptions.judging").joinpath("words.json").read_text(encoding="utf-8")
    found: dict[str, list[str]] = json.loads(text)
    return found
