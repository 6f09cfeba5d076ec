"""Rules for places in a ranking: the most important word, the second, the least, more important than another."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from verbalize.read.clause import Unclear
from verbalize.read.making.claiming import direction_of, first, least, outranks
from verbalize.read.making.grading import either_sense, grade
from verbalize.read.making.placing import followed, ranked, ranked_inverted
from verbalize.read.rules.amounts import mass_of
from verbalize.read.rules.rule import Rule

if TYPE_CHECKING:
    from verbalize.read.clause import Clause
    from verbalize.read.resolver import Mention

_PLACE = "(shared=EQUALLY)? DET? (rank=ORDINAL)? (FORMOST|ONLY|OVERALLW)? (topn=SUPER|top=MOST|low=SUPERLOW|low=LEAST)"
_KIND = "(ADJ|STRONGADJ|HIGH|OVERALLW|pos_adj=POS|neg_adj=NEG|topn=SUPER)*"
_THING = "(NOUN|ROLEN|EVIDN|SCOREN|pos_adj=SUPN|neg_adj=OPPN)"
_AIM = "(F ((side=FOR|side=AGAINST|TO|IN|ON|BEHIND|OF|BEHINDW|TOWARD) F (PREDICT_G|EXPLAINW)? target=TARGET|WHY MODEL PREDICT target=TARGET|WHY target=TARGET BE PREDICT))?"
_WHERE = "(F (WITHIN|OFALL WORDN?|(AMONG|OF) DET? (NOUN|EVIDN) side=SIDE target=TARGET))*"
_SUPER = f"F DET? {_PLACE} {_KIND} {_THING}? {_AIM} {_WHERE} F {_AIM} F"


def _inverted(clause: Clause, base: str = "important") -> None:
    clause.subject = clause.mentions("part")
    grade(clause, base)  # type: ignore[arg-type]


def _inverted_number(clause: Clause) -> None:
    number = clause.number("number")
    _inverted(clause)
    if number is not None:
        clause.share(clause.subject, number, clause.share_of(clause.memory.direction) if number.percent else "score")


def _inverted_shared(clause: Clause) -> None:
    if len(clause.mentions("part")) > 1:
        clause.spans["among"] = [(clause.start, clause.start)]
    _inverted(clause)


def _what_drove(clause: Clause) -> None:
    clause.spans.setdefault("top", [(clause.start, clause.start)])
    _inverted(clause, "supports")


def _largest_share(clause: Clause) -> None:
    if mass_of(clause) == "negative":
        clause.spans["neg_adj"] = [(clause.start, clause.start)]
    grade(clause, "important")


def _beats(clause: Clause) -> None:
    other = clause.mentions("other")
    if clause.has("rest"):
        if (
            len(clause.subject) != 1
            or clause.has("neg")
            or clause.classes("far") & {"LESS", "FARLESS", "LEAST", "LEASTADV", "DEGW"}
        ):
            raise Unclear
        first(clause, clause.subject, None if not clause.evidence.signed else "supports", shared=False)
        return
    _order(clause, clause.subject, other)


def _beaten(clause: Clause) -> None:
    if clause.has("rest"):
        least(clause, clause.subject, None)
        return
    _order(clause, clause.mentions("other"), clause.subject)


def _order(clause: Clause, first: tuple[Mention, ...], second: tuple[Mention, ...]) -> None:
    if not first or not second:
        raise Unclear
    direction = direction_of(clause, "supports") if clause.evidence.signed else None
    names = clause.classes("far")
    if names & {"LESS", "FARLESS", "SLIGHTLYLESS", "MORE", "MOST", "LEAST", "TOPADV", "LEASTADV"}:
        raise Unclear
    if clause.has("neg"):
        raise Unclear
    outranks(
        clause,
        first,
        second,
        direction,
        frozenset({"FARMORE"})
        if names & {"DEGS", "FARMORE"} or clause.dwarfs()
        else frozenset({"SLIGHTLYMORE"})
        if names & {"DEGW"}
        else frozenset(),
    )
    if clause.target()[0] is None and not clause.has("side"):
        either_sense(clause, first)
    clause.numbers(first, direction)
    clause.numbers(second, direction)


def _chain(clause: Clause) -> None:
    clause.memory.subject = clause.subject
    clause.memory.direction = "supports" if clause.evidence.signed else None
    followed(clause)


def _matches(clause: Clause) -> None:
    other = clause.mentions("other")
    direction = "supports" if clause.evidence.signed else None
    if clause.has("neg") or not other:
        raise Unclear
    clause.pairs(
        clause.resolve(clause.subject, "supports"),
        clause.resolver.resolve(other, "supports"),
        "equal",
        direction=direction,
        tolerance=0.05,
    )


def _none_more(clause: Clause) -> None:
    """Reads "No other word is more important than 'great'"."""
    mentions = clause.mentions("other")
    if len(mentions) != 1:
        raise Unclear
    clause.subject = mentions
    base = "opposes" if clause.has("opp") else "supports"
    direction = direction_of(clause, base) if clause.evidence.signed else None  # type: ignore[arg-type]
    if clause.has("lt"):
        least(clause, mentions, None)
        return
    clause.has("gt")
    first(clause, mentions, direction, shared=False)


def _others_more(clause: Clause) -> None:
    """Reads "Other words are more important than 'great'"."""
    mentions = clause.mentions("other")
    total = max(2, len(clause.evidence))
    if len(mentions) != 1 or clause.has("lt") or not clause.has("gt"):
        raise Unclear
    clause.subject = mentions
    direction = "supports" if clause.evidence.signed else None
    for one in clause.resolve(mentions, "supports"):
        clause.claim(
            "rank",
            one.part,
            direction=direction,
            value=(2 + total) / 2,
            tolerance=(total - 2) / 2,
            quote=one.mark.quote or None,
        )


_ELSE_MORE = "F DET? (gt=GT|lt=LT) F (ADJ|STRONGADJ|MUCH|HIGH|pos_adj=POS|neg_adj=NEG|TOTAL)* (WEIGHTN|NOUN|ROLEN|EVIDN)? (F (side=SIDE|TO|IN|ON|OF) target=TARGET)? F THAN (DET (SCOREN|ONE) (OF|FOR))? other=PARTS (DO|BE|HAVE)? F"

RULES: list[Rule] = [
    Rule("is the most important", f"F BE {_SUPER}", partial(grade, base="important")),
    Rule("is not the most important", f"F (neg=ISNOT|BE neg=NOT) {_SUPER}", partial(grade, base="important")),
    Rule(
        "is the word that matters most",
        f"F BE F DET (NOUN|ROLEN) (WITH F DET? {_PLACE} {_KIND} {_THING}|WHICH F (HAVE|BE|MATTER|INFT|CONTRIB TO?|SPEAK side=SIDE|SUPT) F (DET? {_PLACE} {_KIND} {_THING}? | top=DEG)? (target=TARGET)? F (top=MOST|top=TOPADV)?) {_AIM} F",
        partial(grade, base="important"),
    ),
    Rule(
        "is among the most important",
        f"F BE F among=(ONEOF|AMONG) DET? (rank=NEVER)? (among=INT)? {_PLACE} (among=INT)? {_KIND} {_THING}? {_AIM} {_WHERE} F",
        partial(grade, base="important"),
    ),
    Rule(
        "is among the top three",
        f"F BE F (ONEOF|AMONG|IN) DET? topn=SUPER among=INT {_THING}? {_AIM} {_WHERE} F",
        partial(grade, base="important"),
    ),
    Rule(
        "has the most weight",
        f"F HAVE F DET? {_PLACE} {_KIND} (WEIGHTN|SCOREN|pos_adj=SIDEDMASS|neg_adj=NEGMASS) (WITHIN|OF ALL (NOUN|REST)?)? {_AIM} {_WHERE} F",
        partial(grade, base="important"),
    ),
    Rule(
        "matters most",
        f"F (MATTER|CONTRIB|INFT) F (top=MOST|low=LEAST|top=TOPADV|low=LEASTADV) {_AIM} {_WHERE} F",
        partial(grade, base="important"),
    ),
    Rule(
        "ranks at a place",
        f"F (RANKV|BE|MATTER) F (DET? rank=ORDINAL (PLACEN|INPLACE|ONE)?|FIRSTPLACE|rank=RANKNUM|IN DET? rank=ORDINAL PLACEN|last=LAST) (INPLACE)? {_AIM} {_WHERE} F",
        ranked,
    ),
    Rule(
        "takes a place",
        f"F (TAKEV|HOLD|HAVE) DET? (rank=ORDINAL|topn=SUPER|last=LAST) (PLACEN) (INPLACE)? {_AIM} {_WHERE} F",
        ranked,
    ),
    Rule("tops the list", f"F TOPLIST {_AIM} F", ranked),
    Rule("dominates", "F DOMINATE F (MODEL|DET WHOLEN|target=TARGET) F", ranked),
    Rule(
        "outweighs",
        "F (neg=DOESNOT)? F far=(DEG|GT|LT)? (BEAT) F (DET (SCOREN|WEIGHTN|ONE) OF)? (other=PARTS|rest=REST|rest=(ALLOF OTHERN)) (F (side=FOR|side=AGAINST|IN|ON|AS (EVIDN side=SIDE)?) target=TARGET)? (BY far=FARW)? F",
        _beats,
    ),
    Rule("is outweighed", "F BE F far=DEG? BEAT_P BY (other=PARTS|rest=REST) (F (IN|FOR) target=TARGET)? F", _beaten),
    Rule(
        "trails",
        "F far=DEG? TRAIL (DET (SCOREN|ONE) OF)? (other=PARTS|rest=REST) (INPLACE|F (IN|FOR) target=TARGET)? F",
        _beaten,
    ),
    Rule(
        "ranks above",
        "F (RANKV|SCOREV|BE) F far=DEG? ABOVE (DET (SCOREN|ONE) OF)? (other=PARTS|rest=REST) (INPLACE|F (IN|FOR) target=TARGET)? F",
        _beats,
    ),
    Rule(
        "ranks below",
        "F (RANKV|SCOREV|BE) F far=DEG? BELOW (DET (SCOREN|ONE) OF)? (other=PARTS|rest=REST) (INPLACE|F (IN|FOR) target=TARGET)? F",
        _beaten,
    ),
    Rule("is second to", "F (BE|RANKV) SECONDTO other=PARTS (INPLACE)? F", _beaten),
    Rule("is followed by", "F BE F FOLLOWED part=PARTS (INPLACE)? F", _chain),
    Rule("matches", "F (MATCH) (DET (SCOREN|ONE) OF)? other=PARTS (INPLACE)? F", _matches),
    Rule(
        "scores higher than",
        "F (SCOREV|RANKV|MATTER|CONTRIB|COUNTS) F (gt=GT|lt=LT) (INPLACE)? F THANX F",
        partial(grade, base="important"),
    ),
    Rule("has the largest share", f"F HAVE F DET? {_PLACE} (SHAREW) (OF|IN) mass=MASS F", _largest_share),
    # whole clauses
    Rule("part: the strongest", f"F part=PT (EQUALS|COLON|DASH) DET? {_PLACE} {_KIND} {_THING} {_AIM} F", _inverted, "clause"),
    Rule(
        "the words with the highest scores are",
        f"F DET? INT? NOUN (WITH|WHICH HAVE) DET? {_PLACE} {_KIND} (WEIGHTN|SCOREN) {_AIM} {_WHERE} F (BE|COLON) F part=PT F",
        _inverted_shared,
        "clause",
    ),
    Rule(
        "the words with high scores are",
        f"F DET? INT? NOUN (WITH|WHICH HAVE) DET? (deg=DEG|strong=HIGH|pos_adj=POS|neg_adj=NEG)+ (WEIGHTN|SCOREN) {_AIM} {_WHERE} F (BE|COLON) F part=PT F",
        _inverted,
        "clause",
    ),
    Rule(
        "what drove it was",
        "F WHAT F (PUSH THINGS|INFT target=TARGET|(PUSH|LEADV) MODEL F (top=TOPADV|top=MOST)? (TOWARD|OF) target=TARGET|PUSH MODEL|LEADV MODEL TO target=TARGET|DOMINATE target=TARGET) F BE F (top=TOPADV)? part=PT F",
        _what_drove,
        "clause",
    ),
    Rule(
        "the model gives the most weight to",
        f"F (MODEL|DET? TOTAL? (EXPLN|WHOLEN)) F (PAYV|HAVE) F DET? {_PLACE} {_KIND} (WEIGHTN|SCOREN) F (TO|ON|GIVENTO) part=PT (F (WHENW|FOR|IN) (PREDICT_G)? target=TARGET)? F",
        _inverted,
        "clause",
    ),
    Rule(
        "the model gives weight to",
        "F (MODEL|DET? TOTAL? (EXPLN|WHOLEN)) F (PAYV|HAVE) F DET? (deg=DEG|strong=HIGH|strong=STRONGADJ|pos_adj=POS|neg_adj=NEG|little=LOW|zero=ZERO)+ (WEIGHTN|SCOREN) F (TO|ON|GIVENTO) part=PT (F (WHENW|FOR|IN) (PREDICT_G)? target=TARGET)? F",
        _inverted,
        "clause",
    ),
    Rule(
        "compared to",
        "F (THAN|UNLIKEW) (DET (SCOREN|ONE) OF)? other=PT COMMA? F part=PT F (BE|HAVE|MATTER|SCOREV|RANKV|CONTRIB) F DET? (gt=GT|lt=LT) (ADJ|HIGH|TOTAL|pos_adj=POS)* (WEIGHTN|SCOREN|NOUN)? (F (side=SIDE|TO|IN|ON|OF) target=TARGET)? F",
        _inverted,
        "clause",
    ),
    Rule(
        "the most important is",
        f"F DET? {_PLACE} {_KIND} {_THING}? {_AIM} {_WHERE} F (BE|COLON) F DET? part=PARTS F",
        _inverted,
        "clause",
    ),
    Rule("the most important of all is", f"F {_PLACE} {_KIND} (OFALL|WITHIN)? {_AIM} F BE F part=PARTS F", _inverted, "clause"),
    Rule(
        "the highest score belongs to",
        f"F DET? {_PLACE} {_KIND} (WEIGHTN|SCOREN|SIDEDMASS) {_AIM} {_WHERE} F (BELONGTO|BE FROM|BELONG) F part=PARTS F",
        _inverted,
        "clause",
    ),
    Rule(
        "what matters most is",
        f"F WHAT (MATTER|CONTRIB|INFT|SPEAK side=SIDE|SUPT) F (target=TARGET)? F top=(MOST|TOPADV) {_AIM} F BE F part=PARTS F",
        _inverted,
        "clause",
    ),
    Rule(
        "in a place is",
        f"F IN DET? (rank=ORDINAL|topn=SUPER|last=LAST) PLACEN (AMONG DET NOUN)? {_AIM} (BE|COMMA|RANKV)+ F part=PARTS F",
        ranked_inverted,
        "clause",
    ),
    Rule(
        "the highest score, N, belongs to",
        f"F DET? {_PLACE} {_KIND} (WEIGHTN|SCOREN) {_AIM} (COMMA number=NUMBER COMMA|LP number=NUMBER RP|OF number=NUMBER) F (BELONGTO|BE|BE FROM|BELONG) F part=PARTS F",
        _inverted_number,
        "clause",
    ),
    Rule(
        "next comes",
        "F (rank=ORDINAL|FILL) (INPLACE)? COMMA? (RANKV) F part=PARTS F",
        ranked_inverted,
        "clause",
    ),
    Rule(
        "nothing is more important than",
        f"F (NOTHING|NO OTHERN|NO ELSE (NOUN)) ({'WITHIN'})? F (BE|HAVE|MATTER|CONTRIB TO?|INFT|SUPT|opp=OPPT|SPEAK (GT side=SIDE|side=SIDE)?|SCOREV|RANKV|CARRYV) F (target=TARGET)? {_ELSE_MORE}",
        _none_more,
        "clause",
        says=("NO", "NOTHING"),
    ),
    Rule(
        "nothing speaks as much for",
        "F (NOTHING|NO OTHERN) F (SPEAK side=SIDE target=TARGET|SUPT target=TARGET|opp=OPPT target=TARGET|MATTER|CONTRIB TO target=TARGET|INFT target=TARGET) F EQX F",
        _none_more,
        "clause",
        says=("NO", "NOTHING"),
    ),
    Rule(
        "nothing outweighs",
        "F (NOTHING|NO OTHERN) (WITHIN)? F (BEAT) other=PARTS F",
        _none_more,
        "clause",
        says=("NO", "NOTHING"),
    ),
    Rule(
        "other words are more important",
        f"F (OTHERN|ELSE NOUN) F (BE|HAVE|MATTER) {_ELSE_MORE}",
        _others_more,
        "clause",
        says=("MORE",),
    ),
]
