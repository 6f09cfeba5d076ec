"""The kinds of claim: the parts that each kind needs, its truth condition, and its form for the mirrored question.

A new kind of claim needs a module with its `falsehood` in one of the wings of this folder, its name in `ClaimKind`, and an
entry in `CLAIM_KINDS`. The table in docs/claims.md is the `summary` and the `truth` of each entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from verbalize.claims import absent
from verbalize.claims.amounts import balance, count, difference, equal, ratio, share
from verbalize.claims.directions import turned, turned_if_directed, unchanged
from verbalize.claims.effects import counterfactual, decisive, sufficient
from verbalize.claims.model import confidence, predicted, runner_up
from verbalize.claims.ranks import least_important, more_important_than, most_important, rank
from verbalize.claims.signs import matters, near_zero, no_clear_evidence, only, strength, supports

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence


class Truth(Protocol):
    """The truth condition of a kind: it returns the falsehood of a claim, `Undecided`, or `None` if the claim is true.

    `check` calls it only for claims whose parts are in the input, and passes its own `bridge`.
    """

    def __call__(self, claim: Claim, evidence: Evidence, bridge: float, /) -> Verdict:
        """The kind of the falsehood and a message, or `Undecided`, or `None`."""
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
        summary: the statement in words, with P for the part and Q for the other part.
        truth: when the statement is true, in words.
        falsehood: the truth condition.
        mirrored: translates a claim about the mirrored question ("B rather than A") into one about the map's question.
        needs_part: whether the claim is about a part.
        needs_other: whether it compares that part with another.
        signed: whether only a map with signed scores can decide it.
        of_model: whether it is about the model's prediction. Then its label need not be that of the map's question.
        of_effect: whether it says what the model does with a changed input. Only a check with the model can decide it.
        of_absence: whether it says that a part is not in the input.
    """

    summary: str
    truth: str
    falsehood: Truth
    mirrored: Mirror
    needs_part: bool = True
    needs_other: bool = False
    signed: bool = False
    of_model: bool = False
    of_effect: bool = False
    of_absence: bool = False


