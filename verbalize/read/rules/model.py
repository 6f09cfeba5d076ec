"""Rules for statements about the model: what it predicted, how sure it was, what it relied on."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from verbalize.read.clause import Unclear
from verbalize.read.making.claiming import exhaustive, require_weight
from verbalize.read.making.grading import grade
from verbalize.read.rules.rule import Rule

if TYPE_CHECKING:
    from verbalize.read.clause import Clause


def _predicted(clause: Clause) -> None:
    label, versus = clause.target()
    query = clause.evidence.query
    if label is not None and query.contrastive and label.casefold() == query.label.casefold():
        versus = None
    clause.claim("predicted", label=(label, versus))
    clause.memory.kind = "predicted"
    if clause.has("number"):
        _confidence(clause)


def _confidence(clause: Clause) -> None:
    number = clause.number("number")
    if number is None:
        raise Unclear
    value, tolerance = number.within(0.0, 1.0)
    clause.claim("confidence", label=(clause.target()[0], None), value=value, tolerance=tolerance)


def _runner_up(clause: Clause) -> None:
    place = next((value for value in clause.values("rank") if isinstance(value, int)), 2)
    if place < 2:
        raise Unclear
    clause.claim("runner_up", label=(clause.target()[0], None), value=float(place))


def _relied(clause: Clause, base: str = "supports") -> None:
    clause.subject = clause.mentions("part")
    names = frozenset().union(*(token.names for token in clause.tokens[clause.start : clause.stop]))
    label = clause.target()[0]
    if label is not None and names & {"PREDICT", "PREDICTED"}:
        clause.claim("predicted", label=(label, None))
    grade(clause, base)  # type: ignore[arg-type]
    if clause.memory.plain and names & _RESTS:
        named = clause.resolve(clause.subject, clause.memory.direction or "supports")
        require_weight(clause, [one for one in named if one.part])


def _cleft(clause: Clause) -> None:
    clause.subject = clause.mentions("part")
    grade(clause, "opposes" if clause.has("opp") else "supports")
    names = frozenset().union(*(token.names for token in clause.tokens[clause.start : clause.stop]))
    if "WHAT" not in names:
        exhaustive(clause)


_RESTS = frozenset({"RELY", "RELYV", "RELY_P", "RELYV_P", "BECAUSEOF", "BECAUSE"})  # words that say what a decision rests on
_AUX = "(HAVEX)?"
_AS = "(F (DET (QM|NOUN)? WHOLEN) F (AS|INTO|TO BE|THAT)?|AS|THAT (DET WHOLEN) BE|TO|ON|INTO)? (DET WHOLEN BEINGW)?"
_BY = "(BY|ON|BECAUSEOF)"
RULES: list[Rule] = [
    Rule(
        "predicted",
        f"F MODEL {_AUX} F (PREDICT|BE PREDICT_G|PREDICTED) {_AS} F (target=TARGET) (WITH (DET PROBN OF)? (number=PCT|number=DEC) PROBN?)? (WITH DET? PROBN OF number=NUMBER)? F",
        _predicted,
        "clause",
    ),
    Rule(
        "with confidence, predicted",
        f"F WITH DET? PROBN OF number=NUMBER COMMA? F MODEL {_AUX} F (PREDICT|PREDICTED) {_AS} F target=TARGET F",
        _predicted,
        "clause",
    ),
    Rule(
        "after the label, another is likeliest",
        "F AFTERP LB COMMA F MODEL F CONSIDERW target=LABELNP MOST LIKELYW F",
        _runner_up,
        "clause",
        says=("MOST",),
    ),
    Rule(
        "the label is indicated by", "F target=TARGET BE F deg=DEG? F INDICATED F deg=DEG? F BY part=PARTS F", _relied, "clause"
    ),
    Rule(
        "the text was predicted as",
        "F DET WHOLEN BE F (PREDICT|PREDICTED) (BY MODEL)? (AS|TO BE|INTO)? target=TARGET (BY MODEL)? (WITH (DET PROBN OF)? number=NUMBER PROBN?)? F",
        _predicted,
        "clause",
    ),
    Rule(
        "the prediction is",
        "F TG (BE|COLON|WENTTO) F target=LABELNP (WITH (DET PROBN OF)? number=NUMBER PROBN?)? F",
        _predicted,
        "clause",
    ),
    Rule(
        "the confidence is",
        "F (DET|MODELS|MODEL POSSESSIVE)* (TOTAL)? PROBN ((OF|FOR|IN|THAT) F (target=TARGET|DET WHOLEN BEINGW target=LABELNP))? F (BE|STANDSAT|COLON) F number=NUMBER F",
        _confidence,
        "clause",
    ),
    Rule(
        "the model is N sure",
        "F MODEL BE F number=NUMBER SUREW ((OF|IN|ABOUT|THAT (DET (WHOLEN|PREDN) BE|IT BE)|FOR) target=TARGET)? F",
        _confidence,
        "clause",
    ),
    Rule(
        "the model gives N to",
        "F MODEL (PREDICT|HAVE|HOLD) F (target=LABELNP (DET)? PROBN OF number=NUMBER|number=NUMBER (PROBN)? (TO|FOR|ON) target=TARGET|DET PROBN OF number=NUMBER (TO|FOR) target=TARGET) F",
        _confidence,
        "clause",
    ),
    Rule(
        "a label has N",
        "F target=LABELNP F (HAVE|BE PREDICT|SCOREV|HOLD) F (DET PROBN OF)? number=PCT (PROBN)? F",
        _confidence,
        "clause",
    ),
    Rule(
        "the runner-up is",
        "F (AFTERP LB COMMA)? DET? (MODELS|MODEL POSSESSIVE)? (rank=ORDINAL) ((MOST)? (LIKELYW) )? (PREDN|PROBN)? (BE|COLON) F target=LABELNP F",
        _runner_up,
        "clause",
        says=("MOST",),
    ),
    Rule(
        "a label is the runner-up",
        "F target=LABELNP F (BE|RANKV) F DET? rank=ORDINAL (MOST)? (LIKELYW)? (PREDN|PLACEN|INPLACE|BESTW)* (WITHIN)? F",
        _runner_up,
        "clause",
    ),
    # what it relied on
    Rule(
        "predicted because of",
        f"F MODEL {_AUX} F (PREDICT|PREDICTED) {_AS} F (target=TARGET) COMMA? F deg=DEG? F {_BY} (DET PRESENCE OF)? F part=PARTS F",
        _relied,
        "clause",
    ),
    Rule(
        "predicted because it saw",
        f"F MODEL {_AUX} F (PREDICT|PREDICTED) {_AS} F (target=TARGET) COMMA? F deg=DEG? F BECAUSE (IT|MODEL) F (RELY|FOUND) (DET PRESENCE OF)? part=PARTS F",
        _relied,
        "clause",
    ),
    Rule(
        "because of it the model predicted",
        f"F deg=DEG? BECAUSEOF (DET PRESENCE OF)? F part=PARTS COMMA? F (MODEL {_AUX} F (PREDICT|PREDICTED|BE PREDICT_G) {_AS} F (target=TARGET)|DET WHOLEN BE PREDICT AS? target=TARGET|target=TARGET BE PREDICT) F",
        _relied,
        "clause",
    ),
    Rule(
        "the text was predicted because of",
        f"F DET WHOLEN BE F (PREDICT) (AS|TO BE|INTO)? target=TARGET F deg=DEG? {_BY} (DET PRESENCE OF)? part=PARTS F",
        _relied,
        "clause",
    ),
    Rule(
        "the model relies on",
        f"F MODEL {_AUX} F deg=DEG? F (RELY|BE RELY_G|(RELYV|BE RELYV_G) F deg=DEG? F ONW) F deg=DEG? F (DET PRESENCE OF)? part=PARTS (F (WHENW (IT|MODEL)?|TO|FOR|IN) F DET? (PREDICT|PREDICT_G)? (AS)? target=TARGET)? (CMP)? F deg=DEG? F",
        partial(_relied, base="important"),
        "clause",
    ),
    Rule(
        "the decision rests on",
        f"F target=TARGET {_AUX} F deg=DEG? F (RELY|RELYV F deg=DEG? ONW|BE RELY_P|BE deg=DEG? (RELYV_P|INFT_P|SUPT_P|LEADV_P|PUSH_P)) F deg=DEG? F (ON|BY|FROM)? (DET PRESENCE OF)? part=PARTS F",
        _relied,
        "clause",
    ),
    Rule(
        "the decision is due to",
        "F target=TARGET BE F deg=DEG? F (BECAUSEOF|BY) (DET PRESENCE OF)? part=PARTS F",
        _relied,
        "clause",
    ),
    Rule(
        "the label is opposed by",
        "F target=TARGET BE F deg=DEG? F OPPT_P F deg=DEG? F BY part=PARTS F",
        partial(_relied, base="opposes"),
        "clause",
    ),
    Rule(
        "the model was pushed by",
        "F MODEL BE F deg=DEG? F (PUSH_P|LEADV_P|RELY_P|INFT_P) F ((TOWARD|TO) (PREDICT)? target=TARGET)? F deg=DEG? F (BY|TO|FROM) part=PARTS ((TOWARD|TO) (PREDICT)? target=TARGET)? F",
        _relied,
        "clause",
    ),
    Rule(
        "what supports it is",
        "F (WHAT|DET NOUN WHICH) F deg=DEG? (SUPT|opp=OPPT|INFT|PUSH MODEL TOWARD|SPEAK (deg=DEG)? side=SIDE) F target=TARGET F deg=DEG? BE part=PARTS F",
        _cleft,
        "clause",
    ),
    Rule(
        "the reason is",
        "F DET (deg=TOPADV|top=SUPER|ADJ)? (ROLEN|EVIDN) (F (side=SIDE|BEHIND|BEHINDW|OF|WHY) (MODEL PREDICT)? (target=TARGET))? BE F part=PARTS F",
        partial(_relied, base="important"),
        "clause",
    ),
]
