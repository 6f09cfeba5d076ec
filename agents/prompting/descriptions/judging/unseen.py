"""What no photo shows: attributes such as sound or origin, and captions that speak of nothing else."""

from __future__ import annotations

import re

from agents.prompting.descriptions.reading.words import words
from saywhy_core.names import folded

HEADS = words("unseen")
"""Attributes that end in one of these words, such as "hunting behaviour", no photo shows. "Size", "weight", "age", "setting",
"posture", "activity" and "expression" may show. So may "bark", which trees have, and "sound hole" ends in another word."""

_OTHERS = words("unseen_alone")
"""Words that say nothing of an image by themselves; beside others, as in "bark texture" or "friendly expression", they may."""

_NEUTRAL = words("neutral")

_CLAUSES = re.compile(
    r"\b(?:originat\w+|originally|native|hailing|comes?|coming|imported|bred|developed|invented|introduced|discovered|founded)"
    r"(?: \w+){0,2} (?:in|from|for|to|by|as)\b[^,.;]*"
    r"|\b(?:weigh\w*|costs?|costing|priced|sold|sells|lives?|living|lasts?)\b[^,.;]*?\d[^,.;]*"
    r"|(?:[$€£¥]\s?\d[\d.,]*|\b\d[\d.,]*(?:\s?[-–]\s?\d[\d.,]*)?\s?(?:kg|kilos?|kilograms?|lbs?|pounds?|ounces?|oz|grams?|years?|"
    r"months?|dollars?|euros?|usd|eur|decibels?|db|hz|khz|mph|km/h|calories|kcal)\b)"
    r"|\b(?:life ?span|life expectancy|price (?:of|is|range)"
    r"|named after|known as|also called|known for|popular in|used (?:for|as))\b[^,.;]*",
    re.IGNORECASE,
)
"""What no photo shows in a caption: where a thing comes from, what it is used for, what it weighs or costs in numbers."""


def unseen_attribute(attribute: str) -> str | None:
    """The word for which an attribute can't be seen in a photo; None where it can."""
    said = folded(attribute)
    found = re.findall(r"[^\W\d_]+", said)
    if not found:
        return None
    head = re.split(r"\b(?:of|in|for|when|toward|towards|with|de|del|von)\b", said)[0]
    last: str = (re.findall(r"[^\W\d_]+", head) or found)[-1]
    if last in HEADS:
        return last
    invisible = HEADS | _OTHERS - {"bark", "barks"}
    first: str | None = next((word for word in found if word in invisible), None)
    return first if all(word in invisible | _NEUTRAL for word in found) else None


def unseen_caption(body: str) -> str | None:
    """What a caption speaks of where it speaks of nothing that a photo shows; None where it says anything else.

    Args:
        body: the caption, folded, without class names.
    """
    cut = _CLAUSES.search(body)
    rest = _CLAUSES.sub(" ", body)
    left = [word for word in re.findall(r"[^\W\d_]+", rest) if word not in _NEUTRAL]
    found = next((word for word in left if word in HEADS | _OTHERS), None)
    if any(word not in HEADS | _OTHERS for word in left):
        return None
    return found or (" ".join(cut[0].split())[:40] if cut else None)