CLAIM_KINDS: Mapping[str, KindOfClaim] = MappingProxyType(
    {
        "supports": KindOfClaim(
            "P speaks for the label",
            "the scores of P sum to more than 0, and no word in P scores below 0",
            supports.falsehood,
            supports.mirrored,
            signed=True,
        ),
        "opposes": KindOfClaim(
            "P speaks against the label",
            "the scores of P sum to less than 0, and no word in P scores above 0",
            supports.falsehood,
            supports.mirrored,
            signed=True,
        ),
        "matters": KindOfClaim(
            "P matters",
            "P is not near zero, and its net score is half the mean of all words' scores, signs aside, or more, or a quarter of"
            " the strongest score, or a tenth of all evidence",
            matters.falsehood,
            turned_if_directed,
        ),
        "near_zero": KindOfClaim(
            "P has hardly any weight",
            "P holds at most 5 % of all evidence and scores at most a tenth of the strongest word; false above a quarter of it",
            near_zero.falsehood,
            turned_if_directed,
        ),
        "strength": KindOfClaim(
            "P speaks strongly, or weakly, for the label",
            "P speaks in the direction, and its score divided by that of the strongest word is the number: strongly is 0.5 to"
            " 1, weakly 0 to 0.5; without a direction, signs do not count",
            strength.falsehood,
            turned_if_directed,
        ),
        "only": KindOfClaim(
            "only P speaks for the label",
            "every word of P speaks in the direction, and no other word of the input does",
            only.falsehood,
            turned,
        ),
        "no_clear_evidence": KindOfClaim(
            "nothing speaks for the label, or against it, or nothing stands out",
            "no score lies in the direction; without a direction, all scores are zero or the same",
            no_clear_evidence.falsehood,
            turned_if_directed,
            needs_part=False,
        ),
        "most_important": KindOfClaim(
            "P matters most",
            "P speaks in the direction, and its strongest word scores higher than every word outside it; a tie makes the claim"
            " false, unless the text says that the place is shared",
            most_important.falsehood,
            turned,
        ),
        "least_important": KindOfClaim(
            "P matters least",
            "every word outside P scores higher, signs aside; with a direction, only the words that speak in it are compared",
            least_important.falsehood,
            turned_if_directed,
        ),
        "rank": KindOfClaim(
            "P is in place k",
            "P speaks in the direction, and exactly k - 1 words outside P score higher than its strongest word; a tie makes the"
            ' claim false, unless the text says that the place is shared. "Among the first three" is any place from 1 to 3,'
            ' "not the first" any place after it',
            rank.falsehood,
            turned,
        ),
        "more_important_than": KindOfClaim(
            "P matters more than Q",
            "P speaks in the direction, and both its sum and its strongest word exceed those of Q, so that the claim is true in"
            ' either sense of "important"',
            more_important_than.falsehood,
            turned,
            needs_other=True,
        ),
        "share": KindOfClaim(
            "P holds this share of the evidence, fills this share of the picture, or has this score",
            "the number is right to its last written digit: 46 % may be 45.5 to 46.5",
            share.falsehood,
            share.mirrored,
        ),
        "equal": KindOfClaim(
            "P and Q have the same weight",
            "their sums differ by at most 5 % of the larger, and so do their strongest words; with a direction, both speak in"
            " it",
            equal.falsehood,
            turned_if_directed,
            needs_other=True,
        ),
        "ratio": KindOfClaim(
            "P has N times the weight of Q",
            "the sum of P divided by the sum of Q, signs aside, is the number; with a direction, both speak in it",
            ratio.falsehood,
            turned_if_directed,
            needs_other=True,
        ),
        "difference": KindOfClaim(
            "P scores N more than Q",
            "the net score of P minus the net score of Q is the number",
            difference.falsehood,
            difference.mirrored,
            needs_other=True,
        ),
        "count": KindOfClaim(
            "N words speak for the label",
            "so many words score above 0 in the direction; without a direction, so many have a score other than 0",
            count.falsehood,
            turned_if_directed,
            needs_part=False,
        ),
        "balance": KindOfClaim(
            "the evidence for the label outweighs the evidence against it",
            "the mass on this side exceeds that of the other; with a number, it is this fraction of all evidence",
            balance.falsehood,
            turned,
            needs_part=False,
            signed=True,
        ),
        "absent": KindOfClaim(
            "P is not in the input",
            "the quoted words are not in the text; of a picture, no map can tell",
            absent.falsehood,
            unchanged,
            needs_part=False,
            of_absence=True,
        ),
        "predicted": KindOfClaim(
            "the model predicted the label",
            "it is the predicted class; if the prediction is not known, it is the label that the map is about",
            predicted.falsehood,
            unchanged,
            needs_part=False,
            of_model=True,
        ),
        "confidence": KindOfClaim(
            "the model gives the label this probability",
            "the number is right to its last written digit; undecided if the probability is not known",
            confidence.falsehood,
            unchanged,
            needs_part=False,
            of_model=True,
        ),
        "runner_up": KindOfClaim(
            "the label is the model's second choice, or is in place k",
            "its score is in this place among the prediction's scores; undecided if these are not known",
            runner_up.falsehood,
            unchanged,
            needs_part=False,
            of_model=True,
        ),
        "decisive": KindOfClaim(
            "without P the decision changes",
            "the model, run on the input without P, predicts another label, in every way of hiding P; if the sentence names the"
            " new label, that one; undecided without the model, or if the ways of hiding P disagree",
            decisive.falsehood,
            unchanged,
            of_effect=True,
        ),
        "sufficient": KindOfClaim(
            "P alone keeps the decision",
            "the model, run on the input of which only P is left, predicts the same label, in every way of hiding the rest;"
            " undecided without the model, or if the ways disagree",
            sufficient.falsehood,
            unchanged,
            of_effect=True,
        ),
        "counterfactual": KindOfClaim(
            "with Y in the place of P the decision changes",
            "the model, run on the text with Y in the place of P, predicts another label; if the sentence names the new label,"
            " that one; undecided without the model, and for pictures",
            counterfactual.falsehood,
            unchanged,
            of_effect=True,
        ),
    }
)
