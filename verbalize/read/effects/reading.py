"""Reads a sentence about what the model does with a changed input, whole or not at all.

A clause is a change of the input ("without 'great'") and an outcome ("the model says 'negative'"), in either order, or a verdict on
a part ("'great' is decisive"). Every word has to be part of a pattern; a word such as "might", "almost" or "often" is in none. A
sentence may have several such clauses, and plain statements about the map before the first of them ("The most important word is
'great'; without it the model still says 'positive'"). A plain statement behind one is not read, because it may be part of what is
only supposed.
"""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from verbalize.claims.claim import Claim
from verbalize.read.effects.conditions import adverbials, nouns, numbered, orders
from verbalize.read.effects.outcomes import clauses, lasting, predicates
from verbalize.read.effects.skeleton import name_of, skeleton_of
from verbalize.read.effects.verdicts import leading, of_several, pairs, verdicts
from verbalize.read.effects.words import PARTS, PRONOUNS
from verbalize.read.mentions import Unclear, mentions_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias

    from verbalize.claims.claim import ClaimKind
    from verbalize.evidence import Evidence
    from verbalize.read.effects.conditions import Change
    from verbalize.read.effects.implied import Implied
    from verbalize.read.effects.outcomes import Outcome
    from verbalize.read.effects.skeleton import Skeleton
    from verbalize.read.marking.tokens import Token
    from verbalize.read.resolver import Mention
    from verbalize.saliency import Part

    Mentions: TypeAlias = "tuple[Mention, ...]"
    Plain: TypeAlias = "Callable[[Sequence[Token]], EffectReading | None]"
    Found: TypeAlias = "dict[str, tuple[int, int]]"

_Sort = TypeVar("_Sort")
_KINDS: dict[Change, ClaimKind] = {"hidden": "decisive", "alone": "sufficient", "replaced": "counterfactual"}
_MAPS_FIRST = re.compile(numbered(f"the map 's most important (?:word|part of the text|region) is {PARTS}"))
_PRONOUN = re.compile(f"(?:{PRONOUNS})")
_MANY = re.compile("them|they|these .*|those .*")
_COLLECTIVE = re.compile(r"\btogether\b")
_JOINTS = frozenset(
    {";", ":", "–", "—", "-", "and", "but", "yet", "while", "whereas", "although", "though", "because", "since", "so"}
)
_SOFT = frozenset({",", *_JOINTS})
_MOST_TOKENS = 80  # an effect is told in twenty words; the time grows with the square of their number

# Words without which no sentence speaks of an effect, and words after which nothing else may be read as a fact.
CUES = re.compile(
    r"\b(?:without|if|unless|would|had|were|should|remov\w+|delet\w+|mask(?:ed|ing|s)|hid(?:e|es|den|ing)|eras(?:e|ed|es|ing)|omit\w*|omission"
    r"|drop(?:ped|ping|s)?|exclud\w+|occlu\w+|ablat\w+|eliminat\w+|discard\w*|cut(?:ting|s)?|strip\w*|blank\w*|cover\w*|withh\w+|redact\w*|tak(?:e|en|es|ing)"
    r"|left|leav\w+|replac\w+|swap\w*|substitut\w+|exchang\w+|chang\w+|flip\w*|switch\w*|revers\w+|absen\w+|surviv\w*|withst\w+|outlast\w*|missing|gone|alone|by itself"
    r"|on its own|by themselves|on their own|together|enough|suffic\w+|necessary|indispensable|required|needs?|needed|requires?|decisive|hing\w+|turns? on|falls? with"
    r"|instead of|in place of|only|nothing but|minus|but for|keep\w*|shown|given|from|with)\b",
    re.IGNORECASE,
)
_SUPPOSING = re.compile(
    r"\b(?:without|if|unless|would|remov\w+|delet\w+|mask(?:ed|ing)|hidden|hiding|eras(?:ed|ing)|omitt\w+|dropp\w+|exclud\w+"
    r"|occlud\w+|ablat\w+|replac\w+|swapp\w+|substitut\w+|absence|absent|missing|gone|left|tak(?:e|en|ing)|leaving|cutting|cut)\b",
    re.IGNORECASE,
)
_CHANGED_INPUT = re.compile(
    r"\bwith (?:[\w ]+ )?[PBXL] (?:alone|instead of|in place of|in the place of)\b|\b(?:with|from|given) only\b"
)


