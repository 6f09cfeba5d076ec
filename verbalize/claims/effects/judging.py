"""Claims about changed inputs, held against what the model says of them.

The decision is the class that the model predicts for the input as it is. If the question of the map is about a group, the
members of the group are one decision, unless the claim names one of them. Regions of pictures are hidden in several ways, and
a claim is true only if it holds in all of them, false if it holds in none, and undecided otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.claims.effects.changes import change_of, says_change
from verbalize.claims.messages import quoted_part
from verbalize.claims.model.names import classes_named, plain, same_name
from verbalize.claims.verdict import Undecided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence
    from verbalize.masking.effects import Answer

NO_MODEL = "only the model can tell, and it was not given; give model="


def judged(claim: Claim, evidence: Evidence) -> Verdict:
    """The falsehood of a claim about a changed input, `Undecided`, or `None` if the model bears it out."""
    if evidence.effects is None:
        return Undecided(NO_MODEL)
    doubt = doubt_of(evidence)
    if doubt is not None:
        return Undecided(doubt)
    (decided,) = evidence.effects.decision.labels
    if claim.label is not None and not _named(claim.label, decided, evidence):
        return "wrong label", f"the model's decision is '{decided}', not '{claim.label}'"
    change = change_of(claim)
    answers = None if change is None else evidence.effects.changed.get(change)
    if answers is None:
        return Undecided("it does not say what is put in the place of the part" if change is None else NO_MODEL)
    if isinstance(answers, str):
        return Undecided(answers)
    same = _same_decision(claim, decided, evidence)
    holds = [_holds(claim, answer, same, evidence) for answer in answers]
    if all(holds):
        return None
    if any(held is not False for held in holds):
        return Undecided(_said(claim, evidence, answers, same, decided))
    return "wrong effect", _said(claim, evidence, answers, same, decided)


def doubt_of(evidence: Evidence) -> str | None:
    """Why nothing can be said of changed inputs: the model has no decision, or another one than the map says; else `None`."""
    if evidence.effects is None:
        return NO_MODEL
    decision, prediction = evidence.effects.decision, evidence.prediction
    if len(decision.labels) > 1:
        return f"the model's scores of {_either(decision.labels)} tie, so it has no decision that could change"
    (decided,) = decision.labels
    if prediction is not None and not _named(prediction.label, decided, evidence):
        return (
            f"the map is of another model: it says that the model predicted '{prediction.label}', and this model says "
            f"'{decided}' ({decision.probability:.1%})"
        )
    return None


def _same_decision(claim: Claim, decided: str, evidence: Evidence) -> frozenset[str]:
    """The classes, as `plain` writes them, that count as the decision: those of the question's group, or the class alone.

    A claim that names one of the classes, as the decision or as what it becomes, is about classes and not about the group.
    """
    group = {plain(name) for name in evidence.query.members}
    named = [name for name in (claim.label, claim.becomes) if name is not None]
    by_class = any(plain(name) in group and not same_name(name, evidence.query.label) for name in named)
    of_group = plain(decided) in group and not by_class
    return frozenset(group) if of_group else frozenset({plain(decided)})


def _named(label: str, decided: str, evidence: Evidence) -> bool:
    """Whether a name is that of the class, or of the question's group with the class in it."""
    return same_name(label, decided) or any(same_name(name, decided) for name in classes_named(label, evidence))


def _holds(claim: Claim, answer: Answer, same: frozenset[str], evidence: Evidence) -> bool | None:
    """Whether the claim holds of one changed input; `None` if scores tie and it holds for some of the tied labels."""
    found = {
        (plain(label) not in same) == says_change(claim) and (claim.becomes is None or _named(claim.becomes, label, evidence))
        for label in answer.labels
    }
    return found.pop() if len(found) == 1 else None


def _said(claim: Claim, evidence: Evidence, answers: Sequence[Answer], same: frozenset[str], decided: str) -> str:
    """What the model says of the changed input, way by way."""
    by_says: dict[str, list[Answer]] = {}
    for answer in answers:
        by_says.setdefault(_says(answer, same, decided, evidence), []).append(answer)
    hidden = "the rest" if claim.kind == "sufficient" else "it"
    if len(by_says) == 1:
        (says,) = by_says
        however = f", however {hidden} is hidden," if answers[0].way else ""
        asked = "" if claim.becomes is None or f"says {_quoted(claim.becomes)}" in says else f", not {_quoted(claim.becomes)}"
        return f"{_changed(claim, evidence)} the model{however} {says} {_sure(answers)}{asked}"
    told = ", ".join(f"{_listed([one.way for one in found])} it {says} {_sure(found)}" for says, found in by_says.items())
    return f"{_changed(claim, evidence)} what the model says depends on how {hidden} is hidden: {told}"


def _changed(claim: Claim, evidence: Evidence) -> str:
    part = quoted_part(claim, evidence)
    if claim.kind == "counterfactual":
        return f"with {_quoted(claim.replacement)} in the place of {part}"
    return f"with {part} alone" if claim.kind == "sufficient" else f"without {part}"


def _says(answer: Answer, same: frozenset[str], decided: str, evidence: Evidence) -> str:
    if len(answer.labels) > 1:
        return f"cannot choose between {_either(answer.labels)}"
    (said,) = answer.labels
    if same_name(said, decided):
        return f"still says '{said}'"
    return f"says '{said}'" + (f", which is of the group '{evidence.query.label}' as well" if plain(said) in same else "")


def _sure(answers: Sequence[Answer]) -> str:
    low, high = (f"{pick(one.probability for one in answers):.1%}" for pick in (min, max))
    return f"({low})" if low == high else f"({low} to {high})"


def _quoted(name: str | None) -> str:
    return f"'{name}'"


def _either(labels: Sequence[str]) -> str:
    return " and ".join(_quoted(label) for label in labels)


def _listed(ways: Sequence[str]) -> str:
    return ways[0] if len(ways) == 1 else ", ".join(ways[:-1]) + " or " + ways[-1]
