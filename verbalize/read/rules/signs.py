"""Rules for clauses that say on which side a part is: it supports the label, opposes it, or is important."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from verbalize.read.clause import Unclear
from verbalize.read.making.claiming import require_weight
from verbalize.read.making.grading import grade, grade_inverted
from verbalize.read.rules.rule import Rule

if TYPE_CHECKING:
    from verbalize.read.clause import Clause

_NEG = "(neg=DOESNOT|neg=HARDLY|HELPW|DO)?"
_FULL = "F deg=DEG? F POST? F"


def _both(name: str, pattern: str) -> list[Rule]:
    """A rule for verbs that support and its twin for verbs that oppose."""
    made = []
    for base, verb, away in (("supports", "SUPT", "TOWARD"), ("opposes", "OPPT", "AWAY")):
        filled = (
            pattern.replace("VERB", verb).replace("WAY", away).replace("RAISED", "RAISE" if base == "supports" else "LOWER")
        )
        filled = filled.replace("LIKELY", "MORELIKELY" if base == "supports" else "LESSLIKELY").replace(
            "NOUNSIDE", "SUPN" if base == "supports" else "OPPN"
        )
        filled = (
            filled.replace("ADJSIDE", "SUPADJ" if base == "supports" else "OPPADJ")
            .replace("SIGNADJ", "POS" if base == "supports" else "NEG")
            .replace("SUREOF", "MORESURE" if base == "supports" else "LESSSURE")
            .replace("UPDOWN", "UPW" if base == "supports" else "DOWNW")
        )
        made.append(Rule(f"{base}: {name}", filled, partial(grade, base=base)))  # type: ignore[arg-type]
    return made


def _one_side(clause: Clause) -> None:
    sides = clause.classes("side") & {"FOR", "AGAINST"}, clause.classes("other_side") & {"FOR", "AGAINST"}
    if sides[0] == sides[1]:
        raise Unclear
    grade(clause, "supports")


def _role(clause: Clause) -> None:
    """Reads "'great' is the reason for it": such a part has to have some weight."""
    grade(clause, "supports")
    if clause.memory.plain and clause.evidence.signed:
        named = clause.resolve(clause.subject, clause.memory.direction or "supports")
        toward = clause.evidence.toward(clause.memory.direction or "supports")
        require_weight(clause, [one for one in named if one.part and float(toward[list(one.part)].sum()) > 0])


def _adds(clause: Clause) -> None:
    number = clause.number("number")
    if number is None or len(clause.subject) != 1:
        raise Unclear
    clause.share(clause.subject, number, "score")


RULES: list[Rule] = [
    *_both("supports the label", f"F {_NEG} F deg=DEG? F VERB F MID? target=TARGET {_FULL}"),
    *_both(
        "strengthens the case",
        f"F {_NEG} F deg=DEG? F (VERB|RAISED) F DET? (EVIDN|MASSN|NOUN) (FOR|BEHIND|OF|IN) F target=TARGET {_FULL}",
    ),
    *_both(
        "drags the score",
        f"F {_NEG} F deg=DEG? F PUSH DET? (PROBN|SCOREN|target=TARGET) UPDOWN ((OF|FOR) target=TARGET)? {_FULL}",
    ),
    Rule(
        "offsets the other side",
        "F OPPT F deg=DEG? DET? (POS|BL|SUPN) (EVIDN|NOUN|MASSN|SCOREN) F",
        partial(grade, base="opposes"),
    ),
    Rule("does nothing for", "F neg=DONOTHING F (FOR) target=TARGET F", partial(grade, base="supports")),
    *_both("supports", f"F {_NEG} F deg=DEG? F VERB {_FULL}"),
    Rule(
        "speaks for the label",
        f"F {_NEG} F deg=DEG? F (SPEAK|MATTER) F MID? (COMMA F)? side=SIDE F target=TARGET {_FULL}",
        partial(grade, base="supports"),
    ),
    Rule(
        "contributes to the label",
        f"F {_NEG} F deg=DEG? F CONTRIB F MID? pos_adj=POSLY? (CMP COMMA?)? F TO F target=TARGET {_FULL}",
        partial(grade, base="supports"),
    ),
    Rule(
        "contributes", f"F {_NEG} F deg=DEG? pos_adj=POSLY? (CONTRIB) pos_adj=POSLY? {_FULL}", partial(grade, base="important")
    ),
    Rule(
        "contributes negatively",
        f"F deg=DEG? F neg_adj=NEGLY? (CONTRIB|INFT|SPEAK|POINT) F deg=DEG? neg_adj=NEGLY (F (TO|ON) target=TARGET)? {_FULL}",
        partial(grade, base="important"),
    ),
    Rule(
        "negatively affects",
        f"F deg=DEG? F neg_adj=NEGLY F (CONTRIB TO|INFT) target=TARGET? {_FULL}",
        partial(grade, base="important"),
    ),
    *_both(
        "pushes the model",
        f"F {_NEG} F deg=DEG? F PUSH (MODEL|target=TARGET|THINGS) F deg=DEG? WAY (THE? target=TARGET) {_FULL}",
    ),
    *_both("points", f"F {_NEG} F deg=DEG? F POINT F MID? F WAY F target=TARGET {_FULL}"),
    *_both(
        "raises the score",
        f"F {_NEG} F deg=DEG? F RAISED F (DET|MODELS|MODEL POSSESSIVE)* PROBN ((OF|FOR|IN|THAT)? F target=TARGET)? {_FULL}",
    ),
    *_both("raises the label", f"F {_NEG} F deg=DEG? F RAISED F target=TARGET {_FULL}"),
    *_both("makes it likelier", f"F {_NEG} F LEADV (target=TARGET|MODEL) F deg=DEG? LIKELY {_FULL}"),
    *_both(
        "makes it likelier to be",
        f"F {_NEG} F LEADV DET? (WHOLEN|MODEL) F deg=DEG? LIKELY (TO (BE|PREDICT) AS?|AS) target=TARGET {_FULL}",
    ),
    *_both(
        "is on its side",
        f"F (BE|neg=ISNOT) F deg=DEG? F (DET)? (strong=HIGH|strong=STRONGADJ|weak=LOW|ADJ)* ADJSIDE F target=TARGET {_FULL}",
    ),
    *_both(
        "is a supporter",
        f"F (BE|neg=ISNOT) F DET? (strong=HIGH|strong=STRONGADJ|weak=LOW|ADJ)* (NOUNSIDE) ((OF|FOR|TO|AGAINST|ON) target=TARGET)? {_FULL}",
    ),
    Rule(
        "is evidence for",
        f"F (BE|neg=ISNOT) F DET? (strong=HIGH|strong=STRONGADJ|weak=LOW|weak=WEAKADJ|ADJ|POS)* (EVIDN|ROLEN|SCOREN) side=SIDE F target=TARGET {_FULL}",
        _role,
    ),
    Rule(
        "is a positive factor",
        f"F (BE|neg=ISNOT) F DET? (strong=HIGH|weak=LOW|ADJ)* (pos_adj=POS|neg_adj=NEG) (ADJ)? (ROLEN|NOUN|EVIDN|WEIGHTN) ((FOR|ON|IN|BEHIND|OF|TO) F target=TARGET)? {_FULL}",
        partial(grade, base="important"),
    ),
    Rule(
        "is positive for",
        f"F (BE|neg=ISNOT) F (deg=DEG)? (pos_adj=POS|neg_adj=NEG) ((FOR|ON|TO) F target=TARGET)? {_FULL}",
        partial(grade, base="important"),
    ),
    Rule(
        "makes the model predict",
        f"F {_NEG} F LEADV MODEL (TO|TOWARD)? F (PREDICT|PREDICT_G)? (AS|DET WHOLEN (AS|TO BE|INTO)|THAT DET WHOLEN BEINGW)? F target=TARGET {_FULL}",
        partial(grade, base="supports"),
    ),
    Rule(
        "leads to the label",
        f"F {_NEG} F deg=DEG? F (LEADV|PUSH|LEADING) F TO F target=TARGET {_FULL}",
        partial(grade, base="supports"),
    ),
    Rule(
        "indicates the label",
        f"F {_NEG} F deg=DEG? F INDICATE F (DET (HIGH|ADJ|STRONGADJ)*)? target=LABELNP {_FULL}",
        partial(grade, base="supports"),
    ),
    Rule(
        "indicates that it is",
        f"F {_NEG} F (INDICATETHAT|INDICATE THAT?|SHOWS THAT) DET (WHOLEN|PREDN|ONE|IT) (BEINGW|BE) F (DEGS)? (AS)? target=LABELNP {_FULL}",
        partial(grade, base="supports"),
    ),
    Rule(
        "tells the model that it is",
        "F TELLV (MODEL)? THAT (DET (WHOLEN|PREDN|ONE)|IT) BE target=LABELNP F",
        partial(grade, base="supports"),
    ),
    Rule("makes the model believe", f"F {_NEG} F LEADV MODEL BELIEVEW target=TARGET {_FULL}", partial(grade, base="supports")),
    Rule("adds so much to the score", "F (HOLD|CONTRIB|HAVE) number=(DEC|INT) (TO|FOR) (DET PROBN OF)? target=TARGET F", _adds),
    Rule("is below zero", "F BE BOTH? (pos_adj=ABOVEZERO|neg_adj=BELOWZERO) F", partial(grade, base="important")),
    *_both("makes it surer", "F (neg=DOESNOT)? F LEADV MODEL F SUREOF F target=TARGET F"),
    Rule(
        "speaks for it rather than against it",
        "F SPEAK F (GT|DEGM|DEG)? side=SIDE target=TARGET F THAN other_side=SIDE IT F",
        _one_side,
    ),
    Rule(
        "speaks more than another for it",
        "F (SPEAK|MATTER) F CMP F (COMMA)? side=SIDE target=TARGET F",
        partial(grade, base="supports"),
    ),
    Rule(
        "neither supports nor opposes",
        "F zero=(NEITHERW (SUPT|OPPT|SPEAK SIDE) (NORW|OR) (SUPT|OPPT|SPEAK? SIDE)) target=TARGET F",
        partial(grade, base="important"),
    ),
    Rule(
        "because of it the model leans",
        "F BECAUSEOF (DET PRESENCE OF)? part=PT COMMA? F MODEL (POINT|SPEAK) F deg=DEG? (MORE)? (TOWARD|TO) target=TARGET F",
        partial(grade_inverted, base="supports"),
        "clause",
        says=("MORE",),
    ),
    Rule(
        "gives a push",
        "F HAVE F DET? (strong=HIGH|weak=LOW|ADJ|REALW)* (pos_adj=POS|neg_adj=NEG)? (PUSHN|EVIDN) (TO|TOWARD|FOR) F target=TARGET F",
        partial(grade, base="supports"),
    ),
    # importance
    Rule(
        "high scores are given to",
        "F (THERE BE)? DET? (deg=DEG|strong=HIGH|strong=STRONGADJ|ADJ|TOTAL|pos_adj=POS|neg_adj=NEG|little=LOW|top=MOST|topn=SUPER)+ (WEIGHTN|SCOREN) F (BE|HAVE)? (GIVENTO|BELONGTO|FOR|ON|GIVENW TO|WITH|GIVENW) part=PT F ((FOR|IN) target=TARGET)? F",
        partial(grade_inverted, base="important"),
        "clause",
    ),
    Rule(
        "there are words with such scores",
        "F (THERE BE|WESEE|DET WHOLEN (HAVE|CONTAIN|OFFERS)) DET? (SOMEW|HIGH|OTHERW)? NOUN (WITH|HAVE_G|WHICH HAVE) DET? (deg=DEG|strong=HIGH|ADJ|TOTAL|pos_adj=POS|neg_adj=NEG|little=LOW)+ (WEIGHTN|SCOREN) COMMA? (SUCHAS) part=PT F",
        partial(grade_inverted, base="important"),
        "clause",
    ),
    Rule(
        "is important",
        f"F (BE|neg=ISNOT|BE neg=NOT) F (deg=DEG)? F (ADJ|strong=STRONGADJ|weak=WEAKADJ) ((COMMA|AND)? F (ADJ|strong=STRONGADJ))? (F (side=SIDE|TO|IN|ON) F DET? (target=TARGET))? {_FULL}",
        partial(grade, base="important"),
    ),
    Rule(
        "is an important word",
        f"F (BE|neg=ISNOT|BE neg=NOT) F DET? (deg=DEG|ADJ|strong=STRONGADJ|strong=HIGH|weak=LOW|weak=WEAKADJ)+ (NOUN|ROLEN|EVIDN) (F (side=SIDE|TO|IN|ON|OF|BEHIND) F DET? (target=TARGET))? {_FULL}",
        partial(grade, base="important"),
    ),
    Rule(
        "is a reason",
        f"F (BE|neg=ISNOT) F (ARTICLE|ONE OF DET|AMONGW DET) (ROLEN) ((side=SIDE|BEHIND|OF|IN) F target=TARGET)? {_FULL}",
        partial(grade, base="important"),
    ),
    Rule(
        "matters",
        f"F {_NEG} F deg=DEG? F MATTER F MID? F ((side=FOR|TO|IN|ON|AS) F target=TARGET)? {_FULL}",
        partial(grade, base="important"),
    ),
    Rule(
        "influences the decision",
        f"F {_NEG} F deg=DEG? F (INFT|DOMINATE) F MID? (MODEL|DET WHOLEN|target=TARGET) {_FULL}",
        partial(grade, base="important"),
    ),
    Rule(
        "is important: more than",
        "F (BE|neg=ISNOT|BE neg=NOT) F (gt=GT|lt=LT) (ADJ|STRONGADJ)? (F (side=SIDE|TO|IN|ON) target=TARGET)? F THANX? (F (side=SIDE|TO|IN) target=TARGET)? F",
        partial(grade, base="important"),
    ),
    Rule(
        "is a stronger signal",
        "F (BE|neg=ISNOT|BE neg=NOT) F DET? (gt=GT|lt=LT) (ADJ)? (NOUN|ROLEN|EVIDN|WEIGHTN|SUPN) (F (side=SIDE|TO|IN|ON|OF|BEHIND) target=TARGET)? F THANX? (F (side=SIDE|TO|IN) target=TARGET)? F",
        partial(grade, base="important"),
    ),
    Rule(
        "is of greater importance",
        "F (BE|neg=ISNOT) OF (gt=GT|lt=LT) WEIGHTN (F (side=SIDE|TO|IN|ON) target=TARGET)? F THANX F",
        partial(grade, base="important"),
    ),
    Rule(
        "is as important as",
        "F (BE|neg=ISNOT|BE neg=NOT) F eq=(EQUALLY|ASW) (ADJ|STRONGADJ) (F (side=SIDE|TO|IN|ON) target=TARGET)? ASW (other=PARTS) (DO|BE)? F",
        partial(grade, base="important"),
    ),
    Rule(
        "is equally important",
        "F (BE) F eq=EQUALLY (ADJ|STRONGADJ) (F (side=SIDE|TO|IN|ON) target=TARGET)? F",
        partial(grade, base="important"),
    ),
    Rule("is twice as important", "F (BE) F TIMX (F (side=SIDE|TO|IN|ON) target=TARGET)? F", partial(grade, base="important")),
    Rule(
        "is times as important",
        "F (BE) F times=(TWICE|HALFAS|NUMBER TIMESN) ASW (ADJ|STRONGADJ|HIGH|MUCH) (F (side=SIDE|TO|IN|ON) target=TARGET)? ASW other=PARTS F",
        partial(grade, base="important"),
    ),
    Rule(
        "makes no difference",
        "F zero=(HASNO (DEG|HIGH|ADJ|REALW)* (NODIFF|WEIGHTN)|UNIMP) ((IN|ON|TO|FOR|OF) F target=TARGET)? F",
        partial(grade, base="important"),
        says=("HASNO", "UNIMP"),
    ),
    Rule("is unimportant", "F BE F (DEG)? zero=UNADJ (F (FOR|TO|IN|ON) target=TARGET)? F", partial(grade, base="important")),
    Rule(
        "hardly matters",
        "F zero=HARDLY F (MATTER|CONTRIB|INFT|COUNTS) (F (TO|FOR|IN)? target=TARGET)? F",
        partial(grade, base="important"),
    ),
    Rule(
        "contributes little",
        "F (CONTRIB|MATTER) F (little=LOW|zero=NOTHING|zero=ZERO|little=DEGW) (F (TO|FOR|IN) target=TARGET)? F",
        partial(grade, base="important"),
    ),
    Rule("was ignored", "F BE F zero=IGNORED (BY MODEL)? F", partial(grade, base="important")),
]
