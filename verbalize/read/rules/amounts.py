"""Rules for amounts: scores, shares of the evidence, ratios and differences."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from verbalize.claims.checking import check_against
from verbalize.read.clause import Unclear
from verbalize.read.making.grading import grade
from verbalize.read.marking.numbers import Number
from verbalize.read.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.claims.claim import ShareOf
    from verbalize.read.clause import Clause
    from verbalize.read.resolver import Mention

_HALF = (0.75, 0.25)  # "most of": from half to all


def mass_of(clause: Clause, name: str = "mass") -> ShareOf:
    """The mass that a phrase names: "the positive evidence", "the evidence against it", "all importance"."""
    names = clause.classes(name)
    side = _side_words(clause, name)
    against = "AGAINST" in side and "FOR" not in side
    if "NEGMASS" in names or against or "NEG" in side:
        return "negative"
    if "SIDEDMASS" in names or "POS" in side or "FOR" in side:
        return "positive"
    words = clause.words(name).split()
    if names & {"TOTAL", "ALLOF", "OFALL"} or (
        words[-1:] and not {"evidence", "support", "explanation", "case", "argument", "backing"} & set(words)
    ):
        return "absolute"
    if "opposition" in words:
        return "negative"
    if clause.memory.direction == "opposes" and not clause.has("part"):
        return "negative"
    return "positive"


def settle(clause: Clause, mentions: Sequence[Mention], number: Number, of: ShareOf, name: str = "mass") -> None:
    """Claim a share. "The evidence" alone may be that of the side or all evidence, so the share has to be true, or false, of both."""
    clause.share(mentions, number, of)
    names = _side_words(clause, name) | clause.classes(name)
    bare = (
        of in ("positive", "negative")
        and clause.has(name)
        and not names & {"FOR", "AGAINST", "POS", "NEG", "SIDEDMASS", "NEGMASS", "TOWARD"}
    )
    if not clause.evidence.signed and names & {"FOR", "AGAINST", "POS", "NEG", "SIDEDMASS", "NEGMASS"}:
        raise Unclear
    if not bare:
        return
    made = clause.claims[-1]
    other = replace(made, of="absolute")
    truths = check_against([made, other], clause.evidence)
    if truths[0] != truths[1]:
        if truths[1]:
            clause.claims[-1] = other
        raise Unclear


def _side_words(clause: Clause, name: str) -> frozenset[str]:
    """The word classes of a phrase for a mass, without those of the label that it names."""
    tokens = []
    for start, stop in clause.spans.get(name, ()):
        for token in clause.tokens[start:stop]:
            tokens.append(token)
            if token.names & {"FOR", "AGAINST", "TOWARD"}:
                break
    return frozenset().union(*(token.names for token in tokens))


def _mass_label(clause: Clause) -> tuple[str | None, tuple[str, ...] | None]:
    """The label that a phrase for a mass names after "for" or "against"."""
    for start, stop in clause.spans.get("mass", ()):
        after = [i for i in range(start, stop) if clause.tokens[i].names & {"FOR", "AGAINST", "TOWARD"}]
        if after:
            clause.spans["mass_label"] = [(after[-1] + 1, stop)]
            return clause.target("mass_label")
    return (None, None)


def amount(clause: Clause) -> Number:
    """The share that the clause states: "46 %", "most of", "nearly all of"."""
    number = clause.number("number")
    if number is not None:
        return number if number.percent else replace(number, percent=True)
    names = clause.classes("quant")
    if "NEARLYALLOF" in names:
        return Number(0.95, 0.05, percent=True, exact=True)
    if "MORETHANHALF" in names:
        return Number(*_HALF, percent=True, exact=True)
    if "LESSTHANHALF" in names:
        return Number(0.25, 0.25, percent=True, exact=True)
    if "ALLOF" in names:
        return Number(1.0, 0.0, percent=True, exact=True)
    if "NO" in names or "NOTHING" in names:
        return Number(0.0, 0.0, percent=True, exact=True)
    raise Unclear


def _holds(clause: Clause) -> None:
    if clause.has("part"):
        clause.subject = clause.mentions("part")
    mentions = clause.subject
    if not mentions:
        raise Unclear
    of = mass_of(clause)
    clause.memory.direction = "opposes" if of == "negative" else "supports" if of == "positive" else clause.memory.direction
    number = amount(clause)
    if len(mentions) > 1 and "EACH" in clause.classes("each"):
        for mention in mentions:
            settle(clause, [mention], number, of)
    else:
        settle(clause, mentions, number, of)
    label = _mass_label(clause)
    if label != (None, None):
        clause.claims[:] = [
            replace(claim, label=label[0], versus=label[1]) if of != "absolute" else claim for claim in clause.claims
        ]


def _listed_shares(clause: Clause) -> None:
    """Reads "'a' and 'b' hold 40 % and 30 % of the evidence"."""
    numbers = [value for value in clause.values("number") if isinstance(value, Number)]
    if len(numbers) != len(clause.subject):
        raise Unclear
    of = mass_of(clause) if clause.has("mass") else "score"
    for mention, number in zip(clause.subject, numbers, strict=True):
        clause.share([mention], number, "score" if of == "score" and not number.percent else of)


def _score(clause: Clause) -> None:
    if clause.has("part"):
        clause.subject = clause.mentions("part")
    mentions = clause.subject
    numbers = [value for value in clause.values("number") if isinstance(value, Number)]
    if not mentions or not numbers:
        raise Unclear
    if len(numbers) == 1 and clause.has("told") and "SUMMING" in clause.classes("told") and not numbers[0].percent:
        clause.share(mentions, numbers[0], "score")
        return
    if len(numbers) == 1 and clause.has("each"):
        numbers *= len(mentions)
    if len(numbers) != len(mentions):
        raise Unclear
    direction = clause.memory.direction
    for mention, number in zip(mentions, numbers, strict=True):
        if number.percent:
            clause.share([mention], number, clause.share_of(direction))
        else:
            clause.share([mention], number, "score")
    if clause.has("high") or clause.has("top") or clause.has("topn") or clause.has("pos_adj") or clause.has("neg_adj"):
        clause.subject = tuple(replace(mention, number=None) for mention in mentions)
        grade(clause, "important")


def _sum_of_scores(clause: Clause) -> None:
    if clause.has("part"):
        clause.subject = clause.mentions("part")
    number = clause.number("number")
    if number is None or number.percent or len(clause.subject) < 2:
        raise Unclear
    clause.share(clause.subject, number, "score")


def _difference(clause: Clause) -> None:
    number, pair = clause.number("number"), clause.mentions("part")
    if number is None or number.percent or len(pair) != 2:
        raise Unclear
    named = clause.resolve(pair, "supports")
    quote = next((one.mark.quote for one in named if one.part is None), pair[0].quote)
    value, tolerance = number.within(0.0, 1e300)
    gap = float(clause.evidence.net[list(named[0].part or ())].sum() - clause.evidence.net[list(named[1].part or ())].sum())
    one, other = (named[0].part, named[1].part) if gap >= 0 else (named[1].part, named[0].part)
    clause.claim("difference", one, other=other, value=value, tolerance=tolerance, quote=quote)


def _rest(clause: Clause) -> None:
    """Reads "The rest of the text holds 24 % of the evidence": all words that this text has not named as evidence so far."""
    of = mass_of(clause)
    named = {index for part in clause.memory.high for index in part}
    rest = tuple(index for index in range(len(clause.evidence)) if index not in named)
    if not named or not rest or clause.memory.unread:
        raise Unclear
    value, tolerance = amount(clause).within(0.0, 1.0)
    clause.claim("share", rest, value=value, tolerance=tolerance, of=of)


def _balance(clause: Clause) -> None:
    """Reads "Of all the evidence, 70 % speaks for the label"; without a number: the evidence for it outweighs the other side."""
    against = "AGAINST" in clause.classes("side") or "NEGMASS" in clause.classes("mass")
    label = clause.target()
    direction = "opposes" if against else "supports"
    if clause.has("number") or clause.has("quant"):
        value, tolerance = amount(clause).within(0.0, 1.0)
        clause.claim("balance", direction=direction, value=value, tolerance=tolerance, label=label)
    else:
        clause.claim("balance", direction=direction, label=label)
    clause.memory.direction = direction  # type: ignore[assignment]


def _side_amount(clause: Clause) -> None:
    side = _side_words(clause, "mass")
    value, tolerance = amount(clause).within(0.0, 1.0)
    clause.claim(
        "balance",
        direction="opposes" if "AGAINST" in side else "supports",
        value=value,
        tolerance=tolerance,
        label=_mass_label(clause),
    )


def _outweigh(clause: Clause) -> None:
    side = _side_words(clause, "mass") | clause.classes("side")
    against = ("AGAINST" in side or bool(side & {"NEGMASS", "NEG"})) and "FOR" not in side
    if clause.has("beaten"):
        against = not against
    clause.claim("balance", direction="opposes" if against else "supports", label=_mass_label(clause))


def speaking(clause: Clause, direction: str) -> tuple[int, ...]:
    """The indices of all words that speak in a direction."""
    return tuple(np.flatnonzero(clause.evidence.toward(direction) > 0).tolist())


_OFMASS = "((OF|IN)? mass=MASS|mass=(OFALL MASS))"
_NUM = "(number=SHARENUM|quant=MORETHANHALF|quant=LESSTHANHALF|quant=NEARLYALLOF|quant=ALLOF)"
_SIDE = "((side=FOR|side=AGAINST|BEHIND|OF|ON) DET? SIDE? target=TARGET)?"
_SCORES = "((number=DEC|number=INT|number=PCT) ((COMMA|AND|COMMA AND) (number=DEC|number=INT|number=PCT)){0,6})"
RULES: list[Rule] = [
    Rule(
        "holds a share",
        f"F SUMMING? F each=EACH? (HOLD|BE|HAVE) F (SUMMING|each=EACH)? (DET SHAREW OF)? {_NUM} {_OFMASS} F (each=EACH|SUMMING)? F",
        _holds,
        says=("SUMMING",),
    ),
    Rule(
        "together hold a share",
        f"COMMA? F SUMMING COMMA? F (HOLD|BE|HAVE) F (DET SHAREW OF)? {_NUM} {_OFMASS} F",
        _holds,
        says=("SUMMING",),
    ),
    Rule("holds a share: on its own", f"F ALONE? F (HOLD) F ALONE? {_NUM} {_OFMASS} F each=EACH? F", _holds, says=("SUMMING",)),
    Rule(
        "hold shares",
        "F (HOLD|HAVE) F number=SHARENUM ((COMMA|AND|COMMA AND) number=SHARENUM)+ OF mass=MASS (EACH)? F",
        _listed_shares,
    ),
    Rule(
        "a share lies in",
        f"F {_NUM} {_OFMASS} F (LIEIN|COMEFROM|BE FROM|BE HOLD_P BY|REST_ON) F (DET NOUN)? (ONLY)? part=PARTS (ALONE)? F",
        _holds,
        "clause",
        says=("SUMMING",),
    ),
    Rule(
        "a share is its",
        "F DET SHAREW OF part=PARTS (IN|OF) mass=MASS BE (number=SHARENUM) F",
        _holds,
        "clause",
        says=("SUMMING",),
    ),
    Rule(
        "has a score",
        f"F each=(EACH|BOTH|ALL)? (HAVE|SCOREV|BE) F DET? (high=HIGH|LOW|pos_adj=POS|neg_adj=NEG|TOTAL)* (SCOREN|WEIGHTN)? (OF|AT|COLON|EQUALS|CLOSE)? {_SCORES} (each=EACH)? F ((side=SIDE|ON|IN) target=TARGET)? F",
        _score,
    ),
    Rule(
        "has the top score of",
        "F (HAVE) F DET? FORMOST? topn=SUPER (ADJ|HIGH|pos_adj=POS|neg_adj=NEG)* (SCOREN|WEIGHTN) (OF|AT|COMMA|LP|COLON) number=NUMBER RP? F",
        _score,
    ),
    Rule(
        "was given N as its score",
        "F (BE)? GIVENW (DET (SCOREN|WEIGHTN) OF)? number=NUMBER (AS DET (SCOREN|WEIGHTN))? F",
        _score,
    ),
    Rule(
        "the score is",
        f"F DET? (HIGH|pos_adj=POS|neg_adj=NEG|TOTAL)* (SCOREN|WEIGHTN) (OF|FOR|ON|BELONGTO|GIVENTO) part=PARTS F BE F {_SCORES} F",
        _score,
        "clause",
    ),
    Rule(
        "the score is: possessive", f"F part=PARTS POSSESSIVE (HIGH|TOTAL)* (SCOREN|WEIGHTN) BE F {_SCORES} F", _score, "clause"
    ),
    Rule(
        "the score of N",
        "F DET (HIGH|TOTAL)* (SCOREN) OF number=NUMBER (FOR|ON) part=PARTS BE high=(HIGH|ADJ|STRONGADJ) F",
        _score,
        "clause",
    ),
    Rule("part: score", f"F part=PARTS (COLON|EQUALS|DASH|WITH) {_SCORES} F", _score, "clause"),
    Rule(
        "scores sum to",
        "COMMA? F SUMMING COMMA? F (SUMTO|HAVE|HOLD|SCOREV) F (DET? (TOTAL)? (SCOREN|SUMW) OF)? number=NUMBER F|F (SUMTO|HAVE DET TOTAL SCOREN OF|HAVE DET SUMW OF) F (DET? TOTAL? (SCOREN|SUMW) OF)? number=NUMBER SUMMING? F|F (SCOREV|HAVE DET SCOREN OF) number=NUMBER SUMMING F",
        _sum_of_scores,
        says=("SUMMING",),
    ),
    Rule(
        "the scores sum to",
        "F DET (TOTAL|SUMMING)? (SCOREN|SUMW (OF DET SCOREN)?) OF part=PARTS F (SUMTO|BE) F number=NUMBER F",
        _sum_of_scores,
        "clause",
        says=("SUMMING",),
    ),
    Rule(
        "the difference is",
        "F DET (DIFFW|GAPW) BETWEENW (DET SCOREN OF)? part=PARTS F (BE|SUMTO) number=NUMBER F",
        _difference,
        "clause",
    ),
    Rule("the rest holds", f"F RESTN (WITHIN)? F (HOLD) F (SUMMING)? {_NUM} {_OFMASS} F", _rest, "clause", says=("SUMMING",)),
    Rule(
        "balance in per cent",
        f"F (OF|IN) (MASS|ALLOF MASSN) WITHIN? (COMMA SIDE AND SIDE)? (COMMA SIDE (AND|OR) SIDE COMMA)? COMMA? {_NUM} (OF IT)? (SPEAK|POINT|BE) F (side=SIDE|side=TOWARD|side=AWAY) F target=TARGET F",
        _balance,
        "clause",
    ),
    Rule(
        "a share of all speaks for",
        f"F {_NUM} (OF|IN) (THE|DET|ALLOF|TOTAL)* MASSN WITHIN? (SPEAK|POINT|BE) F (side=SIDE|side=TOWARD|side=AWAY) F target=TARGET F",
        _balance,
        "clause",
    ),
    Rule(
        "one side amounts to",
        f"F mass=((THE|DET) MASSN (FOR|AGAINST) (LB|TG|BL|POS|NEG|IT)) F (HOLD|SUMTO|BE) F {_NUM} ((OF|IN) (THE|DET|ALLOF|TOTAL)* (MASSN|TOTAL))? F",
        _side_amount,
        "clause",
    ),
    Rule(
        "one side outweighs the other",
        "F DET? mass=(MASS|(POS|NEG) (WEIGHTN|NOUN)) (BEAT|BE GT THAN) DET? (MASS|(POS|NEG) (WEIGHTN|NOUN|ONE)|OTHERSIDE|REST) F",
        _outweigh,
        "clause",
    ),
    Rule(
        "one side is outweighed",
        "F DET? mass=(MASS|(POS|NEG) (WEIGHTN|NOUN)) BE beaten=BEAT_P BY DET? (MASS|(POS|NEG) (WEIGHTN|NOUN|ONE)|OTHERSIDE) F",
        _outweigh,
        "clause",
    ),
    Rule(
        "words of one side outweigh",
        "F DET? (NOUN) (WITH|SPEAK_G) (mass=(POS|NEG) (WEIGHTN|SCOREN)|side=SIDE TARGET) BEAT DET? (NOUN|ONE) ((WITH|SPEAK_G) ((POS|NEG) (WEIGHTN|SCOREN)|SIDE TARGET)|SPEAK_G SIDE TARGET) F",
        _outweigh,
        "clause",
    ),
]
