"""From a sentence to its skeleton: mentions of parts, labels and numbers become marks, and are remembered in their order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from verbalize.read.fixed.table import LABEL, NUMBER, PARTS
from verbalize.read.marking.tokens import PartMark
from verbalize.read.resolver import Mention

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from verbalize.read.marking.quotations import Quotation
    from verbalize.saliency import Part

_PART_QUOTE, _LABEL_QUOTE, _PLAIN = "\ue020", "\ue021", "\ue022"
_OURS = re.compile("[\ue000-\ue0ff]")  # a text that holds such characters itself is none of ours
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_ORDINAL = rf"(?P<ordinal>{'|'.join(_ORDINALS)}|\d{{1,4}}(?:st|nd|rd|th))"
_MENTION = (
    rf"(?:the (?:{_ORDINAL} )?(?:word |phrase |region )?)?{_PART_QUOTE}(?P<inside> in {_PART_QUOTE})?"
    r"|the (?:word|phrase) at positions? (?P<first>\d{1,6})(?: to (?P<last>\d{1,6}))?|region number (?P<region>\d{1,6})"
    rf"|(?P<again>that (?:word|phrase|region)\b)|(?P<named>{_PLAIN})"
)
_PARTS = re.compile(rf"(?:{_MENTION})")
_JOINED = re.compile(rf"{PARTS}(?:(?:, | and ){PARTS})*")
_NAME = rf"(?:the label )?{_LABEL_QUOTE}"
_LABELS = re.compile(
    rf"(?:the group {_LABEL_QUOTE}(?: \((?:\d+ classes|[^()]*)\))?|{_NAME})"
    rf"(?P<versus> rather than {_NAME}(?:(?:, | or ){_NAME})*)?"
    r"|(?P<masked>\bthe label(?: rather than the other labels?)?\b)"
)
_NUMBERS = re.compile(
    r"(?:(?P<bound>under|over) )?(?P<digits>-?\d+(?:\.\d+)?)(?P<percent>%)?"
    rf"|\b(?P<word>{'|'.join(_COUNTS)})\b(?! and a half)"
)
_LABEL_NEXT = re.compile(
    r"(?:\b(?:predicted|likely|probable) label is|\b(?:labels|classifies) the (?:text|picture) as|\bis classified as) $"
)
_SPACE = re.compile(r" (?=[,;:.)])|(?<=\() ")  # what marks of direction leave
_HALF = re.compile(r"\b(?:one and a half|three|four|five|ten) times\b")
_SHIELD = {"one": "\ue030", "three": "\ue031", "four": "\ue032", "five": "\ue033", "ten": "\ue034"}


@dataclass
class Scan:
    """A sentence as a skeleton, with what its marks stand for.

    Args:
        skeleton: the sentence in lower case, with marks.
        groups: the parts of each mark of parts.
        labels: for each mark of a label its name (`None` if masked) and the labels that it is contrasted with.
        numbers: for each mark of a number its value and tolerance.
    """

    skeleton: str = ""
    groups: list[list[Mention]] = field(default_factory=list)
    labels: list[tuple[str | None, tuple[str, ...] | None]] = field(default_factory=list)
    numbers: list[tuple[float, float]] = field(default_factory=list)


def scanned(
    sentence: str,
    quotations: Sequence[Quotation],
    known: Mapping[str, str],
    places: Callable[[str, str], tuple[Part, ...]],
    regions: Sequence[str],
    subject: Sequence[Mention],
) -> Scan | None:
    """The skeleton of a sentence; `None` if a quotation may be a part or a label, and the words do not tell which.

    Args:
        sentence: the sentence, without its full stop.
        quotations: its quotations, with positions in it.
        known: the names of labels, by their form in lower case.
        places: the places of a quoted text in the input.
        regions: the names of the regions of a picture.
        subject: the parts that the sentence before was about.
    """
    if _OURS.search(sentence):
        return None
    pieces: list[str] = []
    parts: list[PartMark] = []
    labels: list[str] = []
    position = 0
    for quotation in quotations:
        before = sentence[position : quotation.start]
        pieces.append(before.lower())
        inner = " ".join(quotation.inner.split())
        name = known.get(inner.casefold())
        found = places(inner, sentence[quotation.stop : quotation.stop + 40])
        lead = before.lower().rsplit(" ", 3)
        called = lead[-2] if len(lead) > 1 and not lead[-1] else ""
        among = pieces[-2:-1] == [_LABEL_QUOTE] and before in (", ", " or ")  # "rather than 'a', 'b' or 'c'"
        surely = called in ("label", "group", "than") or _LABEL_NEXT.search(before.lower())
        if name is not None and (not found or among or surely):
            labels.append(name)
            pieces.append(_LABEL_QUOTE)
        elif found and (name is None or called in ("word", "phrase")):
            parts.append(PartMark(inner, found))
            pieces.append(_PART_QUOTE)
        else:
            return None
        position = quotation.stop
    pieces.append(sentence[position:].lower())
    text = _SPACE.sub("", " ".join("".join(pieces).split()))
    named: list[int] = []
    if regions:
        text = _regions(tuple(regions)).sub(lambda match: named.append(regions.index(match[1])) or _PLAIN, text)  # type: ignore[func-returns-value]
    scan = Scan()
    text = _HALF.sub(lambda match: re.sub(r"^\w+", lambda word: _SHIELD[word[0]], match[0]), text)
    mentions: list[Mention] = []
    left = iter(parts)
    places_of_regions = iter(named)

    def mention(match: re.Match[str]) -> str:
        if match["again"]:
            if len(subject) != 1:
                raise LookupError
            mentions.append(subject[0])
        elif match["named"]:
            index = next(places_of_regions)
            mentions.append(Mention(PartMark(regions[index], ((index,),))))
        elif match["first"] or match["region"]:
            first = int(match["first"] or match["region"])
            last = int(match["last"] or first)
            if not 0 < first <= last:
                raise LookupError
            mentions.append(Mention(PartMark(match[0], (tuple(range(first - 1, last)),))))
        else:
            mark = next(left)
            kept = mark.places
            if match["inside"]:
                around = [set(place) for place in next(left).places]
                kept = tuple(place for place in kept if any(set(place) < whole for whole in around))
            if match["ordinal"]:
                index = (
                    _ORDINALS.index(match["ordinal"])
                    if match["ordinal"] in _ORDINALS
                    else int(re.sub(r"\D", "", match["ordinal"])) - 1
                )
                kept = kept[index : index + 1]
            if len(kept) != 1:
                raise LookupError  # the rules give an ambiguous name the benefit of the doubt
            mentions.append(Mention(PartMark(mark.quote, kept)))
        return PARTS

    names = iter(labels)

    def label(match: re.Match[str]) -> str:
        if match["masked"]:
            scan.labels.append((None, None))
        else:
            first = next(names)
            versus = tuple(next(names) for _ in range((match["versus"] or "").count(_LABEL_QUOTE)))
            scan.labels.append((first, versus or None))
        return LABEL

    def number(match: re.Match[str]) -> str:
        scan.numbers.append(_value(match))
        return NUMBER

    try:
        text = _PARTS.sub(mention, text)
        text = _LABELS.sub(label, text)
    except LookupError:
        return None
    if next(left, None) is not None or next(names, None) is not None:
        return None
    text = _NUMBERS.sub(number, text)
    for word, shield in _SHIELD.items():
        text = text.replace(shield, word)
    found_groups = iter(mentions)
    sizes: list[int] = []

    def group(match: re.Match[str]) -> str:
        sizes.append(match[0].count(PARTS))
        return PARTS

    text = _JOINED.sub(group, text)
    scan.groups = [[next(found_groups) for _ in range(size)] for size in sizes]
    scan.skeleton = text.rstrip(". ")
    return scan


@cache
def _regions(names: tuple[str, ...]) -> re.Pattern[str]:
    ordered = sorted(names, key=len, reverse=True)
    return re.compile("the (" + "|".join(map(re.escape, ordered)) + r")(?!\w)")


def _value(match: re.Match[str]) -> tuple[float, float]:
    if match["word"]:
        return float(_COUNTS.index(match["word"]) + 1), 0.0
    value = float(match["digits"])
    decimals = len(match["digits"].partition(".")[2])
    tolerance = 0.5 * 10.0**-decimals
    if not match["percent"]:
        return value, tolerance
    value, tolerance = value / 100, tolerance / 100
    if match["bound"] == "under":
        return value / 2, value / 2
    if match["bound"] == "over":
        return (1 + value) / 2, (1 - value) / 2
    return value, tolerance
