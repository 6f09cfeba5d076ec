"""Reads clauses that share words: "neither 'great' nor 'fine' alone is enough", or "'great' is decisive, but 'fine' is not".

Each part that is named gets a claim of its own. What a second clause leaves out is what the first one says, so that it is read
only behind a first clause with one claim for each of its parts, and only if it is plain which of the two is denied.
"""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from verbalize.claims.claim import Claim
from verbalize.read.effects.conditions import adverbials, nouns, numbered
from verbalize.read.effects.implied import Implied
from verbalize.read.effects.making import EffectReading, Maker, groups_of, quote_of
from verbalize.read.effects.outcomes import clauses
from verbalize.read.effects.verdicts import ENOUGH_FOR, decides
from verbalize.read.effects.words import BE, DECISION, HIDING_VERBS, MAY_BE, MODEL, SINGLES
from verbalize.read.mentions import Unclear

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from verbalize.evidence import Evidence
    from verbalize.read.effects.conditions import Change, Compiled
    from verbalize.read.effects.making import Found, Mentions
    from verbalize.read.effects.skeleton import Skeleton
    from verbalize.read.resolver import Mention

    Span: TypeAlias = "tuple[int, int]"

_ALONE = "(?: alone| by itself| on its own| by themselves| on their own)"
_AUX = "(?P<aux>is|are|was|were|does|do|did|would be|will be|would|will)"
_FLIPS = "(?:change|changes|changed|flip|flips|flipped|reverse|reverses|reversed|alter|alters|altered|overturn|overturns)"
_FLIP = "(?:change|flip|reverse|alter|differ)"
_MINDS = f"(?:{DECISION}|its mind)"
# What "neither" denies of each change: "neither removing 'great' nor removing 'fine' has any effect on the decision".
_ANY_EFFECT = (
    f"(?:{MAY_BE} )?(?:{_FLIPS} (?:{DECISION}|anything)|(?:have|has|had) (?:any|an) (?:effect|influence|impact|bearing) on {DECISION}"
    f"|(?:make|makes|made) (?:any|a) difference(?: to {DECISION})?|(?:affect|affects|affected) {DECISION}"
    f"|(?:{BE} )?(?:enough|sufficient) to {_FLIP} {DECISION}|(?:suffice|suffices|sufficed) to {_FLIP} {DECISION})"
)
_INVERTED = f"(?:does|do|did|would|will) (?:{DECISION} {_FLIP}|{MODEL} {_FLIP} {_MINDS})"
_FLIPPING = f"(?:{DECISION} (?:{MAY_BE} )?(?:{_FLIPS}|differs)|{MODEL} (?:{MAY_BE} )?{_FLIPS} {_MINDS})"
_SEPARATOR = re.compile(r"(?: ,)? nor | , ")
_ONE = re.compile(numbered(f"{SINGLES}{_ALONE}?"))
_ONE_ALONE = re.compile(numbered(f"{SINGLES}{_ALONE}"))
_ENOUGH = re.compile(
    f"neither (?P<list>.+?)(?P<alone>{_ALONE}?) (?:(?:{MAY_BE} )?(?:{BE} )?(?:enough|sufficient)|(?:{MAY_BE} )?(?:suffice|suffices|sufficed))(?P<rest>|(?: .*))"
)
_NEEDED = re.compile(
    f"neither (?P<list>.+?) (?:{BE}|remains|proves|proved) (?:necessary|indispensable|required|needed|decisive)(?P<rest>.*)"
)
_CHANGES = re.compile(f"neither (?P<list>.+?) (?P<tail>{_ANY_EFFECT})")
_HIDING_NEITHER = re.compile(f"{HIDING_VERBS} neither (?P<list>.+?)(?P<alone>{_ALONE}?) (?P<tail>{_ANY_EFFECT})")
_NEITHER_INVERTED = re.compile(f"neither (?P<list>.+?) ?,? (?P<tail>{_INVERTED})")
_FLIPS_NEITHER = re.compile(f"(?P<tail>{_FLIPPING}) neither (?P<list>.+)")
_BOTH = re.compile(r"both (?P<first>.+) and (?P<second>.+)")
_THAT_OF = re.compile(numbered(f"that of {SINGLES}"))
_REST = re.compile(numbered(f"{_ALONE}?{ENOUGH_FOR}?{_ALONE}?"))

