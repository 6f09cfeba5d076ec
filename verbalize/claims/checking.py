"""Checking claims against a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verbalize.claims.claim import ERROR_KINDS
from verbalize.claims.kinds import CLAIM_KINDS
from verbalize.claims.labels import is_mirror, wrong_label
from verbalize.evidence import evidence_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from verbalize.claims.claim import Claim, ErrorKind
    from verbalize.evidence import Evidence
    from verbalize.saliency import Saliency


@dataclass(frozen=True, slots=True)
class ClaimError:
    """A false claim, the kind of its falsehood, and a message that says what the map shows instead."""

    kind: ErrorKind
    claim: Claim
    message: str


@dataclass(frozen=True, slots=True)
class UndecidedClaim:
    """A claim that the map can neither bear out nor refute, and a message that says what is missing."""

    claim: Claim
    message: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The outcome of a check: all claims, one error per false claim, and the claims that the map can't decide.

    `bool(report)` is True if all claims are true.
    """

    claims: tuple[Claim, ...]
    errors: tuple[ClaimError, ...]
    undecided: tuple[UndecidedClaim, ...] = ()

    def __bool__(self) -> bool:
        return not self.errors and not self.undecided

    @property
    def precision(self) -> float:
        """True claims divided by true and false claims; 1.0 if there are none.

        A claim about a part that the input lacks is false. Undecided claims don't count.
        """
        decided = len(self.claims) - len(self.undecided)
        return 1.0 - len(self.errors) / decided if decided else 1.0

    def counts(self) -> dict[str, int]:
        """The number of false claims of each error kind."""
        return {kind: sum(error.kind == kind for error in self.errors) for kind in ERROR_KINDS}


def check(claims: Iterable[Claim], saliency: Saliency, *, bridge: float = 0.0) -> CheckReport:
    """Check each claim against the map.

    The truth conditions follow. Scores are those of the words, or the net scores of the regions. For the direction "opposes"
    all scores change their sign first.

    - supports / opposes: the scores of the part sum to more than 0, and none of its words is below `-bridge`. So by default
      a part that contains a word of the other sign is not evidence as a whole. (A region has one score, its net score.)
    - most_important: the part speaks in its direction, and its strongest word scores higher than every word outside the part
      and the parts named with it. A tie makes the claim false, unless the text itself says that the place is shared; in that
      case the part must be among the first three.
    - more_important_than: the part speaks in its direction, and both its sum and its strongest word exceed those of the other
      part. So the claim is true whether "important" means the sum or the strongest word.
    - share: the mass of the part divided by the mass of the whole map, or the net score of the part, is `value` to within
      `tolerance`.
    - no_clear_evidence: no score speaks in the direction. Without a direction: the map is empty, or all its scores are equal.
    - label: a claim that names a label must name the label of the query. On a contrastive map it must also name the labels
      that this label is contrasted with.

    Args:
        claims: the claims.
        saliency: the map that they are about.
        bridge: how far below 0 a single word in a named span may lie, as in `best_spans`.
    """
    evidence = evidence_of(saliency)
    stated = tuple(claims)
    errors: list[ClaimError] = []
    undecided: list[UndecidedClaim] = []
    for claim in stated:
        if claim.kind not in CLAIM_KINDS:
            undecided.append(UndecidedClaim(claim, f"claims of kind {claim.kind} can't be checked yet"))
            continue
        found = wrong_label(claim, evidence.query)
        if found is None:
            kind = CLAIM_KINDS[claim.kind]
            asked = kind.mirrored(claim) if is_mirror(claim, evidence.query) else claim
            found = _missing(asked, evidence) or CLAIM_KINDS[asked.kind].falsehood(asked, evidence, bridge)
        if found is not None:
            errors.append(ClaimError(found[0], claim, found[1]))
    return CheckReport(stated, tuple(errors), tuple(undecided))


def _missing(claim: Claim, evidence: Evidence) -> tuple[ErrorKind, str] | None:
    """The falsehood of a claim that names a part outside the input, or lacks a part that its kind needs; else `None`."""
    noun, whole = ("region", "picture") if evidence.pixels else ("word", "text")
    absent: ErrorKind = "part not in the input"
    for part in (claim.part, claim.other):
        if part is None:
            said = f"'{claim.quote}' is not in the {whole}" if claim.quote else f"a {noun} is named that is not in the {whole}"
            return absent, said
        wrong = [index for index in part if not 0 <= index < len(evidence)]
        if wrong:
            return absent, f"there is no {noun} {wrong[0]}; the {whole} has {len(evidence)}"
    kind = CLAIM_KINDS[claim.kind]
    if (kind.needs_part and not claim.part) or (kind.needs_other and not claim.other):
        return absent, f"the claim '{claim.kind}' names no {noun}"
    return None
