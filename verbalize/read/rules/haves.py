"""Rules for what a part "has": a high score, a negative influence, twice the weight of another."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

from functools import partial

from verbalize.read.making.grading import grade
from verbalize.read.rules.rule import Rule

RULES: list[Rule] = [
    Rule(
        "has a signed score",
        "F (HAVE|SCOREV|BE) F DET? (deg=DEG|strong=HIGH|weak=LOW|TOTAL)* (pos_adj=POS|neg_adj=NEG) (strong=HIGH|TOTAL)* (WEIGHTN|SCOREN|SIDEDMASS|NEGMASS) (F (side=FOR|side=AGAINST|ON|IN|TO|FOR|TOWARD) F (DET? target=TARGET|MODEL|DET WHOLEN))? F",
        partial(grade, base="important"),
    ),
    Rule(
        "has a positive score",
        "F (HAVE) F DET? (pos_adj=SIDEDMASS|neg_adj=NEGMASS) (F (FOR|ON|IN|TO) target=TARGET)? F",
        partial(grade, base="important"),
    ),
    Rule(
        "scores positively",
        "F (SCOREV|SPEAK|CONTRIB) F (pos_adj=POSLY|neg_adj=NEGLY|pos_adj=ABOVEZERO|neg_adj=BELOWZERO|pos_adj=POS|neg_adj=NEG) F",
        partial(grade, base="important"),
    ),
    Rule(
        "has a high score",
        "F (neg=DOESNOT)? F (HAVE|BE GIVENW|SCOREV|neg=DONOTHAVE) F DET? (deg=DEG|strong=HIGH|strong=STRONGADJ|ADJ|TOTAL|REALW)+ (WEIGHTN|SCOREN) (F (side=FOR|side=AGAINST|ON|IN|TO|FOR|TOWARD|WITHIN) F (PREDICT_G)? (DET? target=TARGET|MODEL|DET WHOLEN)?)? F",
        partial(grade, base="important"),
    ),
    Rule(
        "has weight",
        "F (neg=DOESNOT)? F (HAVE|neg=DONOTHAVE) F DET? (WEIGHTN|REALW WEIGHTN) (F (ON|IN|TO|FOR|TOWARD) F (PREDICT_G)? (DET? target=TARGET|MODEL))? F",
        partial(grade, base="important"),
    ),
    Rule(
        "has a low score",
        "F (HAVE|SCOREV|BE GIVENW) F DET? (little=LOW|little=WEAKADJ|little=DEGW)+ (ADJ|TOTAL)* (WEIGHTN|SCOREN)? (F (ON|IN|TO|FOR|TOWARD) F (PREDICT_G)? (DET? target=TARGET|MODEL|DET WHOLEN)?)? F",
        partial(grade, base="important"),
    ),
    Rule(
        "has no weight",
        "F (HAVE|BE GIVENW) F DET? (zero=ZERO|zero=UNADJ)+ (ADJ|TOTAL)* (WEIGHTN|SCOREN|NODIFF) (F (ON|IN|TO|FOR|TOWARD) F (PREDICT_G)? (DET? target=TARGET|MODEL|DET WHOLEN)?)? F",
        partial(grade, base="important"),
    ),
    Rule(
        "has a score near zero",
        "F (HAVE|SCOREV) F DET? (SCOREN|WEIGHTN) (OF)? (zero=UNADJ|zero=ZERO|CLOSE zero=ZERO) F",
        partial(grade, base="important"),
    ),
    Rule("scores near zero", "F (SCOREV|BE) F (zero=UNADJ|CLOSE zero=ZERO) F", partial(grade, base="important")),
    Rule(
        "has a higher score than",
        "F (neg=DOESNOT)? F (HAVE|CONTRIB|MATTER) F DET? (gt=GT|lt=LT) (ADJ|TOTAL|HIGH|pos_adj=POS|neg_adj=NEG)* (WEIGHTN|SCOREN|SIDEDMASS|NEGMASS)? (F (side=FOR|side=AGAINST|ON|IN|TO|FOR|TOWARD) F (DET? target=TARGET|MODEL|DET WHOLEN))? F THANX? F ((side=FOR|ON|IN|TO) target=TARGET)? F",
        partial(grade, base="important"),
    ),
    Rule(
        "has the same score as",
        "F (HAVE|BE GIVENW) F eq=EQUALLY (WEIGHTN|SCOREN)+ (F (ON|IN|TO|FOR) target=TARGET)? (ASW|THAN) other=PARTS F",
        partial(grade, base="important"),
    ),
    Rule("has twice the weight", "F (HAVE) F TIMX F", partial(grade, base="important")),
    Rule(
        "has twice as much weight",
        "F (HAVE|CONTRIB) F times=(TWICE|HALFAS|NUMBER TIMESN) (ASW (MUCH|HIGH) (DET)? (WEIGHTN|SCOREN)? (F (ON|IN|TO|FOR) target=TARGET)? ASW|DET (WEIGHTN|SCOREN) OF|DET) other=PARTS (DO)? F",
        partial(grade, base="important"),
    ),
    Rule(
        "has the same score",
        "F (HAVE|BE GIVENW|SCOREV) F eq=EQUALLY (ADJ|HIGH)* (WEIGHTN|SCOREN)? (F (ON|IN|TO|FOR) target=TARGET)? F",
        partial(grade, base="important"),
    ),
]