_DENYING = re.compile(
    r"\b(?:neither|nor|no|nothing|never|none|only|nobody|fails?|failed|stops?|stopped|cannot|unless|even|both|if)\b"
)
_SHORT = re.compile(
    r"(?:^(?:not|unlike|in contrast to|as opposed to|rather than)\b|\b(?:is|are|was|were|does|do|did|would|will|be)(?: not)?(?: too| either| alone| by itself| on its own)?$|^(?:neither|nor|so|as) )"
)
_NOT = re.compile(r"\bnot\b")
_BEING = re.compile(r"\b(?:is|are|was|were)\b")
_CONTRASTS = ("unlike ", "in contrast to ", "as opposed to ")
# What follows a clause and leaves out what it says, for a part: "'fine' is not", "not 'fine'", "nor is 'fine'", "so is 'fine'".
_SECONDS: tuple[tuple[str, bool | None], ...] = (
    (f"not {SINGLES}{_ALONE}?", True),
    (f"(?:unlike|in contrast to|as opposed to|rather than) {SINGLES}", True),
    (f"{SINGLES}{_ALONE}? {_AUX} not{_ALONE}?", True),
    (f"{SINGLES}{_ALONE}? {_AUX} not either", None),
    (f"{SINGLES}{_ALONE}? {_AUX}(?: too)?", False),
    (f"(?:neither|nor) {_AUX} {SINGLES}{_ALONE}?", None),
    (f"(?:so|as) {_AUX} {SINGLES}{_ALONE}?", False),
)  # fmt: skip


def shared_readings(skeleton: Skeleton, evidence: Evidence, subject: Mentions) -> Iterator[EffectReading]:
    """The readings of a clause that says the same of each of several parts, or of what a part alone decides."""
    maker = Maker(skeleton, evidence, subject)
    for attempt in _attempts(maker, skeleton.text):
        try:
            yield attempt()
        except Unclear:
            continue


def _attempts(maker: Maker, text: str) -> Iterator[Callable[[], EffectReading]]:
    if match := decides().fullmatch(text):
        yield lambda: _decides(maker, groups_of(match)["part"])
    if (found := _ENOUGH.fullmatch(text)) and _REST.fullmatch(found["rest"]):
        pieces = _pieces(text, found.span("list"))
        told = found["alone"] or found["rest"] or all(_ONE_ALONE.fullmatch(text, *piece) for piece in pieces)
        if told:  # "neither is enough" alone does not say for what, or whether it means each by itself
            yield lambda: _each(maker, pieces, "sufficient", _label_in(maker, found.span("rest")))
    if (needed := _NEEDED.fullmatch(text)) and _REST.fullmatch(needed["rest"]):
        parts = _pieces(text, needed.span("list"))
        yield lambda: _each(maker, parts, "decisive", _label_in(maker, needed.span("rest")))
    if hiding := _HIDING_NEITHER.fullmatch(text):
        hidden = _pieces(text, hiding.span("list"))
        yield lambda: _each(maker, hidden, "decisive", None)
    if changes := _CHANGES.fullmatch(text):
        span = changes.span("list")
        yield lambda: _denied(maker, _changes_in(text, span, nouns()))
        if all(_ONE.fullmatch(text, *piece) for piece in _pieces(text, span)) and re.search(_ALONE, text[slice(*span)]):
            yield lambda: _by_either_sense(maker, _pieces(text, span))
    for pattern in (_NEITHER_INVERTED, _FLIPS_NEITHER):
        if turned := pattern.fullmatch(text):
            listed = turned.span("list")
            yield lambda listed=listed: _denied(maker, _changes_in(text, listed, adverbials()))  # type: ignore[misc]
    yield from _both(maker, text)


