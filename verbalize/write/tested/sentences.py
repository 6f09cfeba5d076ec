"""The sentences about what the model does with a changed input, each with its claims. `template` lists their shapes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from verbalize.claims.checking import check_evidence
from verbalize.claims.claim import Claim
from verbalize.claims.effects.judging import doubt_of
from verbalize.claims.model.names import same_name
from verbalize.saliency import SaliencyError
from verbalize.write.naming import capital, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from verbalize.masking.effects import Change
    from verbalize.saliency import Part
    from verbalize.write.draft import Draft
    from verbalize.write.tested.parts import Tested


def say_tested(draft: Draft, tested: Tested, *, paragraph: bool, mask_labels: bool) -> None:
    """Say what the model does without the leads, and with each of them alone; of a paragraph's other parts, which are decisive.

    A sentence is written only if its claims hold in every way of hiding the part. If the model has no decision, because its
    scores tie, nothing is said.

    Raises:
        SaliencyError: the map says that the model predicted another label than it does.
    """
    effects = draft.evidence.effects
    if effects is None or not tested.changes:
        return
    if len(effects.decision.labels) > 1:
        return
    doubt = doubt_of(draft.evidence)
    if doubt is not None:
        raise SaliencyError(doubt)
    voice = _Model(draft, mask_labels=mask_labels)
    decisive = [part for part in tested.leads if voice.holds(Claim("decisive", part))]
    for part in tested.leads:
        if part in decisive:
            voice.say_changes("decisive", part)
        elif voice.holds(Claim("decisive", part, negated=True)):
            voice.say_stays(part, disagrees=tested.first and voice.is_first(part))
    for part in tested.others:
        if voice.holds(Claim("decisive", part)):
            voice.say_changes("decisive", part)
    for part in tested.leads:
        if voice.holds(Claim("sufficient", part)):
            voice.say_enough(part)
        elif paragraph and voice.holds(Claim("sufficient", part, negated=True)):
            voice.say_changes("sufficient", part)
    for part, words in tested.swaps:
        voice.say_replaced(part, words)


class _Model:
    """How the model's decision is spoken of: by its label or, if labels are masked or can't be quoted, without it."""

    def __init__(self, draft: Draft, *, mask_labels: bool) -> None:
        self._draft, self._evidence = draft, draft.evidence
        effects = draft.evidence.effects
        decided = effects.decision.labels[0] if effects is not None else ""
        query = draft.evidence.query
        known = (query.label, *query.versus, *(draft.evidence.prediction.scores if draft.evidence.prediction else ()))
        in_group = any(same_name(name, decided) for name in query.members)
        # the name as the map writes it, which is how readers of the text know it
        name = query.label if in_group else next((one for one in known if same_name(one, decided)), decided)
        self.explained = in_group or same_name(query.label, decided)  # whether the map is about the decision
        self._masked = mask_labels or quoted(name) is None
        self._name = name

    def holds(self, claim: Claim) -> bool:
        """Whether a claim is true, in every way of hiding the part."""
        return bool(check_evidence([claim], self._evidence))

    def is_first(self, part: Part) -> bool:
        """Whether the map is about the decision, has signs, and scores no word as high against the label as the part's best."""
        evidence = self._evidence
        best, against = float(evidence.net[list(part)].max()), float(-evidence.net.min())
        return self.explained and evidence.signed and best > against and not evidence.tied(best, against)

    def say_changes(self, kind: str, part: Part) -> None:
        """Say that without the part, or with it alone, the model changes its decision, and to what."""
        name = self._draft.name(part)
        claim = Claim("sufficient", part, negated=True) if kind == "sufficient" else Claim("decisive", part)
        becomes = None if self._masked else self._becomes(claim)
        if becomes is not None:
            start = f"with {name} alone" if kind == "sufficient" else f"without {name}"
            self._say(f"{start}, the model says {quoted(becomes)} instead of {self._label}", replace(claim, becomes=becomes))
        elif kind == "decisive":
            self._say(f"without {name}, the model changes its decision", claim, labelled=False)
        elif self._masked:
            self._say(f"{name} alone is not enough for the model's decision", claim)
        else:
            self._say(f"{name} alone is not enough for the model to say {self._label}", claim)

    def say_stays(self, part: Part, *, disagrees: bool) -> None:
        """Say that the model keeps its decision without the part. If it `disagrees`, the part is the map's most important."""
        name, claim = self._draft.name(part), Claim("decisive", part, negated=True)
        keeps = "keeps its decision" if self._masked else f"still says {self._label}"
        if not disagrees:
            self._say(f"without {name}, the model {keeps}", claim)
            return
        one, _ = self._draft.nouns([part])
        first = Claim("most_important", part, direction="supports")
        self._write(f"the map's most important {one} is {name}; without it the model {keeps}", first, self._named(claim))

    def say_enough(self, part: Part) -> None:
        """Say that the part alone keeps the decision."""
        name = self._draft.name(part)
        what = "the model's decision" if self._masked else f"the model to say {self._label}"
        self._say(f"{name} alone is enough for {what}", Claim("sufficient", part))

    def say_replaced(self, part: Part, words: str) -> None:
        """Say what the model does with other words in the place of the part; nothing if its scores tie then."""
        start = f"with {quoted(words)} in place of {self._draft.name(part)}, the model"
        claim = Claim("counterfactual", part, replacement=words)
        becomes = None if self._masked else self._becomes(claim)
        if self.holds(claim) and becomes is not None:
            self._say(f"{start} says {quoted(becomes)} instead of {self._label}", replace(claim, becomes=becomes))
        elif self.holds(claim):
            self._say(f"{start} changes its decision", claim, labelled=False)
        elif self.holds(replace(claim, negated=True)):
            keeps = "keeps its decision" if self._masked else f"still says {self._label}"
            self._say(f"{start} {keeps}", replace(claim, negated=True))

    @property
    def _label(self) -> str:
        return quoted(self._name) or ""

    def _becomes(self, claim: Claim) -> str | None:
        """The label that the model gives to the changed input in every way of hiding; `None` if there is more than one."""
        effects = self._evidence.effects
        labels: set[str] = set()
        for change in _changes(claim):
            answers = effects.changed.get(change, ()) if effects is not None else ()
            labels |= {label for answer in answers if not isinstance(answer, str) for label in answer.labels}
        if len(labels) != 1 or quoted(next(iter(labels))) is None:
            return None
        (label,) = labels
        query, prediction = self._evidence.query, self._evidence.prediction
        known = (query.label, *query.versus, *query.members, *(prediction.scores if prediction else ()))
        return next((name for name in known if same_name(name, label)), label)

    def _say(self, clause: str, claim: Claim, *, labelled: bool = True) -> None:
        self._write(clause, self._named(claim) if labelled else claim)

    def _write(self, clause: str, *claims: Claim) -> None:
        """Add a sentence. Its claims have their labels already, which `Draft.say` would take from the question."""
        self._draft.sentences.append(capital(clause) + ".")
        self._draft.claims += claims

    def _named(self, claim: Claim) -> Claim:
        return claim if self._masked else replace(claim, label=self._name)


def _changes(claim: Claim) -> Iterable[Change]:
    from verbalize.claims.effects.changes import change_of

    change = change_of(claim)
    return () if change is None else (change,)
