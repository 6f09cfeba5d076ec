"""Rules for reports in the manner of GPT's texts: what the model predicted because of which scores, and what that suggests.

What a report goes on to say of the content ("indicating that the reviewer enjoyed the movie") is not about the map. A rule
captures such words as `aside`: they stay left over, so the sentence is unread, but what the report says of the scores is kept.
"""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from verbalize.read.clause import Unclear
from verbalize.read.making.grading import grade, grade_inverted
from verbalize.read.rules.model import _AS, _AUX
from verbalize.read.rules.rule import Rule

if TYPE_CHECKING:
    from verbalize.claims.claim import Direction
    from verbalize.read.clause import Clause


def _because(clause: Clause) -> None:
    """Reads "predicted ... because of the high scores given to 'great'": the prediction, and what is said of the scores."""
    clause.subject = clause.mentions("part")
    clause.claim("predicted", label=(clause.target("predicted")[0], None))
    grade(clause, "important")
    clause.memory.kind = "predicted"


def _only_ones(clause: Clause) -> None:
    """Reads "The only words with high scores are 'great' and 'fine'": they are the strongest, and no other word is strong."""
    clause.subject = clause.mentions("part")
    against = clause.has("neg_adj")
    clause.has("strong"), clause.has("pos_adj")  # both are said by the claims below
    direction: Direction = "opposes" if against else "supports"
    clause.memory.direction = direction
    named = clause.resolve(clause.subject, direction)
    scores = clause.evidence.toward(direction) if clause.evidence.signed else np.abs(clause.evidence.net)
    stated = direction if clause.evidence.signed else None
    inside = {index for one in named for index in one.part or ()}
    for one in named:
        quote = one.mark.quote or None
        others = tuple(sorted(inside - set(one.part or ())))
        clause.claim(direction if stated else "matters", one.part, quote=quote)
        clause.claim("strength", one.part, direction=stated, value=0.75, tolerance=0.25, quote=quote)
        clause.claim("most_important", one.part, other=others, direction=stated, quote=quote)
    outside = max(
        (index for index in range(len(scores)) if index not in inside), key=lambda index: float(scores[index]), default=None
    )
    if outside is not None and scores[outside] > 0:
        clause.claim("strength", (outside,), direction=stated, value=0.25, tolerance=0.25)


def _there_are(clause: Clause) -> None:
    """Reads "There are words such as 'great', but they have lower scores": said of these words, compared with those before."""
    clause.subject = clause.mentions("part")
    grade(clause, "important")


def _plain_report(clause: Clause) -> None:
    """Reads "The scores of 'great' suggest that ...": names words and says nothing of their scores."""
    mentions = clause.mentions("part")
    if any(not mention.places for mention in mentions):
        raise Unclear
    clause.subject = mentions


def _with_number(clause: Clause) -> None:
    number = clause.number("number")
    clause.subject = clause.mentions("part")
    if number is None or len(clause.subject) != 1:
        raise Unclear
    clause.share(clause.subject, number, "score")
    grade(clause, "important")


def _aside(clause: Clause) -> None:
    """What follows from what was said, in words that are not about the map."""
    if not clause.memory.subject:
        raise Unclear


