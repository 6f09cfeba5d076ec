"""Which parts of a map to name in one direction, and which of them may be called the most important."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from verbalize.parts.spans import best_spans_holding, total_order

if TYPE_CHECKING:
    from verbalize.claims.claim import Direction
    from verbalize.evidence import Evidence
    from verbalize.parts.spans import Span
    from verbalize.saliency import Floats, Part

Form: TypeAlias = Literal["top", "equal", "among"]
_EQUALS_NAMED = 4  # the most words in the first place that are all named
_IDLE_WORD = 0.02  # share of the strongest word of a span; weaker words at the ends of the span are cut off
_IDLE_PART = 0.05  # share of the strongest part; weaker parts are dropped unless they contain the top word


@dataclass(frozen=True)
class Standing:
    """The parts to name in one direction.

    Args:
        direction: "supports" or "opposes".
        form: what is true of the leads. "top": there is one lead, and it is the most important part. "equal": the leads are
            words with the same score, and no other word has it. "among": the leads are among the most important parts, and
            some that are equally important are not named.
        leads: the parts to name first.
        also: the other parts, strongest first. One of them may contain a lead.
    """

    direction: Direction
    form: Form
    leads: tuple[Part, ...]
    also: tuple[Part, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """The leads, then the other parts."""
        return self.leads + self.also


def standing(
    evidence: Evidence, direction: Direction, *, max_words: int, max_spans: int, single: bool = False
) -> Standing | None:
    """The best parts in a direction; `None` if no part speaks in that direction.

    They always include the word or region with the highest score. They are the best spans, except that words at the ends of a
    span that add almost nothing are cut off, and spans far weaker than the strongest one are dropped.

    Args:
        evidence: the map.
        direction: "supports" or "opposes".
        max_words: the most words in all parts together. Regions have no such limit.
        max_spans: the most parts.
        single: whether each part is a single word.
    """
    toward = evidence.toward(direction)
    if not len(toward) or toward.max() <= 0:
        return None
    if evidence.pixels or single:
        count = max_spans if evidence.pixels else min(max_words, max_spans)
        parts: list[Part] = [(index,) for index in total_order(toward)[:count]]
    else:
        top = int(np.argmax(toward))
        spans = best_spans_holding(toward, top, max_words=max_words, max_spans=max_spans)
        parts = [_without_idle_ends(toward, span) for span in spans]
        least = _IDLE_PART * max(_sum(evidence, direction, part) for part in parts)
        parts = [part for part in parts if top in part or _sum(evidence, direction, part) >= least]
    parts.sort(key=lambda part: (-_sum(evidence, direction, part), part))
    form, leads = _leads(evidence, direction, parts, _first_places(evidence, direction))
    return Standing(direction, form, leads, tuple(part for part in parts if part not in leads))


def _without_idle_ends(toward: Floats, span: Span) -> Part:
    """The span without the words at its ends that add almost nothing to its sum."""
    scores = toward[span.start : span.stop]
    busy = np.flatnonzero(scores >= _IDLE_WORD * scores.max())
    return tuple(range(span.start + int(busy[0]), span.start + int(busy[-1]) + 1))


def outdoes(evidence: Evidence, direction: Direction, part: Part, other: Part) -> bool:
    """Whether `part` is more important than `other`: its sum and its strongest word are both greater, by more than rounding."""
    toward = evidence.toward(direction)
    pairs = (
        (_sum(evidence, direction, part), _sum(evidence, direction, other)),
        (float(toward[list(part)].max()), float(toward[list(other)].max())),
    )
    return all(mine > theirs and not evidence.tied(mine, theirs) for mine, theirs in pairs)


def _sum(evidence: Evidence, direction: Direction, part: Part) -> float:
    return float(evidence.toward(direction)[list(part)].sum())


def _first_places(evidence: Evidence, direction: Direction) -> list[int]:
    """The words or regions with the greatest score, in a chain of ties, so that none outside is tied with one inside."""
    toward = evidence.toward(direction)
    order = total_order(toward)
    count = 1
    while count < len(order) and evidence.tied(float(toward[order[count - 1]]), float(toward[order[count]])):
        count += 1
    return sorted(order[:count])


def _leads(evidence: Evidence, direction: Direction, parts: list[Part], first: list[int]) -> tuple[Form, tuple[Part, ...]]:
    leads = tuple(part for part in parts if not set(part).isdisjoint(first))
    if set(first) - {index for part in leads for index in part}:
        return "among", leads
    largest = parts[0] == leads[0] and not any(
        evidence.tied(_sum(evidence, direction, part), _sum(evidence, direction, leads[0])) for part in parts[1:]
    )
    if len(leads) == 1 and (len(leads[0]) == 1 or largest):
        return "top", leads
    if len(first) == 1:
        return "top", ((first[0],),)
    return ("equal", tuple((index,) for index in first)) if len(first) <= _EQUALS_NAMED else ("among", leads)
