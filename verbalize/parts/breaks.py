"""Where phrases of a text end, and which of its words hold together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from verbalize.spacing import compounds, gaps

if TYPE_CHECKING:
    from verbalize.saliency import TokenSaliency

_SEPARATOR = re.compile(
    r"\[(?:SEP|CLS|PAD|MASK|EOS|BOS|/?INST)\]|</?s>|<(?:sep|cls|pad|mask|eos|bos|br ?/?|/?p)>"
    r"|<\|[^|]*\|>|<(?:start|end)_of_turn>",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*|[。！？]+[」』”’）]*")
_ENDS = frozenset(".!?…。！？\"'”’)]」』）")
_MARKS = frozenset(",;:)]}，；：、）")
_ABBREVIATIONS = frozenset(
    ("mr", "mrs", "ms", "dr", "st", "jr", "sr", "vs", "prof", "vol", "fig", "no", "gen", "gov", "sen", "rep", "inc", "ltd",
     "co", "corp", "etc", "e.g", "i.e")
)  # fmt: skip


@dataclass(frozen=True)
class Bounds:
    """Where the phrases and sentences of a text end, and which of its words hold together.

    Args:
        phrases: indices of the words before which a phrase ends: the first word of each sentence, and words before and after
            punctuation. The marks inside "couldn't", "well-made" and "3.5%" are no bounds.
        sentences: indices of the words before which a sentence, a line, a text of a pair or a turn of a chat ends.
        compounds: for each word, the first and the last word of the compound in which it stands (`verbalize.spacing`).
    """

    phrases: tuple[int, ...]
    sentences: tuple[int, ...]
    compounds: tuple[tuple[int, int], ...]


def bounds_of(saliency: TokenSaliency) -> Bounds:
    """Find the bounds in the text of a map.

    Sentences end at special tokens such as [SEP], with which the map was read or which are among its words; at line ends in the
    text; at words of the text that have no score; and at marks that end a sentence. A full stop after an initial or a title
    ("Mr.") is no such mark.
    """
    tokens = saliency.tokens
    sentences = {special.position for special in saliency.special}
    phrases: set[int] = set()
    inside = compounds_of(saliency)
    for index, token in enumerate(tokens):
        if token.isalnum():
            continue
        if "\n" in token or (token[:1] in ("<", "[") and _SEPARATOR.fullmatch(token)):
            sentences |= {index, index + 1}
        elif _ends_sentence(tokens, index):
            sentences.add(index + 1)
        if inside[index] == (index, index) and not any(map(str.isalnum, token)):
            phrases |= {index, index + 1}
        elif len(token) > 1 and token[-1] in _MARKS:
            phrases.add(index + 1)
    if saliency.text is not None and saliency.offsets:
        sentences |= _unscored(saliency.text, saliency.offsets)
    if saliency.text is not None and saliency.offsets and "\n" in saliency.text:
        starts = np.array([start for start, _ in saliency.offsets])
        ends = [match.start() for match in re.finditer("\n", saliency.text)]
        sentences |= set(np.searchsorted(starts, ends, side="right").tolist())
    within = range(1, len(tokens))
    return Bounds(
        tuple(sorted(place for place in phrases | sentences if place in within)),
        tuple(sorted(place for place in sentences if place in within)),
        inside,
    )


def compounds_of(saliency: TokenSaliency) -> tuple[tuple[int, int], ...]:
    """For each word, the first and the last word of the compound in which it stands (see `verbalize.spacing.compounds`)."""
    tokens = saliency.tokens
    if saliency.text is None or saliency.offsets is None:
        close = [not gap for gap in gaps(tokens)]
    else:
        reached = -1
        close = []
        for start, stop in saliency.offsets:
            close.append(start == reached)
            reached = stop
    return compounds(tokens, close)


def _unscored(text: str, offsets: tuple[tuple[int, int], ...]) -> set[int]:
    """Indices of the words before which the text has words without a score: a phrase across them would quote those, too."""
    found: set[int] = set()
    reached = 0
    for index, (start, stop) in enumerate(offsets):
        if any(map(str.isalnum, text[reached:start])):
            found.add(index)
        reached = max(reached, stop)
    return found


def _ends_sentence(tokens: tuple[str, ...], index: int) -> bool:
    token, following = tokens[index], tokens[index + 1 : index + 2]
    if token[-1:] not in _ENDS:
        return False
    end = _SENTENCE_END.search(token)
    if not end or end.end() != len(token):
        return False
    word = token[: end.start()] or (tokens[index - 1] if index else "")
    if "." in end.group() and (word.lower() in _ABBREVIATIONS or (len(word) == 1 and word.isalpha())):
        return False
    if end.start() == 0:  # a mark of its own; in "3 . 5" it is a decimal point
        return not (following and word[-1:].isdigit() and following[0].isdigit())
    return not following or not following[0][:1].islower()
