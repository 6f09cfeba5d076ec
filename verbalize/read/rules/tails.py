"""Rules for additions to a clause: "followed by 'fine'", "with 46 % of the evidence", "and 'dull' against it"."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from verbalize.read.clause import Unclear
from verbalize.read.making.claiming import sign
from verbalize.read.making.grading import grade
from verbalize.read.making.placing import followed, ranked, repeated
from verbalize.read.marking.numbers import Number
from verbalize.read.rules.amounts import _listed_shares, amount, mass_of, settle
from verbalize.read.rules.rule import Rule

if TYPE_CHECKING:
    from verbalize.read.clause import Clause


def _with_share(clause: Clause) -> None:
    if not clause.memory.subject:
        raise Unclear
    mentions = tuple(replace(mention, number=None) for mention in clause.memory.subject)
    number = amount(clause)
    of = mass_of(clause) if clause.has("mass") else clause.share_of(clause.memory.direction)
    if (
        clause.has("mass")
        and of == "positive"
        and clause.memory.direction == "opposes"
        and not clause.classes("mass") & {"FOR", "SIDEDMASS"}
    ):
        of = "negative"
    if len(mentions) > 1 and clause.has("each"):
        for mention in mentions:
            settle(clause, [mention], number, of)
    else:
        settle(clause, mentions, number, of)


def _area(clause: Clause) -> None:
    """Reads "about a tenth of the picture": the share of its pixels that lie in the region."""
    number = clause.number("number")
    if not clause.evidence.pixels or number is None or len(clause.memory.subject) != 1:
        raise Unclear
    value, tolerance = number.within(0.0, 1.0)
    for one in clause.resolve(clause.memory.subject, "number", value):
        clause.claim("share", one.part, value=value, tolerance=tolerance, of="area", quote=one.mark.quote)


def _with_score(clause: Clause) -> None:
    numbers = [value for value in clause.values("number") if isinstance(value, Number)]
    mentions = clause.memory.subject
    if len(numbers) == 1 and len(mentions) > 1:
        numbers *= len(mentions) if clause.has("each") else 1
    if not numbers or len(numbers) != len(mentions):
        raise Unclear
    if clause.has("neg_adj") or clause.has("pos_adj"):
        clause.subject = mentions
        direction = "opposes" if clause.has("neg_adj") else "supports"
        sign(clause, clause.resolve(mentions, direction), direction, direction)  # type: ignore[arg-type]
    for mention, number in zip(mentions, numbers, strict=True):
        clause.share([mention], number, clause.share_of(clause.memory.direction) if number.percent else "score")


def _opposite(clause: Clause) -> None:
    if clause.memory.direction is None:
        raise Unclear
    opposite = "supports" if clause.memory.direction == "opposes" else "opposes"
    clause.subject = clause.mentions("part")
    grade(clause, opposite)  # type: ignore[arg-type]


def _same(clause: Clause) -> None:
    clause.subject = clause.mentions("part")
    grade(clause, repeated(clause))


def _gap_side(clause: Clause) -> None:
    clause.subject = clause.mentions("part")
    grade(clause, "supports")


def _gap_share(clause: Clause) -> None:
    clause.subject = clause.mentions("part")
    if clause.memory.kind == "predicted" or (clause.memory.direction is None and not clause.memory.subject):
        raise Unclear
    numbers = [value for value in clause.values("number") if isinstance(value, Number)]
    if len(numbers) != len(clause.subject):
        raise Unclear
    for mention, number in zip(clause.subject, numbers, strict=True):
        clause.share([mention], number, clause.share_of(clause.memory.direction) if number.percent else "score")


def _gap_rank(clause: Clause) -> None:
    clause.subject = clause.mentions("part")
    ranked(clause)


def _of_them(clause: Clause) -> None:
    """Reads "above all 'love', 84 %": the strongest word of the phrase before, with its share."""
    mentions = clause.mentions("part")
    if len(mentions) != 1 or not clause.memory.subject:
        raise Unclear
    direction = clause.memory.direction if clause.evidence.signed else None
    whole = clause.resolve(clause.memory.subject, direction or "supports")
    inside = {index for one in whole for index in one.part or ()}
    mark = mentions[0].mark
    held = (
        tuple(place for place in mark.places if set(place) < inside) if inside and mentions[0].ordinal is None else mark.places
    )
    mention = replace(mentions[0], mark=replace(mark, places=held or mark.places), number=None)
    named = clause.resolve([mention], direction or "supports")
    sign(clause, named, direction or "important", direction or "supports")
    others = tuple(sorted(inside - set(named[0].part or ())))
    if named[0].part is not None and others:
        for index in others:
            clause.claim("more_important_than", named[0].part, other=(index,), direction=direction, quote=mention.quote)
    number = mentions[0].number or clause.number("number")
    if number is not None:
        clause.share([mention], number, clause.share_of(direction))


def _consequence(clause: Clause) -> None:
    if not clause.memory.subject:
        raise Unclear
    clause.subject = tuple(replace(mention, number=None) for mention in clause.memory.subject)
    if clause.memory.direction == "opposes":
        raise Unclear
    grade(clause, "supports")


def _shares_of_subject(clause: Clause) -> None:
    clause.subject = clause.memory.subject
    _listed_shares(clause)


def _nothing_said(clause: Clause) -> None:
    """A frame such as "according to the map" says nothing that could be false."""
    if clause.has("target"):
        clause.memory.label = clause.target()


_EVIDENCE = "((OF|IN) mass=MASS|mass=(OFALL MASS))?"
RULES: list[Rule] = [
    Rule("followed by", "F (FOLLOWED|THEN|AHEADW) F (RANKV)? part=PARTS (INPLACE)? F", followed, "tail"),
    Rule(
        "with a score",
        "F (each=EACH)? (WITH|SCOREV_G|HAVE_G)? F (DET? (HIGH|ADJ|pos_adj=POS|neg_adj=NEG|TOTAL)* (SCOREN|WEIGHTN) (OF|AT|COLON)?)? number=(DEC|INT|PCT) ((COMMA|AND|COMMA AND) number=(DEC|INT|PCT))* (each=EACH)? F",
        _with_score,
        "tail",
    ),
    Rule(
        "with a share",
        f"F (each=EACH)? (WITH|HOLD_G|BE)? F (DET SHAREW OF)? (number=SHARENUM|quant=MORETHANHALF|quant=LESSTHANHALF|quant=NEARLYALLOF) {_EVIDENCE} (each=EACH)? F",
        _with_share,
        "tail",
    ),
    Rule(
        "a score in brackets",
        "F LP (each=EACH)? WITH? (DET? (HIGH|ADJ|pos_adj=POS|neg_adj=NEG|TOTAL)* (SCOREN|WEIGHTN) (OF|AT|COLON|EQUALS)?)? number=(DEC|INT|PCT) (each=EACH)? RP F",
        _with_score,
        "tail",
    ),
    Rule(
        "a share in brackets",
        f"F LP (each=EACH)? (WITH|HOLD_G)? (number=SHARENUM|quant=MORETHANHALF|quant=NEARLYALLOF) {_EVIDENCE} (each=EACH)? RP F",
        _with_share,
        "tail",
    ),
    Rule("an area", "COMMA? LP? number=(PCT|FRAC) (OF DET TOTAL? WHOLEN|OFPICTURE) COMMA? RP?", _area, "tail"),
    Rule(
        "the strongest of them", "F ABOVEALL part=PART (COMMA? number=NUMBER (OF MASS)?)? F", _of_them, "tail", says=("TOPADV",)
    ),
    Rule("does the opposite", "F part=PARTS F DO? DET? OPPOSITEW F", _opposite, "tail", says=()),
    Rule(
        "so does",
        "F (SODO part=PARTS|part=PARTS F DO (TOOW|SOW)?|AS DO part=PARTS|SODO F part=PARTS|part=PARTS F TOOW) F",
        _same,
        "tail",
    ),
    Rule("a side for each", "F part=PARTS F (side=SIDE) F target=TARGET F (deg=TOPADV)? F", _gap_side, "tail"),
    Rule("a share for each", "F part=PARTS F (WITH|COLON|BY|BE|HOLD)? (number=SHARENUM|number=INT) F", _gap_share, "tail"),
    Rule("a place for each", "F part=PARTS F (DET? rank=ORDINAL|last=LAST|topn=FIRSTPLACE) F", _gap_rank, "tail"),
    Rule(
        "indicating the label",
        "F INDICATING (THAT DET WHOLEN BE)? F (DET (HIGH|ADJ|STRONGADJ|DEGS)*)? target=TARGET F",
        _consequence,
        "tail",
    ),
    Rule(
        "leading to the label",
        "F LEADING MODEL TO (PREDICT|CONTRIB)? (AS|DET WHOLEN AS)? target=TARGET F",
        _consequence,
        "tail",
        says=("SUPER",),
    ),
    Rule("more than", "F neg=NOT? CMP F", partial(grade, base="important"), "tail"),
    Rule(
        "with the highest score",
        "F (WITH|HAVE_G|SCOREV_G)? F DET? (rank=ORDINAL)? (FORMOST)? (topn=SUPER|top=MOST|low=SUPERLOW|low=LEAST|(deg=DEG|strong=HIGH|pos_adj=POS|neg_adj=NEG|little=LOW)+) (ADJ|HIGH|pos_adj=POS|neg_adj=NEG)* (WEIGHTN|SCOREN) ((side=SIDE|ON|IN) target=TARGET)? F",
        partial(grade, base="important"),
        "tail",
    ),
    Rule(
        "being the most important",
        "F BE? F DET? (rank=ORDINAL)? (FORMOST)? (topn=SUPER|top=MOST|low=SUPERLOW|low=LEAST) (ADJ|STRONGADJ)? (NOUN|ROLEN|EVIDN) ((side=SIDE|ON|IN|OF|BEHIND) target=TARGET)? WITHIN? F",
        partial(grade, base="important"),
        "tail",
    ),
    Rule("frame: label", "F (FOR|INPREDICTING|WITHRESPECT) F target=TARGET F", _nothing_said, "tail"),
    Rule("frame", "(F|SAYS DET? (MODELS|TOTAL)? EXPLN (WITHIN)?|WITHIN)+", _nothing_said, "tail"),
    Rule(
        "with shares",
        "F WITH number=SHARENUM ((COMMA|AND|COMMA AND) number=SHARENUM)+ OF mass=MASS (EACH)? F",
        _shares_of_subject,
        "tail",
    ),
]
