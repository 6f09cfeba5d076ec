"""Checking claims against a map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError
from verbalize.claims.claim import ERROR_KINDS
from verbalize.claims.effects.changes import change_of
from verbalize.claims.effects.compared import compared_with, note_of
from verbalize.claims.effects.predictions import judged_prediction
from verbalize.claims.kinds import CLAIM_KINDS
from verbalize.claims.labels import is_mirror, wrong_label
from verbalize.claims.verdict import Undecided
from verbalize.evidence import evidence_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verbalize.claims.claim import Claim, ErrorKind
    from verbalize.claims.verdict import Falsehood, Verdict
    from verbalize.evidence import Evidence
    from verbalize.masking.effects import Change, Effects
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
    """The outcome of a check: all claims, one error per false claim, the claims that the map can't decide, and notes.

    A note says how little a true claim may tell: a part alone is enough, and so are other parts of as many words.

    `bool(report)` is True if all claims are true.
    """

    claims: tuple[Claim, ...]
    errors: tuple[ClaimError, ...]
    undecided: tuple[UndecidedClaim, ...] = ()
    notes: tuple[str, ...] = ()

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


def check(claims: Iterable[Claim], saliency: Saliency, model: Any = None, *, bridge: float = 0.0) -> CheckReport:
    """Check each claim against the map, or run the model on changed inputs: it is true, false, or undecided.

    `CLAIM_KINDS` holds the truth condition of each kind, and docs/claims.md shows them as a table. Scores are those of the
    words, or the net scores of the regions. For the direction "opposes" all scores change their sign first. Besides:

    - A claim that names a label must name the label of the query. On a contrastive map it must also name the labels that this
      label is contrasted with. Claims about the model's prediction may name any label. The label of a claim about a changed
      input ("decisive", "sufficient", "counterfactual") is the model's decision.
    - A claim about a part that is not in the input is false.
    - An unsigned map can't decide what speaks for a label or against it, and can't answer the mirrored question.
    - Claims about changed inputs are undecided without the model, if the map says that the model predicted another label, and
      if the two highest scores of the model tie.
    - Claims about the prediction ("predicted", "confidence", "runner_up") are decided by the model, if it is given, where the
      map does not know. They are undecided where the map says of the prediction what the model does not bear out.

    Args:
        claims: the claims.
        saliency: the map that they are about.
        model: the model that the map explains, as `verbalize.models.as_model` takes it. It decides claims about changed inputs
            and about the prediction; all inputs share its calls, and each distinct one is run once. Of claims of other kinds it
            is not asked.
        bridge: how far below 0 a single word in a named span may lie, as in `best_spans`.

    Raises:
        UsageError: the model can't be run on the inputs.
    """
    stated = tuple(claims)
    evidence = evidence_of(saliency)
    if model is not None:
        (found,) = with_effects([(stated, evidence, saliency)], model)
        if isinstance(found, UsageError):
            raise found
        evidence = found
    return check_evidence(stated, evidence, bridge=bridge)


def check_evidence(claims: Iterable[Claim], evidence: Evidence, *, bridge: float = 0.0) -> CheckReport:
    """Check each claim as `check` does, against evidence that may hold what the model says of changed inputs."""
    stated = tuple(claims)
    errors: list[ClaimError] = []
    undecided: list[UndecidedClaim] = []
    notes: list[str] = []
    for claim in stated:
        verdict = _judge(claim, evidence, bridge)
        if isinstance(verdict, Undecided):
            undecided.append(UndecidedClaim(claim, verdict.message))
        elif verdict is not None:
            errors.append(ClaimError(verdict[0], claim, verdict[1]))
        elif (message := note_of(claim, evidence)) is not None:
            notes.append(message)
    return CheckReport(stated, tuple(errors), tuple(undecided), tuple(notes))


def with_effects(stated: Sequence[tuple[Iterable[Claim], Evidence, Saliency]], model: Any) -> list[Evidence | UsageError]:
    """The evidence of each map with what the model says of its input, and of the changed inputs that the claims are about.

    Inputs of all maps share the calls of the model. Where a map's claims are about no changed input and not about the
    prediction, its evidence is returned as it is; where the model can't be run on its inputs, the error.

    Raises:
        UsageError: there is no such model.
    """
    from verbalize.masking.asking import ask_model  # imports torch, which checks without a model do not need

    listed = [tuple(claims) for claims, _, _ in stated]
    changes = [changes_named(claims, evidence) for claims, (_, evidence, _) in zip(listed, stated, strict=True)]
    known = [evidence.effects for _, evidence, _ in stated]
    asked = [
        index for index, claims in enumerate(listed) if changes[index] or (known[index] is None and is_of_prediction(claims))
    ]
    inputs = [(stated[index][2], changes[index]) for index in asked]
    answered = ask_model(model, inputs, known=[known[index] for index in asked])
    found: list[Evidence | UsageError] = [evidence for _, evidence, _ in stated]
    for index, effects in zip(asked, answered, strict=True):
        found[index] = effects if isinstance(effects, UsageError) else replace(stated[index][1], effects=effects)
    return found


def decisions_of(maps: Sequence[Saliency], model: Any) -> list[Effects | None]:
    """What the model says of the input of each map, as it is; `None` where it can't be run on it.

    Raises:
        UsageError: there is no such model.
    """
    from verbalize.masking.asking import ask_model  # imports torch

    answered = ask_model(model, [(saliency, ()) for saliency in maps]) if maps else []
    return [None if isinstance(effects, UsageError) else effects for effects in answered]


def with_predictions(maps: Iterable[Saliency], model: Any) -> list[Saliency]:
    """The maps with what the model predicts of their inputs, where they do not say it and the model can be run on them.

    Raises:
        UsageError: there is no such model.
    """
    found = list(maps)
    lacking = [index for index, saliency in enumerate(found) if saliency.prediction is None]
    for index, effects in zip(lacking, decisions_of([found[index] for index in lacking], model), strict=True):
        if effects is not None and effects.prediction is not None:
            found[index] = replace(found[index], prediction=effects.prediction)
    return found


def is_of_prediction(claims: Iterable[Claim]) -> bool:
    """Whether one of the claims is about what the model predicts of the input as it is."""
    return any(CLAIM_KINDS[claim.kind].of_model for claim in claims)


def changes_named(claims: Iterable[Claim], evidence: Evidence) -> tuple[Change, ...]:
    """The distinct changes of the input that claims are about, of parts that are in it, and what these are compared with."""
    there = [claim for claim in claims if _missing(claim, evidence) is None]
    named = [change for claim in there if (change := change_of(claim)) is not None]
    return tuple(dict.fromkeys([*named, *(change for claim in there for change in compared_with(claim, evidence))]))


def check_against(claims: Iterable[Claim], evidence: Evidence) -> list[bool | None]:
    """For each claim whether it is true of the evidence; `None` if the evidence can't decide it."""
    verdicts = [_judge(claim, evidence, 0.0) for claim in claims]
    return [None if isinstance(verdict, Undecided) else verdict is None for verdict in verdicts]


