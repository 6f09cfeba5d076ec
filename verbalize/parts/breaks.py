"""Where phrases of a text end, and which of its words hold together."""

from __future__ import annotations

import re
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


def breaks_of(saliency: TokenSaliency, *, marks: bool = True) -> tuple[int, ...]:
    """Indices of the words before which a phrase ends: the first of each sentence, line, text of a pair, and turn of a chat.

    Breaks come from special tokens such as [SEP], with which the map was read or which are among its words; from line ends in
    the text; and from marks at the end of a sentence. A full stop after an initial or a title ("Mr.") is no such mark.

    Args:
        saliency: the map.
        marks: whether a phrase also ends before and after each punctuation mark that is a word of its own, or ends a word. The
            marks inside "couldn't", "well-made" and "3.5%" are no breaks.
    """
    tokens = saliency.tokens
    found = {special.position for special in saliency.special}
    inside = compounds_of(saliency) if marks else ()
    for index, token in enumerate(tokens):
        if token.isalnum():
            continue
        separator = "\n" in token or (token[:1] in ("<", "[") and _SEPARATOR.fullmatch(token))
        alone = marks and inside[index] == (index, index) and not any(map(str.isalnum, token))
        if separator or alone:
            found.add(index)
        if separator or alone or (marks and len(token) > 1 and token[-1] in _MARKS) or _ends_sentence(tokens, index):
            found.add(index + 1)
    if saliency.text is not None and saliency.offsets and "\n" in saliency.text:
        starts = np.array([start for start, _ in saliency.offsets])
        ends = [match.start() for match in re.finditer("\n", saliency.text)]
        found |= set(np.searchsorted(starts, ends, side="right").tolist())
    return tuple(sorted(place for place in found if 0 < place < len(tokens)))


def compounds_of(saliency: TokenSaliency) -> tuple[tuple[int, int], ...]:
    """For each word, the first and the last word of the compound in which it stands (see `verbalize.spacing.compounds`)."""
    tokens = saliency.tokens
    if saliency.text is None or saliency.offsets is None:
        close = [gap == "" for gap in gaps(tokens)]
    else:
        places = saliency.offsets
        close = [index > 0 and places[index - 1][1] == places[index][0] for index in range(len(tokens))]
    return compounds(tokens, close)


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
