"""Patterns that say of a part itself what it does: it is decisive, necessary or enough, or the decision hinges on it."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

import re
from functools import cache

from verbalize.read.effects.conditions import numbered
from verbalize.read.effects.words import BE, DECIDED, DECISION, MAY_BE, MODEL, PARTS, SINGLES, WHOLE, label, say

_M = f"(?:{MAY_BE} )?"
_ALONE = "(?:alone|by itself|by themselves|on its own|on their own)"
_LABELLED = f"(?:(?:a|the) (?P<label>L) {DECIDED}|{label('label')})"
_MODEL_SAYS = f"{MODEL} to {say('label')}"
_AIM = (
    f"(?: (?:for|to) (?:{_MODEL_SAYS}|{MODEL}(?: to (?:keep|reach|make) {DECISION})?|{DECISION}|(?:model's|model 's) decision|{_LABELLED})"
    f"| to (?:keep|preserve|maintain|reach|get|obtain|retain) (?:{DECISION}|{_LABELLED})"
    f"| to (?:make|get|lead|cause) {MODEL} (?:to )?{say('label')})"
)
ENOUGH_FOR = _AIM
_SUFFICES = f"(?:{_M}(?:{BE} )?(?:enough|sufficient)|{_M}(?:suffice|suffices|sufficed))"
_NOT_SUFFICES = f"(?:(?:{BE} not|{MAY_BE} not(?: be)?) (?:enough|sufficient)|{MAY_BE} not suffice)"
_NEEDED = "(?:necessary|indispensable|required|needed|decisive)"
_ARE = f"(?:{BE}|remains|proves|proved)"
_BOUND = (
    "(?:hinge|hinges|hinged|turn|turns|turned) (?:crucially )?(?:on|upon)|(?:stand or fall|stands or falls|stood or fell) with"
)

# Pattern -> whether the part is said to be decisive, and to be sufficient; `None` where nothing is said of it.
_VERDICTS: tuple[tuple[str, bool | None, bool | None], ...] = (
    (f"{PARTS} {_ARE} (?:together )?{_NEEDED}(?:{_AIM}?(?: together)?|(?: together)?{_AIM}?)|{PARTS} together {_ARE} {_NEEDED}{_AIM}?|together ,? ?{PARTS} {_ARE} {_NEEDED}{_AIM}?", True, None),
    (f"{PARTS} (?:{BE} not|{MAY_BE} not be) {_NEEDED}(?:{_AIM}?(?: together)?|(?: together)?{_AIM}?)|{PARTS} together (?:{BE} not|{MAY_BE} not be) {_NEEDED}{_AIM}?", False, None),
    (f"{PARTS} {_ARE} (?:both )?necessary and sufficient{_AIM}?|{PARTS} {_ARE} (?:both )?sufficient and necessary{_AIM}?", True, True),
    (f"{PARTS} {_ARE} necessary but not sufficient{_AIM}?|{PARTS} {_ARE} necessary , but not sufficient{_AIM}?", True, False),
    (f"{PARTS} {_ARE} sufficient (?:, )?but not necessary{_AIM}?", False, True),
    (f"{PARTS} {_ARE} neither (?:necessary nor sufficient|sufficient nor necessary){_AIM}?", False, False),
    (f"{DECISION} {_M}(?:{_BOUND}) {PARTS}", True, None),
    (f"{DECISION} {MAY_BE} not (?:{_BOUND}) {PARTS}", False, None),
    (f"{MODEL} {_M}(?:need|needs|needed|require|requires|required) {PARTS}{_AIM}|{MODEL} {_M}(?:need|needs|needed|require|requires|required) {PARTS} to (?:{say('label')}|reach {DECISION}|make {DECISION}|keep {DECISION})", True, None),
    (f"{MODEL} {MAY_BE} not (?:need|require) {PARTS}(?:{_AIM}| to (?:{say('label')}|reach {DECISION}|make {DECISION}|keep {DECISION}))", False, None),
    (f"{PARTS} {_ALONE} {_SUFFICES}{_AIM}?|{PARTS} (?:together )?{_SUFFICES}{_AIM}|{_ALONE} ,? ?{PARTS} {_SUFFICES}{_AIM}?", None, True),
    (f"{PARTS} {_ALONE} {_NOT_SUFFICES}{_AIM}?|{PARTS} (?:together )?{_NOT_SUFFICES}{_AIM}|{_ALONE} ,? ?{PARTS} {_NOT_SUFFICES}{_AIM}?", None, False),
    (f"{PARTS} {_SUFFICES}(?:{_AIM}? {_ALONE}| {_ALONE}{_AIM})", None, True),
    (f"{PARTS} {_NOT_SUFFICES}(?:{_AIM}? {_ALONE}| {_ALONE}{_AIM})", None, False),
    (f"together , {PARTS} {_SUFFICES}{_AIM}", None, True),
    (f"{PARTS} {BE} all (?:that )?(?:it takes|{MODEL} needs){_AIM}", None, True),
    (f"{PARTS} {BE} all (?:that )?{MODEL} needs to {say('label')}", None, True),
)  # fmt: skip
# "'great' alone makes the model say 'positive'": what the model says with nothing but the part
LEADING = rf"(?:{PARTS} {_ALONE}|{_ALONE} ,? ?{PARTS}) {_M}(?:make|makes|made|lead|leads|led|get|gets|cause|causes|bring|brings) {MODEL} (?:to )?{say('says')}"
_EACH = f"both {SINGLES} and {SINGLES} {BE} {_NEEDED}{_AIM}?"


_DECIDES = f"{SINGLES} {_ALONE} {_M}(?:decide|decides|decided|settle|settles|settled|determine|determines|determined) (?:it|{DECISION}|everything|the matter)"
_SEVERAL = f"(?:either |both )?[^;:]*[PBX](?: ,)? (?:and|or|as well as|plus) {SINGLES} (?:{BE}|{MAY_BE} be|{_ARE})(?: not)? {_NEEDED}{_AIM}?"


_WORD = "(?:single |individual |one )?(?:word|token|term|phrase|part|region|area|patch|object|feature)s?"
_TO_ALL = f"(?:{_NEEDED}|crucial|essential|vital|pivotal|critical)"
_WHERE = f"(?: (?:in|of) {WHOLE})?(?: alone| by itself| on its own)?"
_BUT = "(?:but|except|except for|other than|apart from|besides)"
# Pattern -> whether the part is said to be decisive, and whether each other part is; `None` where no part is named.
_QUANTIFIED: tuple[tuple[str, bool | None, bool], ...] = (
    (f"(?:(?:no|not a|not one|none of the|no one) {_WORD}|nothing|none){_WHERE} {_ARE} {_TO_ALL}{_AIM}?", None, False),
    (f"(?:every|each|each and every|any) {_WORD}{_WHERE} {_ARE} {_TO_ALL}{_AIM}?", None, True),
    (f"(?:every|each|any) (?:other )?{_WORD}{_WHERE} {_BUT} {PARTS} {_ARE} {_TO_ALL}{_AIM}?", False, True),
    (f"(?:no (?:other )?{_WORD}|nothing|nothing else|none){_WHERE} {_BUT} {PARTS} {_ARE} {_TO_ALL}{_AIM}?", True, False),
    (f"only {PARTS} {_ARE} {_TO_ALL}{_AIM}?|{PARTS} alone {_ARE} decisive{_AIM}?", True, False),
    (f"{PARTS} {_ARE} the (?:only|sole|one) {_TO_ALL} {_WORD}{_AIM}?|the (?:only|sole|one) {_TO_ALL} {_WORD}{_AIM}? {_ARE} {PARTS}", True, False),
)  # fmt: skip
# "each 'great' is decisive": every place of a word by itself
_EACH_PLACE = f"(?:each|every)(?: (?:occurrence|mention|instance|one|single) of)?(?: the)?(?: word)? (?P<part>[PBX]) {BE} {_NEEDED}{_AIM}?"


_SPEAKS = re.compile("necessary|indispensable|required?|need|decisive|suffic|enough|hinge|turn|stands?|stood|it takes")
"""One of these words is in each sentence that verdicts or `of_several` match; their patterns take half a second to compile."""


def of_several(text: str) -> bool:
    """Whether the text calls several parts decisive, which may mean each of them, any of them, or all together."""
    return _SPEAKS.search(text) is not None and _of_several().fullmatch(text) is not None


@cache
def _of_several() -> re.Pattern[str]:
    return re.compile(numbered(_SEVERAL))


@cache
def quantified() -> tuple[tuple[re.Pattern[str], bool | None, bool], ...]:
    """The patterns that speak of every part, and what they say of the one that is named and of each other one."""
    return tuple((re.compile(f"(?:{numbered(pattern)})"), named, others) for pattern, named, others in _QUANTIFIED)


@cache
def each_place() -> re.Pattern[str]:
    """The pattern that calls each occurrence of a word decisive."""
    return re.compile(numbered(_EACH_PLACE))


def verdicts(text: str) -> tuple[tuple[re.Pattern[str], bool | None, bool | None], ...]:
    """The patterns that the text may match, and what they say of the part."""
    return _compiled() if _SPEAKS.search(text) else ()


@cache
def _compiled() -> tuple[tuple[re.Pattern[str], bool | None, bool | None], ...]:
    return tuple((re.compile(f"(?:{numbered(pattern)})"), decisive, sufficient) for pattern, decisive, sufficient in _VERDICTS)


@cache
def leading() -> re.Pattern[str]:
    """The pattern of what a part alone makes the model say."""
    return re.compile(numbered(LEADING))


@cache
def pairs() -> tuple[tuple[re.Pattern[str], bool], ...]:
    """The patterns that say of each of two parts that it is decisive."""
    return ((re.compile(numbered(_EACH)), True),)


@cache
def decides() -> re.Pattern[str]:
    """The pattern of a part that alone decides."""
    return re.compile(numbered(_DECIDES))
