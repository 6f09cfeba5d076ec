"""A format: a JSON document `{"tally": [["word", score], ...], "of": "label"}`."""

from __future__ import annotations

from verbalize import TokenSaliency
from verbalize.formats import Format


def matches(document):
    """Whether a parsed JSON document is of this format."""
    return isinstance(document, dict) and "tally" in document


def read(document, options):
    """The map of a document."""
    words, scores = zip(*document["tally"], strict=True)
    yield TokenSaliency(words, scores, options.query(document.get("of")))


TALLY = Format("tally", "the tally tool's JSON", matches, read)