@dataclass(frozen=True)
class EffectReading:
    """What a sentence, or a clause of it, says: its claims, the names of the rules that read it, and the parts it is about.

    `implied` is what its statements about the map say of the model besides.
    """

    claims: tuple[Claim, ...]
    rules: tuple[str, ...]
    subject: Mentions
    implied: tuple[Implied, ...] = ()


def supposes(tokens: Sequence[Token], left_over: Sequence[str], evidence: Evidence) -> bool:
    """Whether a sentence that is not read whole speaks of a changed input, so that half of it must not be read as a fact.

    Args:
        tokens: the sentence.
        left_over: its words that no rule read.
        evidence: the map.
    """
    if any(_SUPPOSING.search(words) for words in left_over):
        return True
    return _CHANGED_INPUT.search(skeleton_of(tokens, evidence).text) is not None


def is_of_several(tokens: Sequence[Token], evidence: Evidence) -> bool:
    """Whether a sentence calls several parts decisive, and does not say whether it means each of them or all together."""
    return of_several().fullmatch(skeleton_of(tokens, evidence).text) is not None


def read_effects(tokens: Sequence[Token], evidence: Evidence, subject: Mentions, plain: Plain) -> EffectReading | None:
    """The claims of a sentence about effects; `None` if it is not read whole.

    Args:
        tokens: the sentence.
        evidence: the map.
        subject: the parts that "it" and "them" mean at its start; empty if that is not certain.
        plain: reads a clause that is a statement about the map; `None` if it can't.
    """
    if not tokens or len(tokens) > _MOST_TOKENS:
        return None
    return _read(tokens, evidence, subject, plain)


def _read(tokens: Sequence[Token], evidence: Evidence, subject: Mentions, plain: Plain) -> EffectReading | None:
    whole = _clause(skeleton_of(tokens, evidence), evidence, subject)
    if whole is not None:
        return whole
    for at in range(len(tokens) - 1, 0, -1):  # the last joint first, so that what stands before it is read as far as possible
        start = at
        while start < len(tokens) and _joins(tokens[start]):
            start += 1
        if start == at or start == len(tokens) or _joins(tokens[at - 1]):
            continue
        second = _clause(skeleton_of(tokens[start:], evidence), evidence, ())
        pronoun = second is None
        if pronoun and not any(token.value is None and _PRONOUN.fullmatch(token.text) for token in tokens[start:]):
            continue
        before = tokens[:at]
        first = _read(before, evidence, subject, plain) or _most_important(before, evidence) or plain(_bare(before))
        if first is None:
            continue
        second = second or _clause(skeleton_of(tokens[start:], evidence), evidence, first.subject)
        if second is not None:
            claims = tuple(dict.fromkeys((*first.claims, *second.claims)))
            return EffectReading(claims, (*first.rules, *second.rules), second.subject, first.implied)
    return None


def _joins(token: Token) -> bool:
    """Whether a token is a joint between clauses, and no quoted word."""
    return token.value is None and token.text in _SOFT


def _most_important(tokens: Sequence[Token], evidence: Evidence) -> EffectReading | None:
    """Reads "the map's most important word is P", which says nothing of the side on which P is."""
    skeleton = skeleton_of(tokens, evidence)
    match = _MAPS_FIRST.fullmatch(skeleton.text)
    if match is None:
        return None
    try:
        mentions, part = _Maker(skeleton, evidence, ()).part(match.span("part_1"))
    except Unclear:
        return None
    return EffectReading((Claim("most_important", part, quote=_quote(mentions)),), ("effect: the map's first",), mentions)


def _bare(tokens: Sequence[Token]) -> list[Token]:
    """The tokens without "the map's", which only says where a statement comes from."""
    texts = [token.text for token in tokens[:3]]
    if texts[:1] == ["although"] or texts[:1] == ["though"] or texts[:1] == ["while"]:
        return _bare(tokens[1:])
    return [tokens[0], *tokens[3:]] if texts == ["the", "map", "'s"] else [*tokens]


def _clause(skeleton: Skeleton, evidence: Evidence, subject: Mentions) -> EffectReading | None:
    """The one reading of a clause; `None` if it has none, or several that differ."""
    found: dict[tuple[Claim, ...], EffectReading] = {}
    for read in _readings(skeleton, evidence, subject):
        found.setdefault(read.claims, read)
    return next(iter(found.values())) if len(found) == 1 else None


