"""What is worth saying of a map in one direction: which parts, and which of them may be called the most important."""

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
_EQUALS_NAMED = 4
_IDLE_WORD = 0.02  # of the strongest word of a span: a word at its end that holds less is left out
_IDLE_PART = 0.05  # of the strongest part: another that holds less is left out, unless it holds the top word


@dataclass(frozen=True)
class Standing:
    """The parts that speak in a direction.

    `form` says what is true of the `leads`: there is one and it is the most important ("top"); they are words that share the
    first place, and no other does ("equal"); they are among the most important, with others that are not named ("among").
    `also` are the other parts, strongest first; one of them may contain a lead.
    """

    direction: Direction
    form: Form
    leads: tuple[Part, ...]
    also: tuple[Part, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """All of them."""
        return self.leads + self.also


def standing(
    evidence: Evidence, direction: Direction, *, max_words: int, max_spans: int, single: bool = False
) -> Standing | None:
    """The best parts in a direction, the top one always among them; `None` where none speaks in that direction.

    They are the best spans, cut down where that costs next to nothing: less idle words at their ends, and less spans that are
    far weaker than the strongest.

    Args:
        evidence: the map.
        direction: "supports" or "opposes".
        max_words: words in all parts together; regions know no such bound.
        max_spans: number of parts.
        single: whether each part is to be a single word.
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
    """The span less the words at its ends that add next to nothing to it."""
    scores = toward[span.start : span.stop]
    busy = np.flatnonzero(scores >= _IDLE_WORD * scores.max())
    return tuple(range(span.start + int(busy[0]), span.start + int(busy[-1]) + 1))


def outdoes(evidence: Evidence, direction: Direction, part: Part, other: Part) -> bool:
    """Whether a part is more important than another, rounding aside, both by its sum and by its strongest word."""
    toward = evidence.toward(direction)
    pairs = (
        (_sum(evidence, direction, part), _sum(evidence, direction, other)),
        (float(toward[list(part)].max()), float(toward[list(other)].max())),
    )
    return all(mine > theirs and not evidence.tied(mine, theirs) for mine, theirs in pairs)


def _sum(evidence: Evidence, direction: Direction, part: Part) -> float:
    return float(evidence.toward(direction)[list(part)].sum())


def _first_places(evidence: Evidence, direction: Direction) -> list[int]:
    """The parts that share the greatest score; each is tied with the one before, so that no outsider is tied with any."""
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
