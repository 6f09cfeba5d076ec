"""Names of parts and scores in messages about false claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.claims.claim import Claim
    from verbalize.evidence import Evidence


def quoted_part(claim: Claim, evidence: Evidence) -> str:
    """The part in quotes: as the text wrote it or, if that is unknown, by its words in the input."""
    if claim.quote:
        return f"'{claim.quote}'"
    return "'" + " ".join(evidence.names[index] for index in claim.part or ()) + "'"


def net_score(evidence: Evidence, part: Sequence[int]) -> str:
    """The net score of a part, to three digits."""
    return f"{float(evidence.net[list(part)].sum()):.3g}"
