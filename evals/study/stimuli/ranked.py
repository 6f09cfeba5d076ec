"""A ranked list: the most important words or regions, below the input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evals.study.items import Stimulus
from evals.study.stimuli.kind import ConditionKind, whole
from evals.study.stimuli.layout import below, is_word, region_in_words, sentence_html, top_of
from evals.study.stimuli.leaks import VOCABULARY
from verbalize.draw.page import printable
from verbalize.saliency import TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evals.study.stimuli.making import Making
    from verbalize.saliency import PixelSaliency, Saliency

TOP = 5
"""Entries of a list: as many as people keep in mind."""


def _explain(making: Making, options: Mapping[str, object]) -> Sequence[Stimulus | None]:
    most = whole(options, "top", TOP)
    return [_listed(saliency, making, most) for saliency in making.maps]


def _listed(saliency: Saliency, making: Making, most: int) -> Stimulus:
    names = _words(saliency, most) if isinstance(saliency, TokenSaliency) else _regions(saliency, most)
    what = "words" if isinstance(saliency, TokenSaliency) else "regions"
    verb = "speak" if saliency.signed else "matter"
    label = making.label_of(saliency)
    if not names:
        told = f"No {what[:-1]} {verb}s for {label}."
        return Stimulus(f'<div class="explanation" dir="auto"><p>{sentence_html(told)}</p></div>', told)
    head = f"The {what} that {verb} most for {label}, the most important first:"
    entries = "".join(f"<li>{sentence_html(name)}</li>" for name in names)
    html = f'<div class="explanation" dir="auto"><p>{sentence_html(head)}</p><ol class="ranked">{entries}</ol></div>'
    listed = "\n".join(f"{number}. {printable(_bare(name))}" for number, name in enumerate(names, 1))
    return Stimulus(html, f"{head}\n{listed}", top_of(saliency))


def _bare(name: str) -> str:
    return name.replace("\u2068", "").replace("\u2069", "")


def _words(saliency: TokenSaliency, most: int) -> list[str]:
    """The words with the highest scores above 0, each with its place where it occurs several times."""
    from verbalize.write.naming import WordIndex, mention

    index = WordIndex.of(saliency)
    order = [int(one) for one in np.argsort(-saliency.scores, kind="stable") if saliency.scores[one] > 0]
    with_letters = [one for one in order if is_word(saliency.tokens[one])]
    return [mention(saliency, (one,), index) for one in with_letters[:most]]


def _regions(saliency: PixelSaliency, most: int) -> list[str]:
    from verbalize.draw.heatmaps import drawn_regions

    found = [region for region in drawn_regions(saliency) if region.sign > 0]
    return [region_in_words(saliency, region) for region in sorted(found, key=lambda region: -region.score)[:most]]


RANKED = ConditionKind(
    summary="a list of the most important words or regions",
    show=below(_explain),
    options={"top": f"how many ({TOP})"},
    explain=_explain,
    own_words=VOCABULARY,
)
