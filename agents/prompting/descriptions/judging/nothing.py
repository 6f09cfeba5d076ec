"""Captions that say nothing: placeholders and blanks, praise, and words that any caption may have."""

from __future__ import annotations

import re

from agents.prompting.descriptions.reading.meaning import meaning
from agents.prompting.descriptions.reading.spelling import forms
from agents.prompting.descriptions.reading.words import said, signs, words

_PLACEHOLDER = re.compile(
    r"<\s*/?\s*[\w -]{1,40}>|\{[^{}]{0,40}\}|\[(?:[^\W\d][\w -]{0,40}|[ .…]*)\]"
    r"|\(\s*(?:blank|empty|leer|vacío|空)?\s*\)|%[sd]\b"
    r"|\b(?:with|a|an|has|mit|hat|con|avec)\s\.{3}|\bcaption (?:one|two|for)\b|\bhas this (?:attribute|feature|property)\b"
    r"|\b(?:first|second)[_ ]caption\b|\bprompt[_ ]pair\b|\battr(?:ibute)?[_ ]?(?:type|name|\d+)\b"
    r"|\bclass[_ ]?(?:name|[abxy1-9])\b"
    r"|(?:^|\bof )(?:an? |the )?(?:first|second) (?:class|caption)\s*(?:$|[,.:;]|with\b|has\b)"
    r"|\blorem ipsum\b|\bfoo(?: ?bar)?\b|\bx{3,}\b|\b(?:your|insert) \w+ here\b|\btodo\b|\btbd\b|\bn[./]a\b"
    r"|\basdf\w*|\bqwert\w*|\b([^\W\d_])\1{3,}\b"
    r"|\b(?:caption|text|string|description|value)(?: (?:here|for|of) (?:the )?(?:first|second|class)| ?\d+)\b"
    r"|\bfill(?:ed)? (?:in )?the blanks?\b|\bto be (?:added|filled|determined|completed|defined|written|described)\b"
    r"|\b(?:placeholder|platzhalter|beispieltext|marcador de posición|espace réservé|segnaposto)\b"
    r"|\b(?:hier|bitte) (?:einfügen|ergänzen|ausfüllen)\b|\b(?:insertar|completar|rellenar|escribir) (?:aquí|esto)\b"
    r"|\bpor (?:completar|definir)\b|\bà (?:compléter|remplir|définir)\b|\binsérer ici\b|\bda (?:completare|definire)\b"
    r"|此处|待(?:补充|填写|填|定|补)|占位|请填|描述文字|ここに|未定|未記入|여기에|미정",
    re.IGNORECASE,
)
_BLANK = re.compile(r"_{2,}|(?:_\s){2,}|[.…]{4,}|[?？]{2,}|[-–—=]{3,}|[□▢■◯�*#~●○]{2,}|(?:\s|^)_(?:\s|$)|\(\s*[.…?_]*\s*\)")
"""Blanks to be filled, where a class name has no such sign."""

_VAGUE = words("vague") | words("praise")
_ONES = re.compile(r"\b(?:this|that|the other|another|each|every|which|the same) ones?\b")
_EVALUATING = _VAGUE - {"visible", "various", "different", "normal", "common", "detail", "details"}
"""Words that evaluate. Those left out may be seen: "different colours" on one side, "visible ribs"."""

_ALSO_SEEN = frozenset(
    [
        "elegant",
        "elegance",
        "graceful",
        "striking",
        "impressive",
        "regal",
        "noble",
        "elegante",
        "elegantes",
        "eleganten",
        "优雅",
        "優雅",
    ]
)
"""Praise that says a little of how a thing looks: against "a broad head", "an elegant head" is a difference."""

_INTENSIFIED = re.compile(
    rf"\b(?:{'|'.join(sorted(words('intensifier')))})\s+(?=(?:{'|'.join(map(re.escape, sorted(words('praise'))))})\b)"
)


def placeholder(plain: str, caption: str = "") -> str | None:
    """The placeholder or blank that a text holds; None where it has none.

    Args:
        plain: the text, folded, without class names.
        caption: the text as it is, since folded texts have no underscores.
    """
    found = _PLACEHOLDER.search(plain) or _BLANK.search(caption)
    return None if found is None else found[0].strip() or found[0]


def says_nothing(body: str) -> bool:
    """Whether a caption has no word for anything that could be seen: praise, pronouns, "distinctive features", a number alone.

    Args:
        body: the caption, folded, without the name of its class.
    """
    body = _ONES.sub(" it ", body)
    left = said(body, "empty", "vague", "praise", "filler", "intensifier")
    dimensions = [word for word in left if word in words("dimensions")]
    if len(dimensions) < len(left):
        return not any(letter.isalnum() for word in left for letter in word)
    every = re.findall(r"\w+", body)
    if "visible" in every and words("negation") & {*every}:
        return False
    if not dimensions:
        return True
    # a shape may be distinctive, which says nothing; "no pattern" and "one colour" do
    return bool(_praise(body) or _VAGUE & {*every}) and not words("negation") & {*every}


def only_praise(attribute: str, bare: tuple[str, str]) -> str | None:
    """The praise in which alone two captions differ, such as "beautiful" and "gorgeous"; None where they differ otherwise.

    A caption such as "beautiful fur" says nothing under the attribute "fur", either, unless the other one says that its class
    has none.

    Args:
        attribute: such as "fur".
        bare: the two captions, folded, without the names of their classes.
    """
    praise = [_praise(text) for text in bare]
    if not any(praise):
        return None
    shown = ", ".join(repr(" ".join(one)) for one in praise if one)
    rest = [_without_praise(text) for text in bare]
    if meaning(rest[0], words("empty")) == meaning(rest[1], words("empty")) or _bag(rest[0]) == _bag(rest[1]):
        return shown
    known = {form for word in re.findall(r"\w+", attribute.casefold()) for form in forms(word)} | words("dimensions")
    for side in (0, 1):
        left = _bag(rest[side])
        if set(praise[side]) - _ALSO_SEEN and all(set(one) & known for one in left):
            other = {form for one in _bag(rest[1 - side]) for form in one}
            denied = set(re.findall(r"\w+", rest[1 - side])) & words("negation")
            if not denied and all(set(one) & other for one in left):
                return repr(" ".join(praise[side]))
    return None


def _praise(text: str) -> list[str]:
    within = signs("praise")
    found = re.findall("|".join(map(re.escape, within)), text) if within and not text.isascii() else []
    return [*(word for word in re.findall(r"\w+", text) if word in _EVALUATING), *found]


def _without_praise(text: str) -> str:
    text = _INTENSIFIED.sub("", text)
    within = signs("praise", "intensifier")
    if within and not text.isascii():
        text = re.sub("|".join(map(re.escape, within)), " ", text)
    return re.sub(r"\w+", lambda word: "" if word[0] in _EVALUATING else word[0], text)


def _bag(text: str) -> frozenset[tuple[str, ...]]:
    return frozenset(forms(word)[-1:] for word in said(text, "empty"))
