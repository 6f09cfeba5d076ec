"""Makes the claims of a clause about effects from what its pattern captured."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verbalize.claims.claim import Claim
from verbalize.claims.model.names import classes_named, same_name
from verbalize.read.effects.implied import Implied
from verbalize.read.effects.skeleton import name_of
from verbalize.read.effects.words import PRONOUNS
from verbalize.read.mentions import Unclear, mentions_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from verbalize.claims.claim import ClaimKind
    from verbalize.evidence import Evidence
    from verbalize.read.effects.conditions import Change
    from verbalize.read.effects.outcomes import Outcome
    from verbalize.read.effects.skeleton import Skeleton
    from verbalize.read.resolver import Mention
    from verbalize.saliency import Part

    Mentions: TypeAlias = "tuple[Mention, ...]"
    Found: TypeAlias = "dict[str, tuple[int, int]]"

_KINDS: Mapping[Change, ClaimKind] = {"hidden": "decisive", "alone": "sufficient", "replaced": "counterfactual"}
_PRONOUN = re.compile(f"(?:{PRONOUNS})")
_MANY = re.compile("them|they|these .*|those .*")
_COLLECTIVE = re.compile(r"\btogether\b")
_MOST_WORDS = 60  # of an input of each word of which a sentence speaks


@dataclass(frozen=True)
class EffectReading:
    """What a sentence, or a clause of it, says: its claims, the names of the rules that read it, and the parts it is about.

    `implied` is what its statements about the map say of the model besides.
    """

    claims: tuple[Claim, ...]
    rules: tuple[str, ...]
    subject: Mentions
    implied: tuple[Implied, ...] = ()


class Maker:
    """Makes the claims of a clause. Each method returns a function that makes them, or raises `Unclear`."""

    def __init__(self, skeleton: Skeleton, evidence: Evidence, subject: Mentions) -> None:
        self.skeleton, self.evidence, self.subject = skeleton, evidence, subject
        prediction = evidence.prediction
        self.original = None if prediction is None else prediction.label

    def effect(self, change: Change, condition: Found, outcome: Outcome, result: Found) -> Callable[[], EffectReading]:
        """A change of the input, and what the model does with it."""

        def make() -> EffectReading:
            mentions, part = self.part(condition["part"])
            changed, becomes, label = self.outcome(change, outcome, result)
            if changed and "both" in condition and becomes is not None:
                changed, becomes, label = False, None, becomes  # "with or without it, the model says ...": now, too
            if changed and becomes is None and condition.keys() & {"even", "both"}:
                raise Unclear
            replacement = self.replacement(condition["replacement"], part) if change == "replaced" else None
            claim = Claim(
                _KINDS[change], part, label=label, becomes=becomes, negated=changed == (change == "alone"),
                replacement=replacement, quote=quote_of(mentions),
            )  # fmt: skip
            return EffectReading((claim,), (f"effect: {change}",), mentions)

        return make

    def verdict(self, found: Found, *, decisive: bool | None, sufficient: bool | None) -> Callable[[], EffectReading]:
        """A part of which the clause says whether it is decisive, and whether it is sufficient."""

        def make() -> EffectReading:
            mentions, part = self.part(found["part"])
            if decisive is not None and len(mentions) > 1 and not _COLLECTIVE.search(self.skeleton.text):
                raise Unclear  # each of them, or all together?
            label = self.label(found.get("label"))
            if label is not None and sufficient is not None and decisive is None and not self.is_decision(label):
                if not sufficient:
                    raise Unclear  # that the part alone does not give another label
                claim = Claim("sufficient", part, becomes=label, negated=True, quote=quote_of(mentions))
                return EffectReading((claim,), ("effect: verdict",), mentions)
            stated: list[tuple[ClaimKind, bool | None]] = [("decisive", decisive), ("sufficient", sufficient)]
            quote = quote_of(mentions)
            claims = tuple(
                Claim(kind, part, label=label, negated=not true, quote=quote) for kind, true in stated if true is not None
            )
            return EffectReading(claims, ("effect: verdict",), mentions)

        return make

    def pair(self, match: re.Match[str], *, decisive: bool) -> Callable[[], EffectReading]:
        """Two parts, of each of which the clause says whether it is decisive."""

        def make() -> EffectReading:
            spans = [match.span(name) for name in ("part_1", "part_2")]
            label = self.label(groups_of(match).get("label"))
            claims: list[Claim] = []
            named: list[Mention] = []
            for span in spans:
                mentions, part = self.part(span)
                named += mentions
                claims.append(Claim("decisive", part, label=label, negated=not decisive, quote=quote_of(mentions)))
            return EffectReading(tuple(claims), ("effect: verdict",), tuple(named))

        return make

    def every(self, found: Found, *, named: bool | None, others: bool) -> Callable[[], EffectReading]:
        """Every part, of each of which the clause says whether it is decisive; some of them may be named as the exception.

        Of several that are named it does not say whether it means each of them or all together, nor of a phrase whether it
        means its words: it is true only if it is true in each of these senses.
        """

        def make() -> EffectReading:
            mentions, part = self.part(found["part"]) if named is not None else ((), ())
            words = [i for i, name in enumerate(self.evidence.names) if self.evidence.pixels or any(map(str.isalnum, name))]
            if part is None or len(words) > _MOST_WORDS:
                raise Unclear
            label = self.label(found.get("label"))
            rest = tuple(Claim("decisive", (i,), label=label, negated=not others) for i in words if i not in part)
            senses = tuple(
                (*(Claim("decisive", one, label=label, negated=not named, quote=quote) for one, quote in parts), *rest)
                for parts in self.senses(mentions, part)
            )
            if len(senses) > 1:
                return EffectReading((), ("effect: every part",), mentions, (Implied(senses, first=True),))
            return EffectReading(senses[0] if senses else rest, ("effect: every part",), mentions)

        return make

    def senses(self, mentions: Mentions, part: Part) -> list[tuple[tuple[Part, str | None], ...]]:
        """What may be meant by parts that are named: each of them, all together, or each word of them; with quotations."""
        each = tuple((place, mention.quote) for mention in mentions if (place := _place(mention)))
        together = ((part, quote_of(mentions)),)
        words = tuple(
            one
            for place, quote in each
            for one in (
                [((index,), self.evidence.names[index]) for index in place if any(map(str.isalnum, self.evidence.names[index]))]
                if len((quote or "").split()) > 1 and not self.evidence.pixels
                else [(place, quote)]
            )
        )
        return list(dict.fromkeys(sense for sense in (each, together, words) if sense)) if part else []

    def each_place(self, found: Found) -> Callable[[], EffectReading]:
        """A word that occurs several times, each place of which is called decisive."""

        def make() -> EffectReading:
            tokens = self.skeleton.between(*found["part"])
            (mention,) = mentions_in(tokens, 0, len(tokens))
            label = self.label(found.get("label"))
            parts: tuple[Part | None, ...] = mention.places or (None,)
            claims = tuple(Claim("decisive", part, label=label, quote=mention.quote) for part in parts)
            return EffectReading(claims, ("effect: verdict",), (mention,))

        return make

    def is_decision(self, label: str) -> bool:
        """Whether a name is that of the class that the model predicted, or of the question's group with that class in it."""
        was = self.original or self.evidence.query.label
        return any(same_name(name, was) for name in (label, *classes_named(label, self.evidence)))

    def outcome(self, change: Change, outcome: Outcome, found: Found) -> tuple[bool, str | None, str | None]:
        """Whether the decision is another, the label that it becomes, and the label that it was."""
        if outcome == "change":
            return True, self.label(found.get("to")), self.label(found.get("from"))
        if outcome in ("stay", "loses"):
            return outcome == "loses", None, self.label(found.get("same"))
        said = self.label(found["same" if outcome == "denies" else "says"])
        if outcome == "denies":
            if said is None or not self.is_decision(said):
                raise Unclear  # another label than one that the model did not give anyway
            return True, None, said
        if "from" in found:
            return True, said, self.label(found["from"])
        than = self.label(found.get("than"))
        if than is not None and said is not None and same_name(than, said):
            raise Unclear
        if than is not None and self.is_decision(than):
            return True, said, than
        if said is not None and self.is_decision(said):
            if self.original is None and change != "alone":
                raise Unclear  # nobody said what the model decided
            return False, None, said
        return True, said, None

    def part(self, span: tuple[int, int]) -> tuple[Mentions, Part | None]:
        """The parts that a clause names, as one part; `None` if one of them is not in the input."""
        said = self.skeleton.text[slice(*span)]
        if _PRONOUN.fullmatch(said):
            many = bool(_MANY.fullmatch(said))
            mentions = self.subject
            if not mentions or (said != "which" and many != (len(mentions) > 1)):
                raise Unclear
        else:
            tokens = self.skeleton.between(*span)
            mentions = mentions_in(tokens, 0, len(tokens))
        places = [_place(mention) for mention in mentions]
        if any(place is None for place in places):
            return mentions, None
        part = tuple(index for place in places for index in place or ())
        if not part or len(set(part)) < len(part):
            raise Unclear
        return mentions, part

    def replacement(self, span: tuple[int, int], part: Part | None) -> str:
        """The words that take the place of a part."""
        token = self.skeleton.between(*span)[0]
        if part is None and "QP" in token.names:
            raise Unclear  # the words that leave and those that come may stand in the other order
        return getattr(token.value, "quote", None) or name_of(token) or token.text

    def label(self, span: tuple[int, int] | None) -> str | None:
        """The label that a clause names."""
        return None if span is None else name_of(self.skeleton.between(*span)[0])


def _place(mention: Mention) -> Part | None:
    """The place of a mention; `None` if it is not in the input."""
    places = mention.places
    if mention.ordinal is not None:
        index = mention.ordinal - 1 if mention.ordinal > 0 else len(places) - 1
        return places[index] if 0 <= index < len(places) else None
    if mention.times > 1 and mention.times == len(places):
        return tuple(index for place in places for index in place)
    if len(places) > 1:
        raise Unclear  # which of them?
    return places[0] if places else None


def quote_of(mentions: Mentions) -> str | None:
    """The words of mentions as they are written, for messages."""
    return ", ".join(mention.quote for mention in mentions) or None


def groups_of(match: re.Match[str]) -> Found:
    """The span of each group that took part, by its name without its number."""
    return {name.rpartition("_")[0] or name: match.span(name) for name, said in match.groupdict().items() if said}
