"""Finds the regions of a picture that a text names: by name, or by colour and place ("the red region at the lower left")."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from verbalize.read.marking.tokens import PartMark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PLACES = (
    r"(?:(?:upper|lower|top|bottom)[ -](?:left|right)(?: corner)?|(?:upper|lower|left|right|top|bottom)[ -]half|top|bottom|left|right|cent(?:re|er)|middle|whole picture|upper[ -](?:middle|cent(?:re|er))|lower[ -](?:middle|cent(?:re|er))|"
    r"(?:upper|lower|top|bottom)[ -]edge|(?:left|right)[ -](?:edge|side))"
)
_REGION = re.compile(
    rf"(?<!\w)(?:the )?(?:(?:larger|smaller|largest|smallest|middle-sized|first|second|third) )?(?:(?P<colour>[a-z]+(?: [a-z]+)?) )?(?:region|area|patch|part|corner|blob|spot) (?:(?:at|in|on|of|towards?|near) )?the (?P<place>{_PLACES})(?: (?:corner|half|side|edge))?(?: of the (?:image|picture))?(?!\w)"
    rf"|(?<!\w)the (?P<place2>{_PLACES}) (?:region|area|corner|part|patch)(?: of the (?:image|picture))?(?!\w)",
    re.IGNORECASE,
)
_SAME = {
    "top left": "upper left",
    "top right": "upper right",
    "bottom left": "lower left",
    "bottom right": "lower right",
    "center": "centre",
    "middle": "centre",
}
_NOT_COLOURS = frozenset({"the", "a", "this", "important", "most important", "is the", "and the", "than the", "speaks"})


_COLOUR_ALONE = re.compile(r"(?<!\w)the (?P<colour>[a-z]+(?: [a-z]+)?) region(?!\w)", re.IGNORECASE)
_COLOURED = re.compile(r"(?P<colour>[a-z]+(?: [a-z]+)?) region\b")


def region_marks(text: str, names: Sequence[str]) -> Iterator[tuple[int, int, PartMark]]:
    """The regions that a text names, with their positions. A region that the map does not have has no places."""
    lowered: dict[str, tuple[int, ...]] = {}
    for index, name in enumerate(names):
        lowered.setdefault(name.lower(), (index,))
    listed = "|".join(sorted(map(re.escape, lowered), key=len, reverse=True))
    covered: list[tuple[int, int]] = []
    if listed:
        exact = re.compile(rf"(?<!\w)(?:the )?(?:(?:region|mask|object|area) )?(?P<name>{listed})(?!\w)", re.IGNORECASE)
        for match in exact.finditer(text):
            covered.append(match.span())
            yield match.start(), match.end(), PartMark(match["name"], (lowered[match["name"].lower()],))
    for placed in _by_place(text, lowered):
        if not any(start < placed[1] and placed[0] < stop for start, stop in covered):
            covered.append(placed[:2])
            yield placed
    for found in _COLOUR_ALONE.finditer(text):
        place = _only_one(found["colour"].lower(), lowered)
        if place is not None and not any(start < found.end() and found.start() < stop for start, stop in covered):
            yield found.start(), found.end(), PartMark(found.group(), (place,))


def _only_one(colour: str, lowered: Mapping[str, tuple[int, ...]]) -> tuple[int, ...] | None:
    """The one region of a colour; `None` if there is none, or another one whose colour has the same word, such as "dark red"."""
    colours = [(found["colour"].split(), place) for name, place in lowered.items() if (found := _COLOURED.match(name))]
    akin = [place for words, place in colours if words[-1] == colour.split()[-1]]
    return akin[0] if len(akin) == 1 and any(" ".join(words) == colour for words, _ in colours) else None


def _by_place(text: str, lowered: Mapping[str, tuple[int, ...]]) -> Iterator[tuple[int, int, PartMark]]:
    """The regions that a text names by their place, with their colour or without it."""
    for match in _REGION.finditer(text):
        where = (match["place"] or match["place2"]).lower().replace("-", " ")
        where = _SAME.get(where.removesuffix(" corner"), where.removesuffix(" corner"))
        colour = (match["colour"] or "").lower().removeprefix("the ").strip()
        if colour in _NOT_COLOURS:
            colour = ""
        at = re.compile(rf"(?:at|in|on) the {where}\b|\b{where}$")
        fits = [
            place
            for name, place in lowered.items()
            if at.search(name.replace("-", " ")) and (not colour or re.search(rf"(?<!\w){re.escape(colour)} region", name))
        ]
        yield match.start(), match.end(), PartMark(match.group(), tuple(fits))
