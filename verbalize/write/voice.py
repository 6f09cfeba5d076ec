"""How sentences speak of one direction of a map: "speaks for", "speaks against" or, of an unsigned map, "matters"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verbalize.claims.claim import Claim

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verbalize.claims.claim import Direction
    from verbalize.evidence import Evidence
    from verbalize.saliency import Part, Saliency

LABEL_FREE = frozenset({"class_attention", "eigen_cam", "rollout", "token_cut", "fixations"})
"""The methods whose maps are the same for every label, or of no model at all: sentences about them name no decision."""


def names_label(saliency: Saliency) -> bool:
    """Whether a map is about its label, so that sentences may name the decision on it."""
    return saliency.method not in LABEL_FREE


@dataclass(frozen=True)
class Voice:
    """The words and claims for one direction of a map.

    Args:
        verb: what several parts do: "speak", or "matter" on an unsigned map.
        side: the words before the query: "for", "against", or "in the decision on"; none if the map is about no label.
        direction: the direction in claims; `None` on an unsigned map, whose scores have none.
    """

    verb: str
    side: str
    direction: Direction | None

    @classmethod
    def of(cls, evidence: Evidence, direction: Direction, *, label: bool = True) -> Voice:
        """The voice for a direction of a map. An unsigned map has one voice, whatever the direction.

        Args:
            evidence: the map.
            direction: the direction.
            label: whether the map is about its label (`names_label`).
        """
        if not evidence.signed:
            return cls("matter", "in the decision on" if label else "", None)
        return cls("speak", "against" if direction == "opposes" else "for", direction)

    def does(self, parts: Sequence[Part]) -> str:
        """The verb for the parts, in singular or plural."""
        return self.verb if len(parts) > 1 else f"{self.verb}s"

    def about(self, frame: str) -> str:
        """The words that name the query after the verb, with a blank before them; nothing if the map is about no label."""
        return f" {self.side} {frame}" if self.side else ""

    def also(self, pronoun: str) -> str:
        """The words after "also speaks": the query as a pronoun, which an unsigned map does without."""
        return f" {self.side} {pronoun}" if self.direction else ""

    def signs(self, parts: Iterable[Part]) -> list[Claim]:
        """The claims that the parts speak in the direction, or matter."""
        return [Claim(self.direction or "matters", part) for part in parts]
