"""The table of all sentences of the paraphrase grammar: a skeleton of words and marks, and what it says.

A skeleton is a sentence in lower case in which one character stands for all that differs from map to map: a part or a list of
parts, a label with what it is contrasted with, and a number. The table is made from the data that composed texts are made from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

from verbalize.phrasing.forms import FORMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from verbalize.claims.claim import Direction
    from verbalize.phrasing.wording import Wording

PARTS, LABEL, NUMBER = "\ue000", "\ue001", "\ue002"
_SLOT_MARKS = "\ue010\ue011\ue012"  # P, Q, R, while a skeleton is made: lists of them become one mark
_MOST_LISTED = 6  # parts in a list with numbers
_PLACES = {2: "second", 3: "third", 4: "fourth", 5: "fifth"}
_LIST = re.compile(rf"[{_SLOT_MARKS}](?:(?:, | and )[{_SLOT_MARKS}])*")
TIMES = {
    "one and a half times": 1.5, "twice": 2.0, "three times": 3.0, "four times": 4.0, "five times": 5.0, "ten times": 10.0
}  # fmt: skip
UNSIGNED = frozenset({"matters", "matters_most", "matters_most_share", "mattering_share", "mattering_together"})
EITHER = frozenset(
    {"near_zero", "least_important", "nothing", "predicted", "confidence", "predicted_confidence", "runner_up", "score"}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a skeleton says.

    Args:
        form: the form of statement.
        direction: the side that it speaks of.
        groups: for each mark of parts the slots that it holds: all parts are in the one slot, or each slot has one part.
        labels: for each mark of a label its slot: "F" for the query, "L" for another label.
        numbers: for each mark of a number its slot.
        value: the number that stands in words: a place, or how many times.
        pronoun: whether it calls the query "it" or "that choice", without its name.
    """

    form: str
    direction: Direction | None
    groups: tuple[tuple[str, ...], ...]
    labels: tuple[str, ...]
    numbers: tuple[str, ...]
    value: float | None = None
    pronoun: bool = False


@cache
def table(pixels: bool) -> Mapping[str, Entry]:
    """Skeleton -> what it says, for texts or for pictures. The first call takes a few tenths of a second."""
    made: dict[str, Entry] = {}
    for form, wordings in FORMS.items():
        for wording in wordings:
            for skeleton, entry in _entries(form, wording, pixels=pixels):
                made.setdefault(skeleton, entry)
    return made


def _entries(form: str, wording: Wording, *, pixels: bool) -> Iterator[tuple[str, Entry]]:
    text = wording.text
    one, ones = ("region", "regions") if pixels else ("word", "words")
    nouns = [(one, ones)] if pixels or "{n" not in text else [(one, ones), ("part of the text", "parts of the text")]
    sided = any(slot in text for slot in ("{for}", "{other}", "{favour}"))
    sides: list[Direction] = ["supports", "opposes"] if sided else ["opposes" if form == "opposes" else "supports"]
    queries = [LABEL, "it", "that choice"] if "{F}" in text else [""]
    listed = range(1 if form == "signs_shares" else 2, _MOST_LISTED + 1) if form in ("shares", "signs_shares") else [0]
    singles = [
        (p, q) for p in ((True, False) if "[" in text else (True,)) for q in ((True, False) if "[Q:" in text else (True,))
    ]
    counts = [(a, b) for a in ((1, 2) if "<" in text else (2,)) for b in ((1, 2) if "<2:" in text else (2,))]
    values: list[tuple[str, float | None]] = [("", None)]
    if "{rank}" in text:
        values = [(word, float(place)) for place, word in _PLACES.items()]
    if "{times}" in text:
        values = list(TIMES.items())
    for (n, nn), side, query, k, single, count, (word, value) in product(
        nouns, sides, queries, listed, singles, counts, values
    ):
        marks = {"P": _SLOT_MARKS[0], "Q": _SLOT_MARKS[1], "R": _SLOT_MARKS[2]}
        slots = {
            **marks, "F": query, "for": "for" if side == "supports" else "against",
            "other": "against" if side == "supports" else "for", "favour": "in favour of" if side == "supports" else "against",
            "one": one, "ones": ones, "n": n, "nn": nn, "whole": "picture" if pixels else "text", "L": LABEL,
            "share": NUMBER, "score": NUMBER, "count": NUMBER, "count2": NUMBER, "rank": word, "times": word,
            **_lists(marks["P"], k),
        }  # fmt: skip
        if k and "[" in text and (k == 1) != single[0]:
            continue
        filled = wording.filled(slots, single=single, counts=count)
        numbers = tuple(_number_slots(text, k))
        lists = [[mark for mark in match[0] if mark in _SLOT_MARKS] for match in _LIST.finditer(filled)]
        groups = tuple(tuple("PQR"[_SLOT_MARKS.index(mark)] for mark in listed_marks) for listed_marks in lists)
        labels = tuple("L" if "{L}" in text else "F" for mark in filled if mark == LABEL)
        skeleton = _LIST.sub(PARTS, filled).replace(f"the label {LABEL}", LABEL)  # a label is one mark, with its noun
        direction = side if sided or form in ("supports", "opposes") else None
        yield skeleton, Entry(form, direction, groups, labels, numbers, value, pronoun=query not in ("", LABEL))


def _lists(mark: str, k: int) -> dict[str, str]:
    """The slots that are lists of k parts with numbers, as `verbalize.compose.fill` writes them."""
    if not k:
        return {}

    def joined(pieces: list[str]) -> str:
        return pieces[0] if len(pieces) == 1 else ", ".join(pieces[:-1]) + f" and {pieces[-1]}"

    rest = [f"{mark} {NUMBER}"] * (k - 1)
    return {
        "rest": f" and {rest[0]}" if len(rest) == 1 else f", {joined(rest)}" if rest else "",
        "shares": joined([NUMBER] * k),
        "P": mark,
        "P_shares": joined([f"{mark} ({NUMBER} of all the evidence)", *([f"{mark} ({NUMBER})"] * (k - 1))]),
        **{
            slot: joined([f"{NUMBER} {verb} {where} {mark}", *([f"{NUMBER} {where} {mark}"] * (k - 1))])
            for slot, verb, where in (("lies_in", "lies", "in"), ("is_in", "is", "in"), ("comes_from", "comes", "from"))
        },
    }


def _number_slots(text: str, k: int) -> Iterator[str]:
    """The slots of the numbers of a wording, in their order."""
    for slot in re.findall(r"\{(\w+)\}", text):
        if slot in ("share", "score", "count", "count2"):
            yield slot
        elif slot == "rest":
            yield from ["share"] * (k - 1)
        elif slot in ("shares", "P_shares", "lies_in", "is_in", "comes_from"):
            yield from ["share"] * k
