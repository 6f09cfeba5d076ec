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
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from verbalize.claims.claim import Claim
from verbalize.read.effects.conditions import adverbials, nouns, numbered, orders
from verbalize.read.effects.making import EffectReading, Maker, groups_of, quote_of
from verbalize.read.effects.outcomes import clauses, lasting, predicates
from verbalize.read.effects.sharing import is_short, shared_readings, shortened
from verbalize.read.effects.skeleton import opened, skeleton_of
from verbalize.read.effects.verdicts import each_place, leading, of_several, pairs, quantified, verdicts
from verbalize.read.effects.words import PARTS, PRONOUNS
from verbalize.read.marking.tokens import PartMark
from verbalize.read.mentions import Unclear

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias

    from verbalize.evidence import Evidence
    from verbalize.read.effects.making import Found, Mentions
    from verbalize.read.effects.skeleton import Skeleton
    from verbalize.read.marking.tokens import Token

    Plain: TypeAlias = "Callable[[Sequence[Token]], EffectReading | None]"

_Sort = TypeVar("_Sort")
_MAPS_FIRST = re.compile(numbered(f"the map 's most important (?:word|part of the text|region) is {PARTS}"))
_PRONOUN = re.compile(f"(?:{PRONOUNS})")
_REASONS = frozenset({"because", "since", "so"})  # "'great' is decisive because 'fine' is not" says more than both
_AGREEING = re.compile("(?:and )?(?P<words>so(?: (?:is|are|was|were|does|do|did))?)")
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
    r"|(?:no|none|nothing|every|each|any|only)\b.*\b(?:crucial|essential|vital|pivotal|critical)|instead of|in place of|only|nothing but|minus|but for|keep\w*|shown|given|from|with)\b",
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
    return of_several(skeleton_of(tokens, evidence).text)


def is_unclear(tokens: Sequence[Token], evidence: Evidence) -> bool:
    """Whether a sentence calls a part decisive, or enough, or not. If it was not read, it does not say which part it means."""
    text = skeleton_of(opened(tokens), evidence).text
    return any(pattern.fullmatch(text) for pattern, _, _ in verdicts(text))


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
    found = _read(opened(tokens), evidence, subject, plain)
    if found is None and (closed := _with_commas_in_quotes(tokens)) is not None:
        found = _read(opened(closed), evidence, subject, plain)
    return found


def _with_commas_in_quotes(tokens: Sequence[Token]) -> list[Token] | None:
    """The tokens with each comma that stands in quotation marks as a part of what is quoted; `None` if there is none.

    American typesetting puts a comma of the sentence there, but a word of a text may end in one ("'fine,' alone is enough").
    """
    kept: list[Token] = []
    for token in tokens:
        before = kept[-1] if kept else None
        if before is None or token.value is not None or token.text not in (",", ";") or before.text[-1:] != token.text:
            kept.append(token)
        elif isinstance(before.value, PartMark):
            kept[-1] = replace(before, value=replace(before.value, quote=before.text))
        else:
            kept.append(token)
    return kept if len(kept) < len(tokens) else None


def _read(tokens: Sequence[Token], evidence: Evidence, subject: Mentions, plain: Plain) -> EffectReading | None:
    whole = _clause(skeleton_of(tokens, evidence), evidence, subject)
    if whole is not None:
        return whole
    agreeing = _agreeing(tokens, evidence, subject)
    if agreeing is not None:
        return agreeing
    for at in range(len(tokens) - 1, 0, -1):  # the last joint first, so that what stands before it is read as far as possible
        start = at
        while start < len(tokens) and _joins(tokens[start]):
            start += 1
        if start == at or start == len(tokens) or _joins(tokens[at - 1]):
            continue
        gives_reason = any(token.text in _REASONS for token in tokens[at:start])
        short = None if gives_reason else _shortened(tokens[:at], tokens[start:], evidence, subject)
        if short is not None:
            return short
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
            return EffectReading(claims, (*first.rules, *second.rules), second.subject, (*first.implied, *second.implied))
    return None


def _agreeing(tokens: Sequence[Token], evidence: Evidence, subject: Mentions) -> EffectReading | None:
    """Reads "'great' is decisive, and so is 'fine'", where the words of agreement are one token, or begin with a joint."""
    for at, token in enumerate(tokens):
        match = _AGREEING.fullmatch(token.text) if token.value is None else None
        if match is not None and 0 < at < len(tokens) - 1:
            end = at
            while end > 0 and _joins(tokens[end - 1]):
                end -= 1
            return _shortened(tokens[:end], [replace(token, text=match["words"]), *tokens[at + 1 :]], evidence, subject)
    return None


def _shortened(before: Sequence[Token], behind: Sequence[Token], evidence: Evidence, subject: Mentions) -> EffectReading | None:
    """Reads two clauses of which the second leaves out what the first says; `None` if they are not."""
    one, other = skeleton_of(before, evidence), skeleton_of(behind, evidence)
    if not is_short(other.text):
        return None
    first = _clause(one, evidence, subject)
    second = None if first is None else shortened(one.text, first, other, evidence)
    if first is None or second is None:
        return None
    claims = tuple(dict.fromkeys((*first.claims, *second.claims)))
    return EffectReading(claims, first.rules, second.subject, (*first.implied, *second.implied))


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
        mentions, part = Maker(skeleton, evidence, ()).part(match.span("part_1"))
    except Unclear:
        return None
    return EffectReading((Claim("most_important", part, quote=quote_of(mentions)),), ("effect: the map's first",), mentions)


def _bare(tokens: Sequence[Token]) -> list[Token]:
    """The tokens without "the map's", which only says where a statement comes from."""
    texts = [token.text for token in tokens[:3]]
    if texts[:1] == ["although"] or texts[:1] == ["though"] or texts[:1] == ["while"]:
        return _bare(tokens[1:])
    return [tokens[0], *tokens[3:]] if texts == ["the", "map", "'s"] else [*tokens]


def _clause(skeleton: Skeleton, evidence: Evidence, subject: Mentions) -> EffectReading | None:
    """The one reading of a clause; `None` if it has none, or several that differ."""
    found: dict[tuple[object, ...], EffectReading] = {}
    for read in _readings(skeleton, evidence, subject):
        found.setdefault((read.claims, read.implied), read)
    return next(iter(found.values())) if len(found) == 1 else None


def _readings(skeleton: Skeleton, evidence: Evidence, subject: Mentions) -> Iterator[EffectReading]:
    maker = Maker(skeleton, evidence, subject)
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
    for pattern, decisive, sufficient in verdicts(text):
        if match := pattern.fullmatch(text):
            attempts.append(maker.verdict(groups_of(match), decisive=decisive, sufficient=sufficient))
    if match := leading().fullmatch(text):
        attempts.append(maker.effect("alone", groups_of(match), "says", groups_of(match)))
    for pattern, named, others in quantified():
        if match := pattern.fullmatch(text):
            attempts.append(maker.every(groups_of(match), named=named, others=others))
    if match := each_place().fullmatch(text):
        attempts.append(maker.each_place(groups_of(match)))
    yield from shared_readings(skeleton, evidence, subject)
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
                yield sort, groups_of(match)
