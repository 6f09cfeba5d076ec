"""Rules for short additions that say of another part what was said of the one before, or the opposite: "so does 'fine'"."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from verbalize.read.clause import Unclear
from verbalize.read.making.claiming import outranks
from verbalize.read.making.grading import grade, grade_inverted
from verbalize.read.making.placing import repeated
from verbalize.read.rules.rule import Rule
from verbalize.read.rules.turned import GRADES, sided

if TYPE_CHECKING:
    from verbalize.read.clause import Clause


def _behind(clause: Clause) -> None:
    memory = clause.memory
    before = clause.mentions("part")
    if len(memory.subject) != 1 or len(before) != 1:
        raise Unclear
    outranks(clause, before, memory.subject, memory.direction if clause.evidence.signed else None)


def _count_side(clause: Clause) -> None:
    number = clause.number("number")
    if number is None or clause.memory.kind != "count":
        raise Unclear
    direction = "opposes" if "AGAINST" in clause.classes("side") else "supports"
    clause.claim("count", direction=direction, value=number.value, tolerance=0.0, label=clause.target())


def _not_same(clause: Clause) -> None:
    """Reads "'great' supports it; 'dull' does not"."""
    base = repeated(clause)
    clause.subject = clause.mentions("part")
    clause.spans["neg"] = [(clause.start, clause.start)]
    grade(clause, base)


def _again(clause: Clause) -> None:
    base = repeated(clause)
    clause.subject = clause.mentions("part")
    grade(clause, base)


def _opposite(clause: Clause) -> None:
    base = repeated(clause)
    clause.subject = clause.mentions("part")
    grade(clause, "supports" if base == "opposes" else "opposes")


def _former(clause: Clause) -> None:
    pair = clause.memory.last if len(clause.memory.last) == 2 else clause.memory.subject
    if len(pair) != 2 or clause.memory.direction is None:
        raise Unclear
    one, other = pair[:1], pair[1:]
    outranks(
        clause,
        *((one, other) if clause.has("gt") else (other, one)),
        clause.memory.direction if clause.evidence.signed else None,
    )
    clause.subject = pair


def _instead_of(clause: Clause) -> None:
    memory = clause.memory
    parts = clause.mentions("part")
    if not memory.subject or not parts:
        raise Unclear
    outranks(clause, memory.subject, parts, memory.direction if clause.evidence.signed else None)


def _despite(clause: Clause) -> None:
    clause.subject = clause.mentions("part")
    grade(clause, "opposes")


def _each_number(clause: Clause) -> None:
    clause.subject = clause.mentions("part")
    number = clause.number("number")
    if number is None or len(clause.subject) != 1:
        raise Unclear
    clause.share(clause.subject, number, "score" if not number.percent else clause.share_of(clause.memory.direction))


def _side_share(clause: Clause) -> None:
    """Reads "35 % for 'positive'"."""
    number = clause.number("number")
    if number is None:
        raise Unclear
    value, tolerance = number.within(0.0, 1.0)
    direction = "opposes" if "AGAINST" in clause.classes("side") else "supports"
    clause.claim("balance", direction=direction, value=value, tolerance=tolerance, label=clause.target())


def _another(clause: Clause) -> None:
    if clause.memory.direction is None:
        raise Unclear
    clause.subject = tuple(replace(mention, number=None) for mention in clause.mentions("part"))
    grade(clause, clause.memory.direction)
    clause.numbers(clause.mentions("part"), clause.memory.direction)


RULES: list[Rule] = [
    Rule("right behind", "F (AFTERB|BELOW) part=PT F", _behind, "tail"),
    Rule("so many for, so many against", "F (number=INT) (NOUN)? F (SPEAK)? side=SIDE target=TARGET F", _count_side, "tail"),
    Rule("unlike another", "F LP? UNLIKEW part=PT RP? F", _not_same, "tail"),
    Rule(
        "like another",
        "F LP? SUCHAS part=PT RP? F|F SAMEGOES part=PT F|F part=PT FOLLOWSUIT F|F part=PT DO COMMA? TOOW F",
        _again,
        "tail",
    ),
    Rule("not so another", "F NOT SOW part=PT F", _not_same, "tail", says=("NOT",)),
    Rule(
        "the opposite holds for",
        "F DET? OPPOSITEW HOLDFOR part=PT F|F WITH part=PT (PUSH_G|POINT_G|SPEAK_G) OTHERWAY F",
        _opposite,
        "tail",
    ),
    Rule("the former more than the latter", "F FORMERW (gt=GT|lt=LT) SOW? THAN LATTERW F", _former, "tail"),
    Rule("with support from", f"F WITH DET? {GRADES} (EVIDN|SUPN|opp=OPPN) (FROM) part=PT F", sided, "tail"),
    Rule("a score of one", "F part=PT (ONE|DET) OF number=NUMBER F", _each_number, "tail"),
    Rule("pushed by another", "F (RAISE_P|SUPT_P|opp=LOWER_P|opp=OPPT_P) BY part=PT F", sided, "tail"),
    Rule("pro or contra", "F part=PT (side=PROW|opp=CONTRAW) F", sided, "tail"),
    Rule("in a word", "F part=PT (strong=STRONGADJ|ADJ|zero=UNADJ) F", partial(grade_inverted, base="important"), "tail"),
    Rule("does not", "F part=PT F (DOESNOT|DO NOT|NOT|BE NOT|ISNOT) F", _not_same, "tail", says=("NOT", "DOESNOT", "ISNOT")),
    Rule("but not by", "F NOT (BY|ON|TO|FOR|FROM) part=PT F", _not_same, "tail", says=("NOT", "DOESNOT", "ISNOT")),
    Rule("instead of a part", "F RATHER (ON|BY|TO)? part=PT F", _instead_of, "tail", says=("RATHER",)),
    Rule("despite a part", "F DESPITE (DET PRESENCE OF)? part=PT F", _despite, "tail"),
    Rule(
        "a reason for each",
        "F part=PT F (BE)? DET? (deg=DEG|strong=HIGH)? (EVIDN|ROLEN|ONE) F side=SIDE F target=TARGET F",
        sided,
        "tail",
    ),
    Rule(
        "a sign for each",
        "F part=PT F (BE|HAVE)? DET? (pos_adj=POS|neg_adj=NEG) (ONE|SCOREN|WEIGHTN) F",
        partial(grade_inverted, base="important"),
        "tail",
    ),
    Rule("that of another is", "F DET OF part=PT F (BE|COLON)? F number=NUMBER F", _each_number, "tail"),
    Rule(
        "so much for a side", "F number=SHARENUM (OF IT)? (SPEAK|BE|POINT)? F side=SIDE F target=TARGET F", _side_share, "tail"
    ),
    Rule("another is", "F ANOTHERW (EVIDN|NOUN|ROLEN)? BE part=PT F", _another, "tail"),
]
