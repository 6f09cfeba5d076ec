"""Which parts of a map to name in one direction, and which of them may be called the most important."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from verbalize.parts.spans import best_spans_holding, total_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.claims.claim import Direction
    from verbalize.evidence import Evidence
    from verbalize.saliency import Floats, Part

Form: TypeAlias = Literal["top", "equal", "among"]
_EQUALS_NAMED = 4  # the most words in the first place that are all named
_PRICE = 0.25  # of the highest score: weaker words are not named, but may connect stronger ones if spans run out
_NAMED = 0.4  # the largest share of the words of a text that is named in one direction; two words may be named in any case
_PEAK = 1.1  # a word of a phrase is named if it scores this many times as much as every other word of it; in a phrase of ...
_LONG = 4  # ... this many words or more, the strongest is named in any case
_DOMINANT = 1.5  # as _PEAK, for a word whose share is said in the place of the share of the phrase


@dataclass(frozen=True)
class Standing:
    """The parts to name in one direction.

    Args:
        direction: "supports" or "opposes".
        form: what is true of the leads. "top": there is one lead, and it is the most important part. "equal": the leads are
            words with the same score, and no other word has it. "among": the leads are among the most important parts, and
            some that are equally important are not named.
        leads: the parts to name first.
        also: the other parts, strongest first. None of them outweighs `most`.
        peak: the strongest word of the lead, if the lead is a phrase and this word is stronger than its other words.
        dominant: whether the peak is far stronger than the other words of the lead.
    """

    direction: Direction
    form: Form
    leads: tuple[Part, ...]
    also: tuple[Part, ...]
    peak: Part | None = None
    dominant: bool = False

    @property
    def most(self) -> Part:
        """The part whose share is said first: the lead, or the word that dominates it."""
        return self.peak if self.peak and self.dominant else self.leads[0]

    @property
    def parts(self) -> tuple[Part, ...]:
        """The leads, then the other parts."""
        return self.leads + self.also


def word_price(toward: Floats) -> float:
    """What a word must add to a phrase: a quarter of the highest score, and at least an even share.

    An even share is the sum of the scores above 0 divided by the number of words.

    Args:
        toward: (n,) scores in one direction, of which at least one is above 0.
    """
    top = float(toward.max())
    return top * max(_PRICE, float(np.maximum(toward / top, 0.0).mean()))


def standing(
    evidence: Evidence,
    direction: Direction,
    *,
    max_words: int,
    max_spans: int,
    single: bool = False,
    breaks: Sequence[int] = (),
    compounds: Sequence[tuple[int, int]] = (),
) -> Standing | None:
    """The best parts in a direction; `None` if no part speaks in that direction.

    They always include the word or region with the highest score. They are the best spans, in which each word costs
    `word_price`. If a span without the strongest word outweighs what is named first, its words are named one by one.

    Args:
        evidence: the map.
        direction: "supports" or "opposes".
        max_words: the most words in all parts together. Regions have no such limit. Phrases hold at most two fifths of the
            words of a text, or two.
        max_spans: the most parts.
        single: whether each part is a single word.
        breaks: indices of words before which a span ends.
        compounds: the first and last word of the compound in which each word stands ("couldn't"). A span that ends inside a
            compound is extended to all of it, unless a word of it speaks in the other direction.
    """
    toward = evidence.toward(direction)
    if not len(toward) or toward.max() <= 0:
        return None
    count = max_spans if evidence.pixels else min(max_words, max_spans)
    order = total_order(toward)
    first = _first_places(evidence, toward, order)
    if evidence.pixels or single:
        least = _PRICE * float(toward[order[0]])
        parts: list[Part] = [(index,) for index in order[:count] if toward[index] >= least]
    else:
        price, fewer = word_price(toward), min(max_words, max(2, math.ceil(_NAMED * len(toward))))
        spans = best_spans_holding(toward, order[0], max_words=fewer, max_spans=max_spans, price=price, breaks=breaks)
        parts = (
            _whole_compounds([span.part for span in spans], toward, compounds, max_words)
            if compounds
            else [span.part for span in spans]
        )
    lead = next(part for part in parts if order[0] in part)
    if set(first) <= set(lead):
        peak, dominant = _peak(toward, lead, compounds if not single else ())
        found = Standing(direction, "top", (lead,), (), peak, dominant)
        others = _lesser(evidence, toward, [part for part in parts if part != lead], found.most)
        return replace(found, also=tuple(others[: max_spans - 1]))
    words: list[Part] = [(index,) for index in order[:count] if toward[index] >= _PRICE * toward[order[0]]]
    if len(first) <= min(count, _EQUALS_NAMED):
        return Standing(direction, "equal", tuple(words[: len(first)]), tuple(words[len(first) :]))
    return Standing(direction, "among", tuple(words), ())


def outdoes(evidence: Evidence, direction: Direction, part: Part, other: Part) -> bool:
    """Whether `part` is more important than `other`: its sum and its strongest word are both greater, by more than rounding."""
    toward = evidence.toward(direction)
    pairs = (
        (_sum(toward, part), _sum(toward, other)),
        (float(toward[list(part)].max()), float(toward[list(other)].max())),
    )
    return all(mine > theirs and not evidence.tied(mine, theirs) for mine, theirs in pairs)


def _sum(toward: Floats, part: Part) -> float:
    with np.errstate(over="ignore"):
        return float(toward[list(part)].sum())


def _first_places(evidence: Evidence, toward: Floats, order: Sequence[int]) -> tuple[int, ...]:
    """The words or regions with the greatest score, in a chain of ties, so that none outside is tied with one inside."""
    count = 1
    while count < len(order) and evidence.tied(float(toward[order[count - 1]]), float(toward[order[count]])):
        count += 1
    return tuple(order[:count])


def _whole_compounds(parts: Sequence[Part], toward: Floats, compounds: Sequence[tuple[int, int]], max_words: int) -> list[Part]:
    """The parts, extended to whole compounds; parts that share a compound become one."""
    room = max_words - sum(map(len, parts))
    whole: list[Part] = []
    for part in parts:
        wide = tuple(range(compounds[part[0]][0], compounds[part[-1]][1] + 1))
        if whole and part[0] <= whole[-1][-1]:  # the part before was extended over the start of this one
            wide = tuple(range(whole[-1][0], wide[-1] + 1))
            if len(wide) <= len(part) + len(whole[-1]) + room and (toward[list(wide)] >= 0).all():
                room -= len(set(wide) - set(part) - set(whole[-1]))
                whole[-1] = wide
            elif part[-1] > whole[-1][-1]:
                whole.append(tuple(index for index in part if index > whole[-1][-1]))
            continue
        if len(wide) <= len(part) + room and (toward[list(wide)] >= 0).all():
            room -= len(wide) - len(part)
            part = wide
        whole.append(part)
    return whole


def _peak(toward: Floats, part: Part, compounds: Sequence[tuple[int, int]]) -> tuple[Part | None, bool]:
    """The strongest word of a phrase, if it exceeds the others clearly, and whether it dominates them."""
    if len(part) == 1:
        return None, False
    scores = toward[list(part)]
    second, top = np.sort(scores)[-2:].tolist()
    if not (top >= _PEAK * second or (len(part) >= _LONG and top > second * (1 + 1e-6))):
        return None, False
    peak = part[int(np.argmax(scores))]
    low, high = compounds[peak] if compounds else (peak, peak)
    whole = tuple(index for index in part if low <= index <= high)
    return (None, False) if whole == part else (whole, top >= _DOMINANT * second)


def _lesser(evidence: Evidence, toward: Floats, parts: Sequence[Part], most: Part) -> list[Part]:
    """The parts, strongest first. A part that does not fall short of `most` is taken apart into its words."""
    limit = _sum(toward, most)
    lesser: list[Part] = []
    for part in parts:
        total = _sum(toward, part)
        if len(part) == 1 or (total < limit and not evidence.tied(total, limit)):
            lesser.append(part)
        else:
            lesser += [(index,) for index in part if toward[index] >= _PRICE * toward.max()]
    return sorted(lesser, key=lambda part: (-_sum(toward, part), part))
