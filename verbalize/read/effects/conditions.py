"""Patterns for what is changed of the input: a part is hidden, a part alone is kept, or other words take its place."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

import re
from functools import cache
from typing import Literal, TypeAlias

from verbalize.read.effects.words import (
    BE,
    FROM_WHOLE,
    GONE,
    HIDDEN,
    HIDE_IT,
    HIDES_IT,
    HIDING_IT,
    MODEL,
    PARTS,
    REPLACEMENT,
    WHOLE,
)

Change: TypeAlias = Literal["hidden", "alone", "replaced"]

_WHEN = "(?:if|when|once|as soon as|after|whenever|where)"
_ONE = "(?:you|we|one|i)"
_NOT_THERE = (
    f"(?:(?:did|does|do|had|has) not (?:appear|appeared|occur|occurred|exist|existed|been there|been present)(?: in {WHOLE})?)"
)
_LEFT = "(?:left|kept|remaining|retained|shown|present|visible)"
_ALL_BUT = "(?:everything|all words|all other words|all tokens|all|the whole text) (?:but|except|except for|apart from)"
_WAS = f"(?:{BE}|gets|get|were to be|should be)"
_SWAPPED = "(?:(?:replaced|substituted) (?:by|with)|(?:swapped|exchanged) (?:for|with)|(?:changed|turned) (?:to|into))"
_SWAP = (
    f"(?:(?:replace|replaces|replaced|replacing) {PARTS} (?:by|with) {REPLACEMENT}"
    f"|(?:swap|swaps|swapped|swapping|exchange|exchanges|exchanging) {PARTS} (?:for|with) {REPLACEMENT}"
    f"|(?:change|changes|changed|changing|turn|turns|turning) {PARTS} (?:to|into) {REPLACEMENT}"
    f"|(?:substitute|substitutes|substituted|substituting) {PARTS} (?:by|with) {REPLACEMENT}"
    f"|(?:substitute|substitutes|substituted|substituting) {REPLACEMENT} for {PARTS}"
    f"|(?:write|writes|wrote|writing|use|uses|using|put|puts|putting|insert|inserting) {REPLACEMENT} (?:instead of|in place of|in the place of) {PARTS})"
)
_INSTEAD = "(?:instead of|in place of|in the place of|rather than)"
_WROTE = "(?:said|read|written|used|contained|had|had said|had read|had used|had contained)"
_WRITER = f"(?:it|{WHOLE}|the (?:author|writer|reviewer))"

# An adverbial: it stands before a clause or behind it.
_ADVERBIALS: dict[Change, tuple[str, ...]] = {
    "hidden": (
        f"without {PARTS}{FROM_WHOLE}",
        f"(?P<both>with or without|with and without) {PARTS}{FROM_WHOLE}",
        f"(?:in the absence of|absent|minus|but for|(?:after|upon|on) (?:the )?(?:removal|deletion|masking|omission) of) {PARTS}{FROM_WHOLE}",
        f"(?:if it (?:were|was|had) not(?: been)? for|if not for|were it not for|had it not been for) {PARTS}{FROM_WHOLE}",
        f"{_WHEN} {PARTS} {_WAS} {HIDDEN}{FROM_WHOLE}",
        f"{_WHEN} {PARTS} {_WAS} {GONE}",
        f"{_WHEN} {PARTS} {_NOT_THERE}",
        f"{_WHEN} {_ONE} (?:{HIDE_IT}|{HIDES_IT}){FROM_WHOLE}",
        f"{_WHEN} one hides {PARTS} from {MODEL}",
        f"(?:if|when) {WHOLE} (?:did|does|do) not (?:contain|include|have) {PARTS}|(?:if|when) {WHOLE} (?:lacked|lacks) {PARTS}",
        f"had {WHOLE} not (?:contained|included) {PARTS}",
        f"(?:after|by|when|upon|on) {HIDING_IT}{FROM_WHOLE}",
        f"with {PARTS} (?:being )?{HIDDEN}{FROM_WHOLE}",
        f"with {PARTS} (?:{GONE})",
        f"had {PARTS} (?:not been there|not been present|been {HIDDEN}|been absent|been missing|not appeared|not been in {WHOLE}){FROM_WHOLE}",
        f"were {PARTS} (?:to be )?(?:{HIDDEN}|{GONE}){FROM_WHOLE}",
        f"should {PARTS} be {HIDDEN}{FROM_WHOLE}",
    ),
    "alone": (
        f"with (?:only|just|nothing but) {PARTS}(?: {_LEFT})?",
        f"(?:with|from|on|given|based on|on the basis of|seeing|shown) {PARTS} (?:alone|by itself|by themselves|on its own|on their own|only)(?: {_LEFT})?",
        f"(?:given|from|shown|seeing|based on|on the basis of) (?:only|just|nothing but|solely) {PARTS}",
        f"{_WHEN} (?:only|just|nothing but) {PARTS} {_WAS} {_LEFT}",
        f"{_WHEN} (?:only|just|nothing but) {PARTS} (?:remains|remain|remained)",
        f"{_WHEN} {_ONE} (?:keep|keeps|kept|show|shows|leave|leaves) (?:only|just|nothing but) {PARTS}",
        f"{_WHEN} {_ALL_BUT} {PARTS} {_WAS} {HIDDEN}{FROM_WHOLE}",
        f"with {_ALL_BUT} {PARTS} {HIDDEN}{FROM_WHOLE}",
        f"(?:after|by|when) (?:removing|deleting|masking|hiding) {_ALL_BUT} {PARTS}",
        f"(?:after|by|when) keeping (?:only|just|nothing but) {PARTS}",
        f"(?:if|when) {PARTS} (?:is|are|was|were) (?:all that is left|the only (?:word|part|region)(?: left)?|left alone)",
    ),
    "replaced": (
        f"with {REPLACEMENT} (?:{_INSTEAD}|substituted for) {PARTS}",
        f"{_WHEN} {PARTS} {_WAS} {_SWAPPED} {REPLACEMENT}",
        f"with {PARTS} {_SWAPPED} {REPLACEMENT}",
        f"(?:had|were) {PARTS} (?:been |to be )?{_SWAPPED} {REPLACEMENT}",
        f"{_WHEN} {_ONE} {_SWAP}",
        f"(?:after|by|when|upon|on) {_SWAP}",
        f"(?:if|had) {_WRITER} {_WROTE} {REPLACEMENT} {_INSTEAD} {PARTS}",
        f"(?:if|when) {PARTS} (?:were|was|had been|read|said|had read) {REPLACEMENT}",
        f"had {PARTS} (?:been|read) {REPLACEMENT}",
        f"were {PARTS} {REPLACEMENT}",
    ),
}  # fmt: skip

# A noun phrase for the change: it is the subject of "flips the prediction".
_NOUNS: dict[Change, tuple[str, ...]] = {
    "hidden": (
        f"(?:just )?{HIDING_IT}{FROM_WHOLE}(?: alone)?",
        f"(?:just|only)? ?(?:removing|deleting|masking|hiding) (?:just|only) {PARTS}{FROM_WHOLE}",
        f"the (?:removal|deletion|masking|omission|occlusion) of {PARTS}{FROM_WHOLE}(?: alone)?",
    ),
    "alone": (
        f"(?:keeping|leaving|showing) (?:only|just|nothing but) {PARTS}",
        f"(?:removing|deleting|masking|hiding) {_ALL_BUT} {PARTS}{FROM_WHOLE}",
    ),
    "replaced": (_SWAP, f"the replacement of {PARTS} (?:by|with) {REPLACEMENT}"),
}
# An order, after which "and" tells what happens.
_ORDERS: dict[Change, tuple[str, ...]] = {
    "hidden": (f"(?:just )?{HIDE_IT}{FROM_WHOLE}(?: ,)? and",),
    "alone": (f"keep (?:only|just|nothing but) {PARTS}(?: ,)? and",),
    "replaced": (f"{_SWAP}(?: ,)? and",),
}

Compiled: TypeAlias = "tuple[tuple[Change, re.Pattern[str]], ...]"


@cache
def adverbials() -> Compiled:
    """The patterns of adverbials."""
    return _compiled(_ADVERBIALS, "(?P<even>even )?")


@cache
def nouns() -> Compiled:
    """The patterns of noun phrases."""
    return _compiled(_NOUNS)


@cache
def orders() -> Compiled:
    """The patterns of orders."""
    return _compiled(_ORDERS)


def _compiled(patterns: dict[Change, tuple[str, ...]], before: str = "") -> Compiled:
    return tuple(
        (change, re.compile(before + f"(?:{numbered(pattern)})")) for change, many in patterns.items() for pattern in many
    )


def numbered(pattern: str) -> str:
    """The pattern with a number behind the name of each group, so that a name may stand in several branches."""
    counts: dict[str, int] = {}

    def count(match: re.Match[str]) -> str:
        name = match[1]
        counts[name] = counts.get(name, 0) + 1
        return f"(?P<{name}_{counts[name]}>"

    return re.sub(r"\(\?P<(\w+)>", count, pattern)
