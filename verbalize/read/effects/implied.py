"""What a sentence about the map says of the model besides: "'great' is the decisive word" says that without it the decision changes.

People speak of the decision where they have only a map, so such a sentence keeps its reading as claims about the map. Where the
model is given, its claims about changed inputs, which are made here, have to hold as well.
"""
# ruff: noqa: E501 - word lists and patterns are easier to read unbroken

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

from verbalize.claims.checking import CheckReport, UndecidedClaim, check_evidence
from verbalize.claims.claim import Claim

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from verbalize.evidence import Evidence
    from verbalize.read.marking.quotations import Quotation
    from verbalize.read.marking.tokens import Token
    from verbalize.saliency import Part

    Places: TypeAlias = "Mapping[str, tuple[Part, ...]]"  # the places that a quotation without an ordinal may mean

_DECIDED = "(?:predictions?|decisions?|classification|outcome|verdict|answer|output|conclusion|judge?ment|label|class|choice|ruling|result|sentiment|call|category|topic|diagnosis|rating)"
_DECISION = rf"(?:[\w']+ ){{0,5}}(?:{_DECIDED}\b|X\b)"  # an object of a verb: a decision, or a label
_SCALES = r"(?:the )?(?:scales?|balance|day|deal|argument|matter|issue|case)\b"

# Words that say of a part that the decision is what it is because of it.
_DECIDES = re.compile(
    r"\b(?:decisive|deciding|crucial|critical|essential|pivotal|vital|indispensable|determining|necessary|required|needed|imperative"
    r"|make or break|makes or breaks|determinants?|clinchers?|linchpins?|tie ?breakers?|the causes? of|the trigger (?:of|for)"
    r"|(?:make|makes|made|making) (?:all )?the (?:whole |entire )?difference"
    r"|(?:depend|hinge|rest|turn|rely entirely|come down|comes down|came down|boil|boils|boiled)(?:s|ed|ing)?(?: (?:\w+ly|above all|down))* (?:on|upon|to)"
    r"|stands? (?:and|or) falls? with|(?:determined|decided|settled|caused|dictated|clinched|sealed|swung|tipped|carried) by)\b"
    rf"|\b(?:determin|decid|settl|dictat|clinch|seal|caus|triggered|triggers|trigger|tip|swing|swung|carr)(?:e|es|ed|s|y|ies|ied|ping|pped|pp|ing)? (?:{_DECISION}|{_SCALES})"
    rf"|\b(?:decid|settl|clinch|seal)(?:e|es|ed|s) (?:it|everything|things)\b"
)
# Words that give a part the blame for the decision, but may mean no more than a large share.
_DRIVES = re.compile(
    rf"\b(?:decisively|crucially|critically|vitally|responsible for|accounts? for|accounted for|driven by|(?:drive|drives|drove|produce|produces|produced|explain|explains|explained) {_DECISION})"
    rf"|\b(?:lead|leads|led|get|gets|got|make|makes|made|cause|causes|caused|prompt|prompts|prompted|convince|convinces|convinced|persuade|persuades|persuaded) (?:the|its) (?:model|classifier|network|system|algorithm)\b"
)
# Words that say of a part of hardly any weight that the model decides the same without it.
_IDLE = re.compile(
    r"\b(?:matters?|mattered|effects?|influenc\w+|impact\w*|difference|bearing|roles?|(?:play\w*|ha[sd]|have|take\w*) (?:[\w']+ ){1,3}part|say|affect\w*|ignor\w+|disregard\w*|overlook\w*|neglect\w*|pass\w* over|skip\w*|irrelevan\w+|immaterial"
    r"|inconsequential|consequence|beside the point|attention|notice\w*|chang\w+|sway\w*|alter\w*|inert)\b"
    rf"|\b(?:to|for|in|on|over|of) (?:(?:[\w']+ ){{0,3}}{_DECIDED}|the (?:model|classifier|network|system))\b"
)
# Words that make less, or a count, of what they stand with, or set a part against another: no changed input tells whether they are true.
_DOWNTONES = re.compile(
    r"\b(?:hardly|barely|scarcely|rarely|seldom|almost|nearly|not quite|anything but|far from|nowhere near|next to)\b"
    r"|\b(?:one|two|three|some|each|both|all) of (?:the |its )?(?:\w+ )?(?:X|two|three|four|five|six|several|few|many)\b"
    r"|\b(?:X|two|three|four|five|six|several|few|many) (?:most )?(?:decisive|deciding|crucial|critical|essential|pivotal|vital|indispensable|determining|necessary)\b"
)
_DEPENDS_MORE = re.compile(
    r"\b(?:depend|hing|hinge|rest|turn)(?:s|ed|ing)? (?:\w+ )?(?:most|more|less|least)(?: \w+)? (?:on|upon)\b"
)
_EXCLUDES = re.compile(r"\bnot\b|n't|\b(?:rather than|instead of|as opposed to|unlike|in contrast to|over|but)\b")
_NOT = re.compile(r"\b(?:not|never|no)\b|n't")
# A clause that leaves out what the one before it says: "not on 'fine'", "but 'fine' does not".
_ELIDED = re.compile(
    r"(?:(?:,|and|but|while|whereas|though|although) ?)*(?:not )?(?:(?:on|upon|by|with|to|for) )?X(?: (?:is|are|was|were|does|do|did|would|will)(?: not|n't))?[ .,;!]*"
)
# Words that speak of the map itself, so that what they say of it is not only the words of the decision read as such.
_OF_MAP = re.compile(
    r"\b(?:important|influential|relevant|salient|strong\w*|weigh\w*|scor\w+|high\w*|contribut\w*|evidence|arguments?|sp[eo]aks?|support\w*|oppos\w+"
    r"|shares?|percent|rank\w*|place[sd]?|maps?|heatmaps?|attribut\w*|saliency|positive(?:ly)? weight)\b|%"
)
_TO_PART = frozenset({"supports", "opposes", "matters", "most_important", "strength", "only"})
_READ_AS = frozenset({"supports", "matters", "most_important", "only", "rank", "near_zero"})
_MAP_ERRORS = frozenset({"wrong sign", "wrong rank", "wrong number"})
_COMPARES = frozenset({"more_important_than", "equal", "ratio", "difference", "least_important"})
_UNSETTLED = "a map does not tell how decisive a part is, and no changed input tells it by degrees or by comparison"
_MOST_READINGS = 12
_MOST_PARTS = 8
_MOST_COUNTED = 60


