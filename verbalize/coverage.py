"""How much of a map's evidence lies in the parts that a text names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.evidence import evidence_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from verbalize.claims import Claim
    from verbalize.saliency import Saliency


def coverage_of(claims: Iterable[Claim], saliency: Saliency) -> float:
    """The share of the map's positive mass that lies in the named parts, 0..1; of all mass where nothing is positive.

    0.0 on a map without any mass.
    """
    evidence = evidence_of(saliency)
    named = sorted({i for claim in claims for part in (claim.part, claim.other) for i in part or () if 0 <= i < len(evidence)})
    of = "positive" if evidence.positive_mass > 0 else "absolute"
    total = evidence.total(of)
    return min(1.0, evidence.mass(named, of) / total) if total and named else 0.0
