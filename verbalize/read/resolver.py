"""Decides which place in the input a mention means if it could mean several."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.evidence import Evidence
    from verbalize.read.marking.numbers import Number
    from verbalize.read.marking.tokens import PartMark
    from verbalize.saliency import Part

Aim: TypeAlias = Literal["supports", "opposes", "least", "number"]


@dataclass(frozen=True, slots=True)
class Mention:
    """A part as a text mentions it, with the number that stands beside it."""

    mark: PartMark
    ordinal: int | None = None
    times: int = 1
    number: Number | None = None

    @property
    def quote(self) -> str:
        """The words as written."""
        return self.mark.quote

    @property
    def places(self) -> tuple[Part, ...]:
        """The places in the input that it may mean."""
        return self.mark.places


@dataclass(frozen=True)
class Named:
    """A part as a text names it; `part` is `None` where it is not in the input."""

    mark: Mention
    part: Part | None


@dataclass
class Resolver:
    """Chooses among the places of a mention.

    An ordinal decides ("the second 'great'"). Without one, the statement gets the benefit of the doubt: the resolver chooses
    the place for which the statement comes nearest to being true, and the leftmost of equally good places. So a statement
    about an ambiguous word is false only if it is false for every place. Where places speak for different sides,
    `doubtful` is set, and a statement about the side is not verified. A word that a list names twice means two places.
    """

    evidence: Evidence
    doubtful: bool = False
    _used: set[Part] = field(default_factory=set)

    def resolve(
        self, marks: Sequence[Mention], aim: Aim, value: float = 0.0, of: str = "score", *, fresh: bool = True
    ) -> list[Named]:
        """The part that each mention of a list means."""
        if fresh:
            self._used = set()
        named: list[Named] = []
        for mark in marks:
            count = max(1, min(mark.times, len(mark.places)))
            for _ in range(count):
                part = self._choose(mark, aim, value, of)
                if part is not None:
                    self._used.add(part)
                named.append(Named(mark, part))
        return named

    def _choose(self, mark: Mention, aim: Aim, value: float, of: str) -> Part | None:
        places = mark.places
        if mark.ordinal is not None:
            index = mark.ordinal - 1 if mark.ordinal > 0 else len(places) - 1
            return places[index] if 0 <= index < len(places) else None
        if len(places) <= 1:
            return places[0] if places else None
        free = [part for part in places if part not in self._used] or list(places)
        signs = {float(self.evidence.net[list(part)].sum()) > 0 for part in free}
        self.doubtful = self.doubtful or (len(signs) > 1 and aim in ("supports", "opposes"))
        return min(free, key=lambda part: self._distance(part, aim, value, of))

    def _distance(self, part: Part, aim: Aim, value: float, of: str) -> tuple[float, float]:
        scores = self.evidence.net[list(part)]
        total = float(scores.sum())
        if aim == "supports":
            return (-total, -float(scores.max()))
        if aim == "opposes":
            return (total, float(scores.min()))
        if aim == "least":
            return (float(np.abs(scores).sum()), total)
        mass = self.evidence.mass(part, of)
        whole = self.evidence.total(of) if of != "score" else 1.0
        return (abs(mass / whole - value) if whole else 0.0, total)
