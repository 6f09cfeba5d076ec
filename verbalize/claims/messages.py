"""Names of parts and scores in messages about claims that are not true."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.claims.claim import Claim
    from verbalize.evidence import Evidence

_MOST_NAMED = 6  # words of a part that a message names; a longer list would not be read


def quoted_part(claim: Claim, evidence: Evidence) -> str:
    """The part in quotes: as the text wrote it or, if that is unknown, by its words in the input; apart, each in its own."""
    if claim.quote:
        part, names = claim.part or (), claim.quote.split(", ")
        if len(names) > 1 and part and part[-1] - part[0] >= len(part):  # words that stand apart were quoted one by one
            return ", ".join(f"'{name}'" for name in names[:-1]) + f" and '{names[-1]}'"
        return f"'{claim.quote}'"
    return quoted(claim.part or (), evidence)


def quoted(part: Sequence[int], evidence: Evidence) -> str:
    """The words of a part in quotes, or the names of its regions. Of a long part, only the first few."""
    shown = " ".join(evidence.names[index] for index in part[:_MOST_NAMED])
    return f"'{shown} ...'" if len(part) > _MOST_NAMED else f"'{shown}'"


def net_score(evidence: Evidence, part: Sequence[int]) -> str:
    """The net score of a part, to three digits."""
    return f"{float(evidence.net[list(part)].sum()) * evidence.unit:.3g}"


def counted(number: int, evidence: Evidence) -> str:
    """A number of words, or of regions: "1 word", "3 regions"."""
    noun = "region" if evidence.pixels else "word"
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def side(direction: str | None) -> str:
    """The word "for" or "against"."""
    return "against" if direction == "opposes" else "for"