def _pieces(text: str, span: Span) -> list[Span]:
    """The places of what "nor" and commas join."""
    start, stop = span
    ends = [(match.start(), match.end()) for match in _SEPARATOR.finditer(text, start, stop)]
    starts = [start, *(end for _, end in ends)]
    return list(zip(starts, [*(begin for begin, _ in ends), stop], strict=True))


def _part(maker: Maker, span: Span) -> tuple[Mentions, tuple[int, ...] | None]:
    match = _ONE.fullmatch(maker.skeleton.text, *span)
    if match is None:
        raise Unclear
    return maker.part(groups_of(match)["part"])


def _label_in(maker: Maker, span: Span) -> str | None:
    """The label that the words behind a verdict name."""
    match = _REST.fullmatch(maker.skeleton.text, *span)
    return None if match is None else maker.label(groups_of(match).get("label"))


def _each(maker: Maker, pieces: list[Span], kind: str, label: str | None) -> EffectReading:
    """A denial of each of several parts. A label that is not the decision makes it another claim, which is not read."""
    if len(pieces) < 2 or (label is not None and not maker.is_decision(label)):
        raise Unclear
    named: list[Mention] = []
    claims: list[Claim] = []
    for piece in pieces:
        mentions, part = _part(maker, piece)
        named += mentions
        claims.append(Claim(kind, part, label=label, negated=True, quote=quote_of(mentions)))  # type: ignore[arg-type]
    return EffectReading(tuple(claims), ("effect: verdict",), tuple(named))


def _changes_in(text: str, span: Span, patterns: Compiled) -> list[tuple[Change, Found]]:
    """The change that each joined phrase names; "that of 'fine'" names the change of the phrase before it."""
    found: list[tuple[Change, Found]] = []
    for piece in _pieces(text, span):
        matches = [(change, groups_of(match)) for change, pattern in patterns if (match := pattern.fullmatch(text, *piece))]
        if not matches and found and " of " in text[slice(*span)] and (that := _THAT_OF.fullmatch(text, *piece)):
            matches = [(found[0][0], groups_of(that))]
        distinct = {(change, groups["part"]): (change, groups) for change, groups in matches if "replacement" not in groups}
        if len(distinct) != 1:
            return []
        found += distinct.values()
    return found


def _denied(maker: Maker, changes: list[tuple[Change, Found]]) -> EffectReading:
    """A denial that each of several changes of the input changes the decision."""
    if len(changes) < 2 or len({change for change, _ in changes}) > 1:
        raise Unclear
    if any(groups.keys() & {"even", "both"} for _, groups in changes):
        raise Unclear
    readings = [maker.effect(change, groups, "stay", {})() for change, groups in changes]
    return _joined(readings)


def _joined(readings: list[EffectReading]) -> EffectReading:
    claims = tuple(dict.fromkeys(claim for one in readings for claim in one.claims))
    return EffectReading(claims, readings[0].rules, tuple(mention for one in readings for mention in one.subject))


def _both(maker: Maker, text: str) -> Iterator[Callable[[], EffectReading]]:
    """Reads "both without 'great' and without 'fine', the decision stays", in either order."""
    for at in maker.skeleton.starts[1:]:
        left, right = (0, len(text[:at].rstrip(" ,"))), (at, len(text))
        for condition, result in ((left, right), (right, left)):
            match = _BOTH.fullmatch(text, *condition)
            if match is None:
                continue
            changes = [_changes_in(text, match.span(name), adverbials()) for name in ("first", "second")]
            made = [(kind, groups_of(found)) for kind, pattern in clauses() if (found := pattern.fullmatch(text, *result))]
            if [len(one) for one in changes] != [1, 1]:
                continue
            for kind, groups in made:

                def attempt(
                    kind: str = kind, groups: Found = groups, changes: list[list[tuple[Change, Found]]] = changes
                ) -> EffectReading:
                    return _joined([maker.effect(change, found, kind, groups)() for ((change, found),) in changes])  # type: ignore[arg-type]

                yield attempt


