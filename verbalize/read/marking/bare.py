"""Marks parts that a text names without quotes: "the word great", regions of a picture, words that it calls important."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from verbalize.read.marking import lexicon as words
from verbalize.read.marking.marks import L, Marked, N, P, PartMark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.read.marking.input_parts import InputParts

# Words that sentences about maps use. In such a sentence they refer to the map and do not name a word of the input.
_WORDS_ABOUT_MAPS = frozenset(
    [
        "word",
        "words",
        "phrase",
        "phrases",
        "term",
        "terms",
        "token",
        "tokens",
        "text",
        "sentence",
        "review",
        "article",
        "part",
        "parts",
        "region",
        "image",
        "picture",
        "topic",
        "sentiment",
        "model",
        "classifier",
        "prediction",
        "predicted",
        "predict",
        "label",
        "importance",
        "important",
        "score",
        "scores",
        "significant",
        "salient",
        "evidence",
        "supports",
        "support",
        "opposes",
        "speaks",
        "contributes",
        "contribute",
        "overall",
        "highest",
        "strongest",
        "high",
        "higher",
        "low",
        "lower",
        "s",
        "t",
    ]
)
# Stop words of spaCy that can also be content words, so a text may call them important.
_CONTENT_WORDS = frozenset(["bottom", "call", "empty", "enough", "fifteen", "full", "name", "serious", "show", "top", "well"])
_EXPLICIT = re.compile(
    r"(?<!\w)(?:the|a) (?:(?:(?:first|second|third|single|actual|adjective|verb|noun) )?(?:word|term|token|phrase|adjective|verb|noun|expression|keyword)s?|(?:words|phrases|terms|tokens) (?:such as|like|including))"
    r" (?=[^\W_])(?P<name>[^\s,.;:()]+(?:(?:, and |, | and )[^\s,.;:()]+)*)"
)
_NOT_NAMES = frozenset(
    [
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "that",
        "which",
        "who",
        "in",
        "with",
        "of",
        "for",
        "from",
        "and",
        "or",
        "has",
        "have",
        "had",
        "such",
        "most",
        "more",
        "less",
        "speaks",
        "speak",
        "supports",
        "opposes",
        "at",
        "to",
        "it",
        "its",
        "does",
        "do",
        "did",
        "as",
        "on",
        "by",
        "whose",
        "not",
        "contribute",
        "contributes",
        "like",
        "including",
        "choice",
        "importance",
        "scores",
        "count",
        "level",
        "itself",
        "also",
        "you",
        "we",
    ]
)
_CUE = re.compile(
    rf"{words.TOP.pattern}|\b{words.IMPORTANT}\b|{words.SCORE} (?:of|:) {N}|speaks? (?:\w+ )?(?:for|against)|(?:support|oppos|contribut|outweigh|undermin)\w*|{words.OPPOSE.pattern}"
)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]")
_PLACES = (
    r"(?:upper left|upper right|lower left|lower right|top left|top right|bottom left|bottom right|(?:upper|lower|left|right|top|bottom) half|top|bottom|left|right|centre|center|middle|"
    r"whole picture|upper left corner|upper right corner|lower left corner|lower right corner)"
)
_REGION = re.compile(
    rf"(?<!\w)(?:the )?(?:(?:larger|smaller|largest|smallest|middle-sized|first|second|third) )?(?:(?P<colour>[a-z]+(?: [a-z]+)?) )?(?:region|area|patch|part|corner|blob|spot) (?:(?:at|in|on|of|towards?|near) )?the (?P<place>{_PLACES})(?: (?:corner|half|side|edge))?(?: of the (?:image|picture))?"
    rf"|(?<!\w)the (?P<place2>{_PLACES}) (?:region|area|corner|part|patch)(?: of the (?:image|picture))?|(?:the )?region number (?P<number>\d{{1,6}})"
)
_SAME_PLACE = {
    "top left": "upper left",
    "top right": "upper right",
    "bottom left": "lower left",
    "bottom right": "lower right",
    "center": "centre",
    "middle": "centre",
}


@cache
def stop_words() -> frozenset[str]:
    """Words that can't begin or end a mention without quotation marks: English stop words (spaCy's list) and words about maps."""
    from spacy.lang.en.stop_words import STOP_WORDS  # spaCy takes a second to load; texts that quote all words never need it

    return frozenset(STOP_WORDS) - _CONTENT_WORDS | _WORDS_ABOUT_MAPS


def mark_regions(marked: Marked, names: Sequence[str]) -> None:
    """Replace the names of regions by marks of parts. A region that the map does not have gets a mark without places."""
    lowered = {name.lower(): (index,) for index, name in enumerate(names)}
    listed = "|".join(sorted(map(re.escape, lowered), key=len, reverse=True))
    if listed:
        exact = re.compile(rf"(?<!\w)(?:the )?(?:(?:region|mask|object|area) )?(?P<name>{listed})(?!\w)")
        marked.text = exact.sub(lambda m: marked.part(PartMark(m["name"], (lowered[m["name"]],))), marked.text)

    def place(match: re.Match[str]) -> str:
        if match["number"]:
            index = int(match["number"]) - 1
            return marked.part(PartMark(match.group(), ((index,),)))
        where = match["place"] or match["place2"]
        where = _SAME_PLACE.get(where.removesuffix(" corner"), where.removesuffix(" corner"))
        colour = (match["colour"] or "").removeprefix("the ").strip()
        at = re.compile(rf"(?:at|in) the {where}$")
        fits = [
            index
            for name, (index,) in lowered.items()
            if at.search(name) and (not colour or re.search(rf"(?<!\w){re.escape(colour)} region", name))
        ]
        return marked.part(PartMark(match.group(), tuple((index,) for index in fits)))

    marked.text = _REGION.sub(place, marked.text)


def mark_bare(marked: Marked, parts: InputParts) -> None:
    """Mark X in "the word X". In a sentence about importance that quotes no part, mark words of the input, too."""

    def explicit(match: re.Match[str]) -> str:
        names = re.split(r", and |, | and ", match["name"])
        lead = match.group()[: match.start("name") - match.start()]
        kept: list[str] = []
        out = lead
        rest = match["name"]
        for name in names:
            if name in _NOT_NAMES or not name[0].isalnum() or (kept and not parts.find(name)):
                break
            kept.append(name)
        if not kept:
            return match.group()
        position = 0
        for name in kept:
            found = rest.index(name, position)
            out += rest[position:found] + marked.part(PartMark(name, parts.find(name)))
            position = found + len(name)
        return out + rest[position:]

    marked.text = _EXPLICIT.sub(explicit, marked.text)
    marked.text = re.sub(
        r"\bthan (?:the )?(?P<rest>[^\W\d_][^.,;:]{0,80})", lambda m: _after_than(m, marked, parts), marked.text
    )
    if (
        not re.search(P, marked.text)
        and len(marked.text) < 2_000
        and _CUE.search(marked.text)
        and not words.NOTHING.search(marked.text)
    ):
        _best_mention(marked, parts)


def _after_than(match: re.Match[str], marked: Marked, parts: InputParts) -> str:
    tokens = list(_WORD.finditer(match["rest"]))
    if not tokens or tokens[0].group() in stop_words() or not re.search(P, marked.text):
        return match.group()
    length, places = parts.longest_run([token.group() for token in tokens], 0)
    if not length:
        return match.group()
    end = tokens[length - 1].end()
    return f"than {marked.part(PartMark(match['rest'][:end], places))}{match['rest'][end:]}"


def _best_mention(marked: Marked, parts: InputParts) -> None:
    """Mark, in each clause about importance, the longest run of words that occurs in the input."""
    edits: list[tuple[int, int, PartMark]] = []
    offset = 0
    for clause in re.split(r"(?<=[,;:]) ", marked.text):
        if _CUE.search(clause) and not re.search(r"\bthese (?:words|factors|terms)|\bthey\b", clause):
            best = _longest(clause, parts)
            if best:
                start, stop, places = best
                edits.append((offset + start, offset + stop, PartMark(clause[start:stop], places)))
        offset += len(clause) + 1
    for start, stop, mark in reversed(edits):
        marked.text = marked.text[:start] + marked.part(mark) + marked.text[stop:]


def _longest(clause: str, parts: InputParts) -> tuple[int, int, tuple[tuple[int, ...], ...]] | None:
    tokens = list(_WORD.finditer(clause))
    texts = [token.group() for token in tokens]
    best: tuple[int, int, int, tuple[tuple[int, ...], ...]] | None = None
    index = 0
    while index < len(texts):
        if texts[index] in stop_words() or not texts[index][0].isalnum() or re.match(f"{P}|{L}|{N}", texts[index]):
            index += 1
            continue
        length, places = parts.longest_run(texts, index)
        while length and (texts[index + length - 1] in stop_words() or not texts[index + length - 1][0].isalnum()):
            length -= 1
            places = parts.find(clause[tokens[index].start() : tokens[index + length - 1].end()]) if length else ()
        if length and (best is None or length > best[0]):
            best = (length, tokens[index].start(), tokens[index + length - 1].end(), places)
        index += max(1, length)
    return best[1:] if best else None