@dataclass(frozen=True, slots=True)
class Implied:
    """What a statement about the map says of the model.

    Attributes:
        readings: the claims of each sense that the words may have: of each part, or of all together; of the one "great" or the
            other. They are true if all readings are true, and false if all are false.
        soft: whether the words may also mean less. Then they are not false, but undecided, where the claims are false.
        first: whether the words speak of the model first of all, so that without it they are undecided.
        unsettled: claims about the map that are undecided where the model is given, because they compare how decisive parts are,
            or speak of a degree or a number of it, which neither the map nor a changed input tells. There are no readings then.
        joined: the claims about the map that words of the decision alone were read as. Where the model is given and does not
            refute what is said of it, they are not false, but undecided: nobody spoke of the map.
    """

    readings: tuple[tuple[Claim, ...], ...]
    soft: bool = False
    first: bool = False
    unsettled: tuple[Claim, ...] = ()
    joined: tuple[Claim, ...] = ()


def implied_by(words: str, claims: Sequence[Claim], places: Places, count: int, *, sentence: str = "") -> tuple[Implied, ...]:
    """What a clause says of the model besides its claims about the map; empty if it says nothing of a decision.

    Args:
        words: the clause in lower case, with "X" for each quotation and label.
        claims: what was read from it.
        places: the places of quotations that may mean several.
        count: the number of words, or regions, of the input.
        sentence: the words of its whole sentence. "The decisive word is 'great'" may be followed by ", not 'dull'".
    """
    compares = any(claim.kind in _COMPARES for claim in claims)
    if compares and (_DECIDES.search(words) or _DEPENDS_MORE.search(words)):
        return (Implied((), unsettled=tuple(claims)),)
    if compares:
        excludes = _EXCLUDES.search(words) is not None and _DECIDES.search(sentence) is not None
        return (Implied((), unsettled=tuple(claims)),) if excludes else ()
    if claims and _DECIDES.search(words) and _DOWNTONES.search(words):
        return (Implied((), unsettled=tuple(claims)),)
    negated = _NOT.search(words) is not None
    elided = _ELIDED.fullmatch(words.strip()) is not None and _DECIDES.search(sentence) is not None
    joined = tuple(claim for claim in claims if _is_read_as(claim)) if not _OF_MAP.search(sentence or words) else ()
    idle = _distinct(claim for claim in claims if _is_idle(claim, negated=negated))
    decides, drives = elided or _DECIDES.search(words) is not None, _DRIVES.search(words) is not None
    if _DEPENDS_MORE.search(words) and not re.search(r"\b(?:less|least)\b", words):
        decides, drives = False, True  # "depends most on" may also mean no more than a large share
    found = []
    flat = any(claim.kind == "no_clear_evidence" and claim.direction is None for claim in claims)
    if flat and count <= _MOST_COUNTED and (decides or _IDLE.search(words)):  # "nothing has any effect on the decision"
        found.append(Implied((tuple(Claim("decisive", (index,), negated=True) for index in range(count)),)))
    if idle and (decides or _IDLE.search(words)):
        found.append(Implied(_readings(idle, places, negated=True), joined=joined if decides else ()))
    elif decides or drives:
        busy = _distinct(claim for claim in claims if claim.kind in _TO_PART or (claim.kind == "rank" and not negated))
        against = any("opposes" in (claim.kind, claim.direction) for claim in claims)
        if busy:
            soft = against or not decides
            found.append(Implied(_readings(busy, places, negated=False), soft=soft, joined=() if soft else joined))
    return tuple(found)


