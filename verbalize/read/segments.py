"""Clauses of a marked sentence, each with parts of its own and a statement about them."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

import re
from functools import cache

from verbalize.read.marking import lexicon as words
from verbalize.read.marking.marks import P

_JOINT = re.compile(
    r"; |: | [–—] |(?:,? )(?:but|while|whereas|whilst|although|though|yet|however|even though)\b,? |,? and |, (?:with |which )?|(?<!,) with (?:the )?(?=.{0,40} also being)"
)
_KEEPS = re.compile(
    r"(?:followed|then by|ahead of|compared|in contrast to|relative to|rather than|more (?:important )?than|than|outweigh\w*|respectively|with \w+ (?:an? )?(?:importance |saliency )?score|"
    r"(?:indicat|suggest|show|mean|impl|signal|demonstrat|reveal)\w*\b|such as|like|including|even|together|both|respectively|each with)"
)
_PARTS = re.compile(P)


@cache
def _cue() -> re.Pattern[str]:
    patterns = (words.SUPPORT, words.OPPOSE, words.GIVEN, words.UNIMPORTANT, words.LOW, words.TOP, words.BEATS, words.BEATEN)
    return re.compile("|".join(f"(?:{re.sub(r'[(][?]P<[a-z0-9]+>', '(?:', pattern.pattern)})" for pattern in patterns))


def segments_of(text: str) -> list[str]:
    """Cut a sentence where both sides of the cut name a part and have a cue of importance."""
    segments: list[str] = []
    start = 0
    joints = list(_JOINT.finditer(text))
    if not joints:
        return [text]
    last_part = max((match.start() for match in _PARTS.finditer(text)), default=-1)
    for number, joint in enumerate(joints):
        if last_part < joint.end():
            break
        left = text[start : joint.start()]
        if not (_PARTS.search(left) and _cue().search(left)):
            continue
        following = text[joint.end() : joints[number + 1].start() if number + 1 < len(joints) else len(text)]
        if _KEEPS.match(following):
            continue
        if not (_PARTS.search(following) and _cue().search(following)) and not re.match(
            r"\W*(?:but|while|whereas|whilst|although|though|;)", joint.group().strip()
        ):
            continue
        segments.append(left)
        start = joint.start() if joint.group().strip().startswith("with") else joint.end()
    segments.append(text[start:])
    return segments