def _decides(maker: Maker, span: Span) -> EffectReading:
    """Of "'great' alone decides it": nothing else is needed, or without it the decision changes; true only if both are so."""
    mentions, part = maker.part(span)
    return _in_two_senses(
        [[Claim("sufficient", part, quote=quote_of(mentions))], [Claim("decisive", part, quote=quote_of(mentions))]], mentions
    )


def _by_either_sense(maker: Maker, pieces: list[Span]) -> EffectReading:
    """Of "neither 'great' nor 'fine' alone changes the decision": without either, or with either alone, the decision stays."""
    found = [_part(maker, piece) for piece in pieces]
    if len(found) < 2:
        raise Unclear
    hidden = [Claim("decisive", part, negated=True, quote=quote_of(mentions)) for mentions, part in found]
    alone = [Claim("sufficient", part, quote=quote_of(mentions)) for mentions, part in found]
    return _in_two_senses([hidden, alone], tuple(mention for mentions, _ in found for mention in mentions))


def _in_two_senses(senses: list[list[Claim]], mentions: Mentions) -> EffectReading:
    readings = tuple(tuple(claims) for claims in senses)
    return EffectReading((), ("effect: in two senses",), mentions, (Implied(readings, first=True),))


@cache
def _seconds() -> tuple[tuple[re.Pattern[str], bool | None], ...]:
    return tuple((re.compile(numbered(pattern)), denies) for pattern, denies in _SECONDS)


def is_short(text: str) -> bool:
    """Whether a clause may leave out what the one before it says."""
    return _SHORT.search(text) is not None


def shortened(before: str, first: EffectReading, skeleton: Skeleton, evidence: Evidence) -> EffectReading | None:
    """What a clause says that leaves out what the clause before it says; `None` if that is not certain.

    Args:
        before: the clause before it, as the text of its skeleton.
        first: what that clause says.
        skeleton: the clause.
        evidence: the map.
    """
    denied = _is_denied(before)
    if denied is None or not _is_one_statement(first):
        return None
    try:
        found = _second(before, denied, first, Maker(skeleton, evidence, ()))
    except Unclear:
        return None
    if found is None:
        return None
    mentions, part, turns = found
    if part is not None and any(part == claim.part for claim in _of(first) if "effect: every part" not in first.rules):
        return None  # the same part twice

    def of_part(claim: Claim) -> Claim:
        return replace(claim, part=part, negated=claim.negated != turns, quote=quote_of(mentions))

    if "effect: every part" in first.rules:
        claim = of_part(_of(first)[0])
        readings = [first.claims, *(reading for one in first.implied for reading in one.readings)]
        known = all(any((one.part, one.negated) == (part, claim.negated) for one in reading) for reading in readings if reading)
        return EffectReading((), first.rules, mentions) if known else None
    if first.implied:  # each clause has both senses by itself
        (senses,) = first.implied
        of_part_too = tuple((of_part(reading[0]),) for reading in senses.readings)
        return EffectReading((), first.rules, mentions, (Implied(of_part_too, first=True),))
    claim = of_part(first.claims[0])
    return EffectReading((claim,), first.rules, mentions)


def _is_denied(before: str) -> bool | None:
    """Whether a clause denies what it speaks of; `None` if that is not plain."""
    if before.startswith("neither "):
        return True
    count = len(_NOT.findall(before))
    unclear = _DENYING.search(before.removesuffix(" alone")) is not None and not before.startswith("only ")
    return None if unclear or count > 1 else count == 1


def _of(first: EffectReading) -> tuple[Claim, ...]:
    return (*first.claims, *(claim for one in first.implied for reading in one.readings for claim in reading))


