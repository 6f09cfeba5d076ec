"""The kinds of claim: the parts that each kind needs, its truth condition, and its form for the mirrored question.

A new kind of claim needs a module in this folder with its `falsehood`, its name in `ClaimKind`, and an entry in `CLAIM_KINDS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from verbalize.claims import more_important_than, most_important, no_clear_evidence, share, supports

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verbalize.claims.claim import Claim, ErrorKind
    from verbalize.evidence import Evidence


class Truth(Protocol):
    """The truth condition of a kind: it returns the falsehood of a claim, or `None` if the claim is true.

    `check` calls it only for claims whose parts are in the input, and passes its own `bridge`.
    """

    def __call__(self, claim: Claim, evidence: Evidence, bridge: float, /) -> tuple[ErrorKind, str] | None:
        """The kind of the falsehood and a message, or `None`."""
        ...


class Mirror(Protocol):
    """Translates a claim about "B rather than A" into one about "A rather than B": the same evidence with reversed signs."""

    def __call__(self, claim: Claim, /) -> Claim:
        """The translated claim, for the question that the map answers."""
        ...


@dataclass(frozen=True)
class KindOfClaim:
    """A kind of claim.

    Args:
        summary: the statement in words, with P for the part.
        falsehood: the truth condition.
        mirrored: translates a claim about the mirrored question ("B rather than A") into one about the map's question.
        needs_part: whether the claim is about a part.
        needs_other: whether it compares that part with another.
    """

    summary: str
    falsehood: Truth
    mirrored: Mirror
    needs_part: bool = True
    needs_other: bool = False


CLAIM_KINDS: Mapping[str, KindOfClaim] = MappingProxyType(
    {
        "supports": KindOfClaim("P speaks for the label", supports.falsehood, supports.mirrored),
        "opposes": KindOfClaim("P speaks against the label", supports.falsehood, supports.mirrored),
        "most_important": KindOfClaim("P is the most important part", most_important.falsehood, supports.turned),
        "more_important_than": KindOfClaim(
            "P is more important than another part", more_important_than.falsehood, supports.turned, needs_other=True
        ),
        "share": KindOfClaim("P holds this share of the evidence, or has this score", share.falsehood, share.mirrored),
        "no_clear_evidence": KindOfClaim(
            "nothing speaks for the label, or against it, or nothing stands out",
            no_clear_evidence.falsehood,
            no_clear_evidence.mirrored,
            needs_part=False,
        ),
    }
)
