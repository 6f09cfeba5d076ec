"""Which change of the input a claim about the model is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.masking.effects import Change

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.masking.effects import How

_HOW: dict[str, How] = {"decisive": "without", "sufficient": "alone", "counterfactual": "replaced"}


def change_of(claim: Claim) -> Change | None:
    """The change of the input that the claim is about; `None` if it is about none, or does not say what is changed."""
    how = _HOW.get(claim.kind)
    if how is None or not claim.part or (how == "replaced" and not (claim.replacement or "").strip()):
        return None
    return Change(how, claim.part, claim.replacement if how == "replaced" else None)


def says_change(claim: Claim) -> bool:
    """Whether the claim says that the decision changes. "Not sufficient" says so, and "not decisive" does not."""
    return claim.negated == (claim.kind == "sufficient")