def _readings(skeleton: Skeleton, evidence: Evidence, subject: Mentions) -> Iterator[EffectReading]:
    maker = _Maker(skeleton, evidence, subject)
    text = skeleton.text
    attempts: list[Callable[[], EffectReading]] = []
    for at in skeleton.starts[1:]:
        before, after = text[:at].rstrip(" ,"), text[at:].lstrip(" ,")
        left, right = (0, len(before)), (len(text) - len(after), len(text))
        for change, found in _matches(adverbials(), text, left):
            attempts += [maker.effect(change, found, *made) for made in _matches(clauses(), text, right)]
        for change, found in _matches(orders(), text, left):
            attempts += [maker.effect(change, found, *made) for made in _matches(clauses(), text, right)]
        for change, found in _matches(nouns(), text, left):
            attempts += [maker.effect(change, found, *made) for made in _matches(predicates(), text, right)]
        for made in _matches(lasting(), text, left):
            attempts += [maker.effect(change, found, *made) for change, found in _matches(nouns(), text, right)]
        for change, found in _matches(adverbials(), text, right):
            attempts += [maker.effect(change, found, *made) for made in _matches(clauses(), text, left)]
    for pattern, decisive, sufficient in verdicts():
        if match := pattern.fullmatch(text):
            attempts.append(maker.verdict(_groups(match), decisive=decisive, sufficient=sufficient))
    if match := leading().fullmatch(text):
        attempts.append(maker.effect("alone", _groups(match), "says", _groups(match)))
    for pattern, decisive in pairs():
        if match := pattern.fullmatch(text):
            attempts.append(maker.pair(match, decisive=decisive))
    for attempt in attempts:
        try:
            yield attempt()
        except Unclear:
            continue


def _matches(
    patterns: Sequence[tuple[_Sort, re.Pattern[str]]], text: str, span: tuple[int, int]
) -> Iterator[tuple[_Sort, Found]]:
    if span[0] < span[1]:
        for sort, pattern in patterns:
            if match := pattern.fullmatch(text, *span):
                yield sort, _groups(match)


def _groups(match: re.Match[str]) -> Found:
    """The span of each group that took part, by its name without its number."""
    return {name.rpartition("_")[0] or name: match.span(name) for name, said in match.groupdict().items() if said}


class _Maker:
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
            if changed and "even" in condition:
                raise Unclear
            replacement = self.replacement(condition["replacement"], part) if change == "replaced" else None
            claim = Claim(
                _KINDS[change], part, label=label, becomes=becomes, negated=changed == (change == "alone"),
                replacement=replacement, quote=_quote(mentions),
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
            stated: list[tuple[ClaimKind, bool | None]] = [("decisive", decisive), ("sufficient", sufficient)]
            quote = _quote(mentions)
            claims = tuple(
                Claim(kind, part, label=label, negated=not true, quote=quote) for kind, true in stated if true is not None
            )
            return EffectReading(claims, ("effect: verdict",), mentions)

        return make

    def pair(self, match: re.Match[str], *, decisive: bool) -> Callable[[], EffectReading]:
        """Two parts, of each of which the clause says whether it is decisive."""

        def make() -> EffectReading:
            spans = [match.span(name) for name in ("part_1", "part_2")]
            label = self.label(_groups(match).get("label"))
            claims: list[Claim] = []
            named: list[Mention] = []
            for span in spans:
                mentions, part = self.part(span)
                named += mentions
                claims.append(Claim("decisive", part, label=label, negated=not decisive, quote=_quote(mentions)))
            return EffectReading(tuple(claims), ("effect: verdict",), tuple(named))

        return make

    def outcome(self, change: Change, outcome: Outcome, found: Found) -> tuple[bool, str | None, str | None]:
        """Whether the decision is another, the label that it becomes, and the label that it was."""
        if outcome == "change":
            return True, self.label(found.get("to")), self.label(found.get("from"))
        if outcome in ("stay", "loses"):
            return outcome == "loses", None, self.label(found.get("same"))
        said = self.label(found["same" if outcome == "denies" else "says"])
        was = self.original or self.evidence.query.label
        if outcome == "denies":
            if said is None or said.casefold() != was.casefold():
                raise Unclear  # another label than one that the model did not give anyway
            return True, None, said
        if "from" in found:
            return True, said, self.label(found["from"])
        if said is not None and said.casefold() == was.casefold():
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


def _quote(mentions: Mentions) -> str | None:
    return ", ".join(mention.quote for mention in mentions) or None