# "the high importance scores given to words like 'great'"
_GRADE = "(TOTAL* (deg=DEG|strong=HIGH|strong=STRONGADJ|ADJ|pos_adj=POS|neg_adj=NEG|little=LOW)+ TOTAL*)"
_GIVEN = "(GIVENTO|FOR|OF|GIVENW TO)"
_LIKE = "((OTHERN|RESTN|DET? QM? WORDN)? SUCHAS)?"
_SCORES = f"DET? SOMEW? F {_GRADE}+ (WEIGHTN|SCOREN) F {_GIVEN} {_LIKE} part=PT"
_COMMENT = "((?!BUT|SEMI|DASH).)*"  # anything that doesn't turn to the contrary
_MAY = "(MODALW F HAVEX?)?"
_SUGGEST = f"(F {_MAY} F (INDICATE|SHOWS|INDICATETHAT|MATTER|CONTRIB|INFT) {_COMMENT}|F MODALW F HAVEX? F DEG? F (SUPT|OPPT|RAISE|LOWER|CONTRIB|INFT) {_COMMENT})"
_RIDER = f"(aside=((COMMA? INDICATING|COMMA? INDICATETHAT|COMMA? WHICH {_SUGGEST}) {_COMMENT}))?"
_WEAKER = f"(BE|ISNOT) NOT? F ENOUGHW (TO (OPPT|BEAT|LOWER|RAISE|INFT|PUSH))? ((DET|TOTAL)* (POS|NEG|HIGH)* (SCOREN|WEIGHTN|LB|TG)|DET? LB) (INDICATE? BY {_COMMENT})?"
RULES: list[Rule] = [
    Rule(
        "predicted because of scores",
        f"F MODEL {_AUX} F (PREDICT|PREDICTED) {_AS} F F (predicted=TARGET) COMMA? F deg=DEG? F BECAUSEOF {_SCORES} F",
        _because,
        "clause",
        examples=(
            "The sentiment analyzer has predicted this movie review as 'positive' because of the high importance scores given to words like 'great'.",
        ),
        counter_examples=(
            "The sentiment analyzer has predicted this movie review as 'positive' because of the scores that 'great' lacks.",
        ),
    ),
    Rule(
        "the score of N for it, which suggests",
        f"F DET? {_GRADE}+ (WEIGHTN|SCOREN) OF number=(DEC|INT) {_GIVEN} {_LIKE} part=PT COMMA? aside={_SUGGEST}",
        _with_number,
        "clause",
    ),
    Rule(
        "the model gave scores to",
        f"F MODEL HAVEX? F (GIVENW|HAVE|PREDICT) DET? {_GRADE}+ (WEIGHTN|SCOREN) TO {_LIKE} part=PT (INSIDE DET? WORDN? PT)? F",
        partial(grade_inverted, base="important"),
        "clause",
    ),
    Rule(
        "there are scores for",
        f"F THERE BE F {_SCORES} F",
        partial(grade_inverted, base="important"),
        "clause",
        examples=("However, there are also some negative importance scores given to words like 'dull'.",),
    ),
    Rule(
        "scores are being given to",
        f"F DET? SOMEW? {_GRADE}+ (WEIGHTN|SCOREN) BE F (GIVENTO|GIVENW TO|GIVENW) {_LIKE} part=PT F",
        partial(grade_inverted, base="important"),
        "clause",
    ),
    Rule("as scores show", f"F (ASSHOWN|WITHW) {_SCORES} F", partial(grade_inverted, base="important"), "clause"),
    Rule(
        "with words receiving scores",
        f"F WITHW part=PT (ALL|BOTH)? HAVE_G DET? {_GRADE}+ (WEIGHTN|SCOREN) F",
        partial(grade_inverted, base="important"),
        "clause",
    ),
    Rule(
        "the scores are high",
        f"F DET? TOTAL? (WEIGHTN|SCOREN) F {_GIVEN} {_LIKE} part=PT COMMA? BE F (ALL|BOTH)? F {_GRADE}+ F",
        partial(grade_inverted, base="important"),
        "clause",
        says=("ALL",),
        examples=("The importance score for the word 'great' is particularly high.",),
    ),
    Rule(
        "they all have scores",
        f"F (ALL|BOTH) F HAVE DET? {_GRADE}+ (WEIGHTN|SCOREN) F",
        partial(grade, base="important"),
        says=("ALL",),
    ),
    Rule(
        "other words have scores",
        f"F (OTHERN|RESTN|SOMEW NOUN) SUCHAS part=PT F HAVE F DET? {_GRADE}+ (WEIGHTN|SCOREN) F",
        partial(grade_inverted, base="important"),
        "clause",
    ),
    Rule(
        "the only ones with high scores",
        "F DET SOLE (INT)? NOUN WITHW DET? (strong=HIGH|ADJ|pos_adj=POS|neg_adj=NEG)+ (WEIGHTN|SCOREN) (WITHIN)? BE part=PARTS F",
        _only_ones,
        "clause",
        says=("SOLE",),
        examples=("The only word with a high importance score is 'great'.",),
    ),
    Rule(
        "there are words with lower scores",
        "F BUT? F THERE BE SOMEW? part=PT COMMA? THEY HAVE F (gt=GT|lt=LT) (ADJ|TOTAL)* (WEIGHTN|SCOREN) F",
        _there_are,
        "clause",
    ),
    Rule(
        "is important in predicting",
        "F BE F deg=DEG? F (ADJ|strong=STRONGADJ) INPREDICTING target=TARGET F",
        partial(grade, base="important"),
    ),
    Rule(
        "has a score for predicting",
        f"F HAVE DET? {_GRADE}+ (WEIGHTN|SCOREN) INPREDICTING target=TARGET F",
        partial(grade, base="important"),
    ),
    Rule(
        "is the top word for predicting",
        "F BE DET? (topn=SUPER|top=MOST) (ADJ|strong=STRONGADJ)? NOUN WITHIN? INPREDICTING target=TARGET F",
        partial(grade, base="important"),
    ),
    Rule(
        "has contributed to the label",
        "F HAVEX F deg=DEG? F (CONTRIB|CONTRIB_P) F deg=DEG? F QM? F (TO|TOWARD) F target=TARGET F",
        partial(grade, base="supports"),
    ),
]
# Tried after all other rules, since they leave words over.
RIDERS: list[Rule] = [
    Rule(
        "scores are given to, which suggests",
        f"F {_SCORES} COMMA? aside=({_SUGGEST}|{_WEAKER})",
        partial(grade_inverted, base="important"),
        "clause",
    ),
    Rule(
        "scores of words",
        f"F DET? TOTAL? (WEIGHTN|SCOREN) F {_GIVEN} {_LIKE} part=PT COMMA? aside={_SUGGEST}",
        _plain_report,
        "clause",
    ),
    Rule(
        "words with scores, such as",
        f"F (OTHERN|RESTN|DET? NOUN) WITHW DET? {_GRADE}+ (WEIGHTN|SCOREN) COMMA? SUCHAS part=PT COMMA? aside=(BE BEAT_P BY DET? (POS|NEG)? (SCOREN|WEIGHTN)|MODALW {_COMMENT})",
        partial(grade_inverted, base="important"),
        "clause",
    ),
    Rule("rider", f"aside=(COMMA? (INDICATING|INDICATETHAT|WHICH {_SUGGEST}) {_COMMENT})", _aside, "rider"),
]