def _judge(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    kind = CLAIM_KINDS[claim.kind]
    if kind.of_model:
        return judged_prediction(claim, evidence, bridge, falsehood=kind.falsehood)
    if kind.of_effect:
        return _missing(claim, evidence) or kind.falsehood(claim, evidence, bridge)
    wrong = wrong_label(claim, evidence.query)
    if wrong is not None:
        return wrong
    mirror = is_mirror(claim, evidence.query)
    asked = kind.mirrored(claim) if mirror else claim
    missing = _missing(asked, evidence)
    if missing is not None:
        return missing
    if not evidence.signed and not kind.of_absence and (mirror or _names_a_side(asked)):
        return Undecided("the scores of this map have no sign: they say how much a part matters, not which way it speaks")
    if asked.part and not kind.needs_part and not kind.of_absence:
        return Undecided(f"a claim of kind {claim.kind} is about the whole map, not about a part of it")
    return CLAIM_KINDS[asked.kind].falsehood(asked, evidence, bridge)


def _names_a_side(claim: Claim) -> bool:
    return CLAIM_KINDS[claim.kind].signed or claim.direction is not None or (claim.kind == "share" and claim.of == "negative")


def _missing(claim: Claim, evidence: Evidence) -> Falsehood | None:
    """The falsehood of a claim that names a part outside the input, or lacks a part that its kind needs; else `None`."""
    noun, whole = ("region", "picture") if evidence.pixels else ("word", "text")
    kind = CLAIM_KINDS[claim.kind]
    for part in (claim.part, claim.other):
        if part is None and not kind.of_absence:
            said = f"'{claim.quote}' is not in the {whole}" if claim.quote else f"a {noun} is named that is not in the {whole}"
            return "part not in the input", said
        # parts are in ascending order
        if part and not (part[0] >= 0 and part[-1] < len(evidence)):
            wrong = part[0] if part[0] < 0 else part[-1]
            return "part not in the input", f"there is no {noun} {wrong}; the {whole} has {len(evidence)}"
    if (kind.needs_part and not claim.part) or (kind.needs_other and not claim.other):
        return "part not in the input", f"the claim '{claim.kind}' names no {noun}"
    return None
