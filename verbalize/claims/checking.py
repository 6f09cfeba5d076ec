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
    """A claim that is false of the map, the kind of falsehood, and a message that says what is true instead."""

    kind: ErrorKind
    claim: Claim
    message: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The outcome of a check: all claims, and the errors in those that are false. `bool(report)` says whether all are true."""

    claims: tuple[Claim, ...]
    errors: tuple[ClaimError, ...]

    def __bool__(self) -> bool:
        return not self.errors

    @property
    def precision(self) -> float:
        """True claims divided by all claims, 1.0 where nothing is claimed; what is not in the input is false."""
        return 1.0 - len(self.errors) / len(self.claims) if self.claims else 1.0

    def counts(self) -> dict[str, int]:
        """The number of false claims of each error kind."""
        return {kind: sum(error.kind == kind for error in self.errors) for kind in ERROR_KINDS}


def check(claims: Iterable[Claim], saliency: Saliency, *, bridge: float = 0.0) -> CheckReport:
    """Check each claim against the map.

    The truth conditions, with s for the scores of the words (or the net scores of the regions), which change their sign for
    the direction "opposes":

    - supports / opposes: the scores of the part sum to more than 0, and none of its words is below `-bridge`. So, by
      default, no word of the other sign is passed off as part of the evidence. (A region has one score, its net score.)
    - most_important: the part speaks in its direction and holds a word with a score that no word outside the parts named
      with it reaches. A tie with an outsider makes "the most important" false, unless the text itself says that the place
      is shared; in that case the part must be among the first three.
    - more_important_than: the part speaks in its direction, and beats the other part both by its sum and by its strongest
      word, so that the claim is true whichever of the two "important" means.
    - share: the mass of the part divided by the mass of the whole map, or the net score of the part, is `value` to within
      `tolerance`.
    - no_clear_evidence: nothing speaks in the direction. Without a direction: the map is empty, all zero, or all the same.
    - label: a claim that names a label must name that of the query, and a claim about a contrastive map also what the label
      is contrasted with.

    Args:
        claims: the claims.
        saliency: the map that they are about.
        bridge: how far below 0 a single word in a named span may lie, as in `best_spans`.
    """
    evidence = evidence_of(saliency)
    stated = tuple(claims)
    errors: list[ClaimError] = []
    for claim in stated:
        found = wrong_label(claim, evidence.query)
        if found is None:
            kind = CLAIM_KINDS[claim.kind]
            asked = kind.mirrored(claim) if is_mirror(claim, evidence.query) else claim
            found = _missing(asked, evidence) or CLAIM_KINDS[asked.kind].falsehood(asked, evidence, bridge)
        if found is not None:
            errors.append(ClaimError(found[0], claim, found[1]))
    return CheckReport(stated, tuple(errors))


def _missing(claim: Claim, evidence: Evidence) -> tuple[ErrorKind, str] | None:
    """What a claim names that is not in the input, or lacks though its kind needs it."""
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