def _is_one_statement(first: EffectReading) -> bool:
    """Whether a reading makes one statement, of each of its parts, that another part can share."""
    of_every = first.rules == ("effect: every part",)
    if first.implied and not of_every:
        return first.rules == ("effect: in two senses",) and len(first.implied) == 1
    kinds = {(claim.kind, claim.label, claim.becomes, claim.replacement) for claim in _of(first)}
    known = of_every or first.rules in (("effect: verdict",), ("effect: hidden",), ("effect: alone",))
    signs = {claim.negated for claim in first.claims}
    return known and len(kinds) == 1 and _of(first)[0].becomes is None and (of_every or len(signs) == 1)


def _second(
    before: str, denied: bool, first: EffectReading, maker: Maker
) -> tuple[Mentions, tuple[int, ...] | None, bool] | None:
    """The part of the second clause, and whether it denies what the first says or the reverse."""
    text = maker.skeleton.text
    changed = first.rules[0] in ("effect: hidden", "effect: alone")
    if not changed:
        for pattern, denies in _seconds():
            match = pattern.fullmatch(text)
            if match is not None:
                groups = groups_of(match)
                if not _agrees(before, groups, text):
                    return None
                return _turned(maker.part(groups["part"]), denied, denies, text)
        return None
    wanted = first.rules[0].removeprefix("effect: ")
    for span, aux, denies in _second_changes(text):
        if aux is not None and not _agrees(before, {"aux": aux}, text):
            continue
        for patterns in (nouns(), adverbials()):
            matches = [
                groups_of(match)
                for change, pattern in patterns
                if change == wanted and (match := pattern.fullmatch(text, *span))
            ]
            if len({groups["part"] for groups in matches}) == 1 and not any(
                groups.keys() & {"even", "both"} for groups in matches
            ):
                return _turned(maker.part(matches[0]["part"]), denied, denies, text)
    return None


def _second_changes(text: str) -> Iterator[tuple[Span, Span | None, bool | None]]:
    """Where a second clause may name its change, and its "does", with whether it denies: `None` denies what is denied before."""
    shapes = (
        ("not (?P<change>.+)", True),
        (f"(?P<change>.+?)(?: ,)? (?:it|{DECISION}|{MODEL}) {_AUX} not", True),
        (f"(?P<change>.+?)(?: ,)? (?:it|{DECISION}|{MODEL}) {_AUX}", False),
        (f"(?P<change>.+?) {_AUX} not", True),
        (f"(?P<change>.+?) {_AUX} not either", None),
        (f"(?P<change>.+?) {_AUX}(?: too)?", False),
        (f"(?:neither|nor) {_AUX} (?P<change>.+)", None),
        (f"(?:neither|nor) {_AUX} (?:it|{DECISION}|{MODEL}) (?P<change>.+)", None),
        (f"so {_AUX} (?P<change>.+)", False),
    )  # fmt: skip
    for shape, denies in shapes:
        if match := re.fullmatch(shape, text):
            yield match.span("change"), match.span("aux") if "aux" in match.groupdict() else None, denies


def _agrees(before: str, groups: Found, text: str) -> bool:
    """Whether "is" takes up a clause with "is", and "does" one without it."""
    if "aux" not in groups:
        return True
    aux = text[slice(*groups["aux"])]
    if aux.startswith(("would", "will")):
        return aux.split()[0] in before.split() or not _BEING.search(before)
    return (aux in ("is", "are", "was", "were")) == bool(_BEING.search(before))


def _turned(
    found: tuple[Mentions, tuple[int, ...] | None], denied: bool, denies: bool | None, text: str
) -> tuple[Mentions, tuple[int, ...] | None, bool] | None:
    """The part, with whether the second clause turns what the first says."""
    if denies is None:  # "nor is", "not either": only behind a denial
        return (*found, False) if denied else None
    if text.startswith(_CONTRASTS):
        return (*found, True)  # it is the reverse of what the first says
    if text.startswith(("so ", "as ", "rather than ")) and denied:
        return None
    return (*found, denied != denies)
