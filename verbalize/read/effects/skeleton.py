"""A sentence as one string in which each part, label and number is one capital letter, for patterns over words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verbalize.read.marking.numbers import Number
from verbalize.read.marking.tokens import LabelMark, PartMark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.evidence import Evidence
    from verbalize.read.marking.tokens import Token

# Words that change nothing of what is said, wherever they stand; "even", "only" and "just" are not among them.
_FILLERS = frozenset(
    {
        "also", "indeed", "thus", "therefore", "then", "actually", "simply", "already", "now", "hence", "however",
        "moreover", "furthermore", "consequently", "accordingly", "additionally", "in fact", "as a result", "in addition",
        "by contrast", "in contrast", "on the other hand", "in other words", "as well", "in turn",
    }
)  # fmt: skip
_SENTIMENTS = frozenset({"positive", "negative", "neutral"})


# Words at the start of a sentence that only introduce it.
_OPENINGS = frozenset(
    {
        "note", "note that", "importantly", "in short", "in sum", "in summary", "summary", "overall", "to sum up",
        "interestingly", "notably", "remarkably", "surprisingly", "finally", "lastly", "firstly", "secondly",
        "finding", "findings", "result", "conclusion", "in conclusion", "takeaway", "key takeaway", "observation",
        "remark", "bottom line", "explanation", "nb",
    }
)  # fmt: skip
_BULLETS = frozenset({"-", "*", "•", "–", "—", "+", "·"})


@dataclass(frozen=True)
class Skeleton:
    """A sentence, or a part of one, as a string of words and capital letters.

    Attributes:
        text: "P": words of the input; "B": words of the input that are a label's name, too; "X": quoted words that are neither;
            "L": a label; "M": a masked label; "N": a number. Every other word is in lower case.
        tokens: the tokens, without fillers.
        starts: for each token the position in `text` at which it begins.
    """

    text: str
    tokens: tuple[Token, ...]
    starts: tuple[int, ...]

    def between(self, start: int, stop: int) -> list[Token]:
        """The tokens that begin between two positions of the text."""
        return [token for token, at in zip(self.tokens, self.starts, strict=True) if start <= at < stop]


def skeleton_of(tokens: Sequence[Token], evidence: Evidence) -> Skeleton:
    """The skeleton of tokens; fillers are left out, with the comma that follows one at the start of the sentence."""
    kept: list[Token] = []
    left_out = False
    for token in tokens:
        if token.value is None and token.text in _FILLERS:
            left_out = True
        elif not (token.text == "," and left_out and (not kept or kept[-1].text == ",")):
            kept.append(token)
            left_out = False
    words = [_letter(token, evidence) for token in kept]
    starts: list[int] = []
    position = 0
    for word in words:
        starts.append(position)
        position += len(word) + 1
    return Skeleton(" ".join(words), tuple(kept), tuple(starts))


def opened(tokens: Sequence[Token]) -> list[Token]:
    """The tokens without a bullet and without words that only introduce the sentence, such as "Note:"."""
    start = 0
    while start < len(tokens) and tokens[start].value is None:
        if tokens[start].text in _BULLETS:
            start += 1
        elif tokens[start].text in _OPENINGS and start + 1 < len(tokens):
            start += 1 + (tokens[start + 1].text in (":", ",", "that"))
        else:
            break
    return [*tokens[start:]] if start < len(tokens) else [*tokens]


def name_of(token: Token) -> str | None:
    """The label that a token names, or the words that it quotes."""
    if isinstance(token.value, LabelMark):
        return token.value.name
    if isinstance(token.value, PartMark):
        return token.value.name or token.value.quote
    return token.text


def _letter(token: Token, evidence: Evidence) -> str:
    names = token.names
    for mark, letter in (("QPL", "B"), ("QP", "P"), ("QX", "X"), ("QL", "L"), ("QM", "M"), ("BL", "L"), ("BLX", "L")):
        if mark in names:
            return letter
    if isinstance(token.value, Number):
        return "N"
    # a text calls the other sentiment by its name, even where the map came without the names of all labels
    if token.text in _SENTIMENTS and evidence.query.label.casefold() in _SENTIMENTS:
        return "L"
    return token.text.lower()