def words_of(tokens: Iterable[Token]) -> str:
    """The words of a clause, with "X" for each quotation, label and number."""
    return " ".join("X" if token.value is not None else token.text for folded in tokens for token in folded.flat())


def words_between(sentence: str, quotations: Iterable[Quotation]) -> str:
    """The words of a sentence in lower case, with "X" for each quotation."""
    pieces, end = [], 0
    for quotation in quotations:
        pieces.append(sentence[end : quotation.start].lower())
        end = quotation.stop
    return "X".join([*pieces, sentence[end:].lower()])


def check_said(claims: Sequence[Claim], implied: Iterable[Implied], evidence: Evidence, *, with_model: bool) -> CheckReport:
    """Check what a sentence says of the map and, where the model is given, what it says of the model besides."""
    report = check_evidence(claims, evidence)
    said, errors, undecided, notes = [*report.claims], [*report.errors], [*report.undecided], [*report.notes]
    for one in implied:
        if not (with_model or one.first):
            continue
        if one.unsettled:
            open_ = {claim for claim in one.unsettled if claim not in {doubt.claim for doubt in undecided}}
            errors = [error for error in errors if error.claim not in open_]
            undecided += [UndecidedClaim(claim, _UNSETTLED) for claim in dict.fromkeys(one.unsettled) if claim in open_]
            continue
        readings = [check_evidence(reading, evidence) for reading in one.readings]
        first = readings[0]
        said += first.claims
        notes += [note for note in first.notes if all(readings)]
        refuted = all(any(error.kind != "wrong label" for error in reading.errors) for reading in readings)
        if with_model and not refuted:
            moved = [error for error in errors if error.claim in one.joined and error.kind in _MAP_ERRORS]
            errors = [error for error in errors if error not in moved]
            undecided += [UndecidedClaim(error.claim, f"the map does not say so: {error.message}") for error in moved]
        if all(readings):
            continue
        if refuted and not one.soft:
            errors += first.errors
        else:
            whys = [
                [*(doubt.message for doubt in reading.undecided), *(error.message for error in reading.errors)]
                for reading in readings
            ]
            why = next((messages[0] for messages in whys if messages), "it may be said of several parts")
            undecided.append(UndecidedClaim(first.claims[0], why))
    return CheckReport(tuple(dict.fromkeys(said)), tuple(errors), tuple(undecided), tuple(dict.fromkeys(notes)))


def claims_of(implied: Iterable[Implied]) -> tuple[Claim, ...]:
    """All claims of all readings, which the model has to be asked about."""
    return tuple(claim for one in implied for reading in one.readings for claim in reading)


def _is_read_as(claim: Claim) -> bool:
    return claim.kind in _READ_AS or (claim.kind == "share" and claim.value == 0)


def _is_idle(claim: Claim, *, negated: bool) -> bool:
    weak = (claim.kind == "strength" and (claim.value or 0.0) < 0.5) or (claim.kind == "share" and claim.value == 0)
    return claim.kind == "near_zero" or weak or (negated and claim.kind == "rank")


def _distinct(claims: Iterable[Claim]) -> list[Claim]:
    """One claim for each part that is in the input."""
    found: dict[Part, Claim] = {}
    for claim in claims:
        if claim.part:
            found.setdefault(claim.part, claim)
    return [*found.values()]


def _readings(claims: Sequence[Claim], places: Places, *, negated: bool) -> tuple[tuple[Claim, ...], ...]:
    label = next((claim.label for claim in claims if claim.label is not None), None)
    senses: list[list[tuple[Part, str | None]]] = []
    for claim in claims[:_MOST_PARTS]:
        many = places.get(claim.quote or "", ())
        parts = many if len(many) > 1 and claim.part in many else (claim.part or (),)
        senses.append([(part, claim.quote) for part in parts])
    made: dict[tuple[Claim, ...], None] = {}
    for chosen in product(*senses):
        if len({part for part, _ in chosen}) < len(chosen) and len(chosen) > 1:
            continue
        made[tuple(Claim("decisive", part, label=label, negated=negated, quote=quote) for part, quote in chosen)] = None
        together = tuple(sorted({index for part, _ in chosen for index in part}))
        quote = ", ".join(quote or "" for _, quote in chosen)
        if len(chosen) > 1:
            made[(Claim("decisive", together, label=label, negated=negated, quote=quote),)] = None
        if len(made) >= _MOST_READINGS:
            break
    return tuple(made)
