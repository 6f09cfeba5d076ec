"""The words that decided, as an extract of the text."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import UsageError
from verbalize.draw.page import printable
from verbalize.saliency import TokenSaliency

if TYPE_CHECKING:
    from verbalize.saliency import Part

_GAP = " … "


@dataclass(frozen=True, slots=True)
class Rationale:
    """The words of a text that speak most for the label.

    Args:
        part: the indices of the words, in the order of the text.
        text: the words as they stand in the text, with "…" in place of the others.
        html: the same as a piece of HTML, with the words marked.
    """

    part: Part
    text: str
    html: str


def extractive_rationale(saliency: TokenSaliency, max_words: int = 12) -> Rationale:
    """Extract the `max_words` words with the highest positive scores, in the order of the text.

    It is a rationale in the sense of Lei et al. (2016): a part of the text itself. Among equal scores, the earlier word comes
    first. If no word speaks for the label, the rationale is empty: words against the label are never shown as reasons.

    Raises:
        UsageError: `max_words` is less than 1, or the map is not a map over words.
    """
    if not isinstance(saliency, TokenSaliency):
        raise UsageError("rationales exist only for text maps; use --kind html or png")
    if max_words < 1:
        raise UsageError(f"max_words must be at least 1, not {max_words!r}")
    order = np.argsort(-saliency.scores, kind="stable")[:max_words]
    part = tuple(sorted(int(index) for index in order if saliency.scores[index] > 0))
    runs: list[list[int]] = []
    for index in part:
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    words = [saliency.text_of(run) for run in runs]
    before = "… " if part and part[0] > 0 else ""
    after = " …" if part and part[-1] < len(saliency) - 1 else ""
    marked = _GAP.join(f"<mark>{escape(printable(word))}</mark>" for word in words)
    text = before + _GAP.join(words) + after
    return Rationale(part, text, f'<p class="saywhy-rationale" dir="auto">{before}{marked}{after}</p>')
