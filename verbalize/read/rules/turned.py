"""Rules for clauses whose parts don't stand first: passive, inverted, nominal and elliptical forms."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from verbalize.read.clause import Unclear
from verbalize.read.making.claiming import direction_of, exhaustive, least, near_zero, sign
from verbalize.read.making.grading import grade, grade_inverted
from verbalize.read.making.placing import repeated
from verbalize.read.rules.rule import Rule

if TYPE_CHECKING:
    from verbalize.read.clause import Clause


def sided(clause: Clause) -> None:
    """Parts that a clause puts on one side of the label."""
    clause.subject = clause.mentions("part")
    grade(clause, "opposes" if clause.has("opp") else "supports")


def _all_sided(clause: Clause) -> None:
    """Reads "The words that support it are 'a' and 'b'" names all of them, or is left unread."""
    sided(clause)
    if clause.tokens[clause.start].text == "the":
        exhaustive(clause)


def _directions(clause: Clause) -> None:
    """Reads "'great' and 'dull' pull in opposite directions"."""
    if len(clause.subject) != 2 and not (clause.has("same") and len(clause.subject) > 1):
        raise Unclear
    named = clause.resolve(clause.subject, "supports")
    first = named[0].part
    up = first is None or float(clause.evidence.net[list(first)].sum()) > 0
    for number, one in enumerate(named):
        supports = up if clause.has("same") or number == 0 else not up
        clause.claim("supports" if supports else "opposes", one.part, quote=one.mark.quote or None)


def _other_way(clause: Clause) -> None:
    base = repeated(clause)
    grade(clause, "supports" if base == "opposes" else "opposes")


def _ignored(clause: Clause) -> None:
    clause.subject = clause.mentions("part")
    near_zero(clause, clause.subject)


def _top_ranks(clause: Clause) -> None:
    """Reads "The top three words are 'a', 'b' and 'c'"."""
    number, parts = clause.number("number"), clause.mentions("part") or clause.subject
    clause.has("topn"), clause.has("top")  # said by the claims of rank
    if number is None or int(number.value) != len(parts) or number.bound:
        raise Unclear
    clause.subject = parts
    direction = direction_of(clause, "supports") if clause.evidence.signed else None
    named = clause.resolve(parts, direction or "supports")
    label = clause.target()
    for one in named:
        clause.claim(
            "rank", one.part, direction=direction, value=(1 + number.value) / 2, tolerance=(number.value - 1) / 2, shared=True, label=label,
            quote=one.mark.quote or None,
        )  # fmt: skip
    clause.memory.direction = direction
    clause.numbers(parts, direction)


def _weakest(clause: Clause) -> None:
    if clause.has("part"):
        clause.subject = clause.mentions("part")
    direction = direction_of(clause, "opposes" if clause.has("opp") else "supports")
    sign(clause, clause.resolve(clause.subject, direction), "opposes" if direction == "opposes" else "supports", direction)
    clause.has("low")  # said by the claim
    least(clause, clause.subject, direction)


def _strongest(clause: Clause) -> None:
    if clause.has("part"):
        clause.subject = clause.mentions("part")
    clause.spans.setdefault("top", [(clause.start, clause.start)])
    grade(clause, "opposes" if clause.has("opp") else "supports")


def _difference(clause: Clause) -> None:
    number, other = clause.number("number"), clause.mentions("other")
    if number is None or number.percent or len(clause.subject) != 1 or len(other) != 1:
        raise Unclear
    one, two = clause.resolve(clause.subject, "supports")[0], clause.resolver.resolve(other, "supports")[0]
    value, tolerance = number.within(0.0, 1e300)
    first, second = (one, two) if clause.has("gt") else (two, one)
    clause.claim(
        "difference",
        first.part,
        other=second.part,
        value=value,
        tolerance=tolerance,
        quote=(two if two.part is None else one).mark.quote,
    )


def _count_and_member(clause: Clause) -> None:
    number = clause.number("number")
    direction = "opposes" if clause.has("opp") or "AGAINST" in clause.classes("side") else "supports"
    if number is None:
        raise Unclear
    clause.claim("count", direction=direction, value=number.value, tolerance=0.0, label=clause.target())
    counted = clause.spans.pop("number")
    grade(clause, direction)  # type: ignore[arg-type]
    clause.spans["number"] = counted


def _shared_top(clause: Clause) -> None:
    if len(clause.subject) < 2:
        raise Unclear
    clause.spans["shared"] = [(clause.start, clause.start)]
    clause.spans["top"] = [(clause.start, clause.start)]
    grade(clause, "important")  # and equal to each other, because the place is shared


def _more_evidence(clause: Clause) -> None:
    against = "AGAINST" in clause.classes("side")
    clause.has("gt")
    if clause.has("lt"):
        against = not against
    clause.claim("balance", direction="opposes" if against else "supports", label=clause.target())


def _relied_against(clause: Clause) -> None:
    clause.subject = clause.mentions("part")
    grade(clause, "opposes")


GRADES = (
    "(deg=DEG|strong=HIGH|strong=STRONGADJ|weak=LOW|weak=WEAKADJ|ADJ|TOTAL|REALW|top=MOST|topn=SUPER|pos_adj=POS|neg_adj=NEG)*"
)
_WHO = "((WHICH|TO) F (deg=DEG)? (SPEAK side=SIDE target=TARGET|SUPT target=TARGET|opp=OPPT target=TARGET|CONTRIB TO target=TARGET|POINT TOWARD target=TARGET)|SPEAK_G side=SIDE target=TARGET|SUPT_G target=TARGET|opp=OPPT_G target=TARGET|side=SIDE target=TARGET|WITH DET? (POS|opp=NEG) (SCOREN|WEIGHTN))"
_WHO0 = "(SPEAK side=SIDE target=TARGET|SUPT target=TARGET|opp=OPPT target=TARGET|CONTRIB TO target=TARGET)"
RULES: list[Rule] = [
    Rule(
        "among the words for it is",
        f"F AMONG DET? (OTHERW)? (NOUN|EVIDN|ROLEN|SUPN|opp=OPPN) F {_WHO} (BE|RANKV) F part=PT F",
        sided,
        "clause",
    ),
    Rule(
        "the words for it are", f"F DET? (OTHERW)? (NOUN|ROLEN) F {_WHO} (BE|COLON|LISTVERB) F part=PT F", _all_sided, "clause"
    ),
    Rule(
        "the model reads it as a sign",
        f"F MODEL F READV part=PT AS DET? {GRADES} (EVIDN|ROLEN|WEIGHTN|SUPN|opp=OPPN) (side=SIDE|OF|TOWARD|THAT (DET WHOLEN|IT|DET) BE) target=TARGET F",
        sided,
        "clause",
    ),
    Rule(
        "the confidence is raised by",
        "F (DET|MODELS|MODEL POSSESSIVE)* PROBN (IN|OF|FOR) F target=TARGET BE F deg=DEG? (RAISE_P|opp=LOWER_P) F deg=DEG? BY part=PT F",
        sided,
        "clause",
    ),
    Rule(
        "there is evidence, such as",
        f"F THERE BE F DET? SOMEW? {GRADES} (EVIDN|MASSN|ROLEN|SUPN|opp=OPPN) (side=SIDE|OF) target=TARGET COMMA? (SUCHAS|COLON|IN|FROM|BY) part=PT F",
        sided,
        "clause",
    ),
    Rule(
        "support comes from",
        f"F DET? {GRADES} (EVIDN|WEIGHTN|MASSN|ROLEN|PUSHN|SUPN|opp=OPPN) F (side=SIDE|TOWARD|opp=AWAY|OF) F target=TARGET F (COMEFROM|BELONGTO|LIEIN|BE|COLON) F (DET NOUN)? part=PT F",
        sided,
        "clause",
    ),
    Rule(
        "opposition comes from",
        f"F DET? {GRADES} (SUPN|opp=OPPN|NEGMASS|SIDEDMASS) F ((TO|OF|FOR) target=TARGET)? F (COMEFROM|BELONGTO|LIEIN|BE|COLON) F part=PT F",
        sided,
        "clause",
    ),
    Rule(
        "the label gets support from",
        f"F target=TARGET F HAVE F DET? {GRADES} (EVIDN|SUPN|WEIGHTN|MASSN|SIDEDMASS) (FROM|BY) part=PT F",
        sided,
        "clause",
    ),
    Rule(
        "for the label speak",
        "F side=SIDE F target=TARGET COMMA? F (SPEAK|BE|COLON|COMMA|COUNTS)* F part=PT F",
        sided,
        "clause",
    ),
    Rule("for and against: heading", "F (side=PROW|opp=CONTRAW) (FOR target=TARGET)? COLON part=PT F", sided, "clause"),
    Rule(
        "it made the label likelier",
        "F deg=DEG? BECAUSEOF part=PT COMMA? F target=TARGET (BE|BECOMEW) F deg=DEG? (MORELIKELY|opp=LESSLIKELY) F",
        sided,
        "clause",
    ),
    Rule(
        "the label is likelier because",
        "F target=TARGET (BE|BECOMEW) F deg=DEG? (MORELIKELY|opp=LESSLIKELY) F BECAUSEOF part=PT F",
        sided,
        "clause",
    ),
    Rule(
        "the label is held back by", "F target=TARGET BE F deg=DEG? HELDBACK BY part=PT F", partial(_relied_against), "clause"
    ),
    Rule(
        "the contribution is signed",
        f"F DET? (MODELS)? (WEIGHTN|SCOREN) OF part=PT (TO|ON|FOR|TOWARD) F (DET PROBN OF)? target=TARGET BE F {GRADES} F",
        partial(grade_inverted, base="important"),
        "clause",
    ),
    Rule(
        "makes a case",
        f"F (HAVE|BE) F DET? {GRADES} (EVIDN|ROLEN) (side=SIDE|TOWARD) F target=TARGET F",
        partial(grade, base="supports"),
    ),
    Rule("is for it", "F BE F deg=DEG? side=SIDE F target=TARGET F", partial(grade, base="supports")),
    Rule(
        "is what convinced it",
        "F BE F WHAT F deg=DEG? (LEADV|PUSH|INFT|SUPT|RELY) F (MODEL|DET WHOLEN)? F deg=DEG? ((OF|TO|TOWARD) (PREDICT)? target=TARGET|target=TARGET) F deg=DEG? F",
        partial(grade, base="supports"),
    ),
    Rule("made the difference", "F MADEDIFF ((FOR|IN|TO) target=TARGET)? F", partial(grade, base="important")),
    Rule("pushes it away", "F PUSH (IT|target=TARGET) (AWAYW|DOWNW) F", partial(grade, base="opposes")),
    Rule("pulls the other way", "F (PUSH|POINT|SPEAK) (IN)? OTHERWAY F", _other_way),
    Rule(
        "the model did not read it as a sign",
        f"F MODEL F neg=DOESNOT F READV part=PT AS DET? {GRADES} (EVIDN|ROLEN|SUPN) (side=SIDE|OF|TOWARD) target=TARGET F",
        sided,
        "clause",
    ),
    Rule(
        "the model picks it up as a sign",
        f"F MODEL F (RELY|RELYV ONW) part=PT AS DET? {GRADES} (EVIDN|ROLEN|SUPN|opp=OPPN) (side=SIDE|OF|TOWARD) target=TARGET F",
        sided,
        "clause",
    ),
    Rule(
        "the model weighs it more than another",
        "F MODEL F (RELY|PAYV) part=PT F (gt=GT|lt=LT) F THAN other=PT (F (side=SIDE|IN) target=TARGET)? F",
        partial(grade_inverted, base="important"),
        "clause",
    ),
    Rule(
        "the model gives it twice the weight",
        "F MODEL F (PAYV|HAVE) part=PT F times=(TWICE|HALFAS|NUMBER TIMESN) (DET (WEIGHTN|SCOREN) OF|ASW MUCH (WEIGHTN)? ASW) other=PT F",
        partial(grade_inverted, base="important"),
        "clause",
    ),
    Rule("leads the words for it", f"F (TOPLIST|TOPV) (OF)? (DET LISTW OF)? DET? (NOUN|SUPN|opp=OPPN) {_WHO}? F", _strongest),
    Rule(
        "the strongest of the words for it is",
        f"F DET? (topn=SUPER|top=MOST (ADJ|STRONGADJ)) (OF|AMONG) (DET|ALL)* (NOUN|EVIDN|SUPN|opp=OPPN) F {_WHO}? BE part=PT F",
        _strongest,
        "clause",
    ),
    Rule(
        "the weakest of the words for it is",
        f"F DET? (low=SUPERLOW|low=LEAST (ADJ|STRONGADJ)) (OF|AMONG) (DET|ALL)* (NOUN|SUPN|opp=OPPN|EVIDN) F {_WHO}? BE part=PT F",
        _weakest,
        "clause",
    ),
    Rule("pull apart", "F (PUSH|POINT|SPEAK) IN OPPOSITEDIR F", _directions),
    Rule("pull together", "F (PUSH|POINT|SPEAK) IN same=SAMEDIR F", _directions),
    Rule("the model ignored", "F MODEL F IGNOREV F part=PT F", _ignored, "clause"),
    Rule(
        "speaks neither for nor against",
        "F SPEAK F NEITHERNOR F (target=TARGET)? F",
        lambda clause: near_zero(clause, clause.subject),
        says=("NOTHING", "NEITHERNOR"),
    ),
    Rule("had none", "F HAVE NOTHING F", lambda clause: near_zero(clause, clause.subject), says=("NOTHING", "NEITHERNOR")),
    Rule(
        "the model paid more attention to",
        "F MODEL F (HAVE|PAYV) F (gt=GT|lt=LT) (WEIGHTN) (TO|ON) part=PT F THAN (TO|ON)? other=PT F",
        partial(grade_inverted, base="important"),
        "clause",
    ),
    Rule(
        "the model relied more on",
        "F MODEL F (RELYV|RELY) F (gt=GT|lt=LT) (ONW)? part=PT F THAN (ONW)? other=PT F",
        partial(grade_inverted, base="important"),
        "clause",
    ),
    Rule(
        "the top words are",
        "F DET? (topn=SUPER number=INT|number=INT topn=SUPER|number=INT top=MOST) (ADJ|STRONGADJ)? (NOUN|ROLEN|EVIDN|SUPN|opp=OPPN) (F (side=SIDE|IN|TO|ON|BEHIND|OF) F target=TARGET)? F (BE|COLON) F part=PT F",
        _top_ranks,
        "clause",
    ),
    Rule(
        "are the top words",
        "F BE F DET? (topn=SUPER number=INT|number=INT topn=SUPER|number=INT top=MOST) (ADJ|STRONGADJ)? (NOUN|ROLEN|EVIDN|SUPN|opp=OPPN) (F (side=SIDE|IN|TO|ON|BEHIND|OF) F target=TARGET)? F",
        _top_ranks,
    ),
    Rule(
        "is the weakest of the words for it",
        f"F BE F DET? (low=SUPERLOW|low=LEAST (ADJ|STRONGADJ)) (OF|AMONG) (DET|ALL)* (NOUN|SUPN|opp=OPPN|EVIDN) F {_WHO}? F",
        _weakest,
    ),
    Rule(
        "of the words for it, it is the weakest",
        f"F (OF|AMONG) (DET|ALL)* (NOUN|EVIDN|SUPN|opp=OPPN) F {_WHO} COMMA? part=PT (BE|HAVE) F DET? (low=SUPERLOW|low=LEAST (ADJ|STRONGADJ)) (NOUN|SCOREN|WEIGHTN)? F",
        _weakest,
        "clause",
    ),
    Rule(
        "is the strongest of the words for it",
        f"F BE F DET? (topn=SUPER|top=MOST (ADJ|STRONGADJ)) (OF|AMONG) (DET|ALL)* (NOUN|EVIDN|SUPN|opp=OPPN) F {_WHO}? F",
        _strongest,
    ),
    Rule(
        "of the words for it, it is the strongest",
        f"F (OF|AMONG) (DET|ALL)* (NOUN|EVIDN|SUPN|opp=OPPN) F {_WHO} COMMA? part=PT (BE|HAVE) F DET? (topn=SUPER|top=MOST (ADJ|STRONGADJ)) (NOUN|WEIGHTN|SCOREN)? F",
        _strongest,
        "clause",
    ),
    Rule("trails all others for it", f"F (TRAIL) (ALL|DET)* (OTHERN|REST) F {_WHO} F", _weakest),
    Rule("share the first place", "F SHAREV DET? (topn=SUPER|FIRSTPLACE|ORDINAL) (PLACEN)? F", _shared_top),
    Rule(
        "scores so much more than",
        "F (SCOREV|BE) F number=NUMBER (gt=GT|lt=LT|gt=ABOVE|lt=BELOW) (THAN)? other=PT (DO)? F",
        _difference,
    ),
    Rule("is one of so many words for it", f"F BE F ONEOF DET? number=INT (NOUN|EVIDN|ROLEN) F {_WHO} F", _count_and_member),
    Rule(
        "there is more evidence for than against",
        "F THERE BE F (gt=GT|lt=LT) (MASSN|EVIDN) F side=SIDE F target=TARGET F THAN (THERE BE)? SIDE IT F",
        _more_evidence,
        "clause",
    ),
    Rule("several words, including", f"F SOMEW NOUN F {_WHO0} COMMA? SUCHAS part=PT F", sided, "clause"),
    Rule(
        "more of the evidence speaks for than against",
        "F gt=MORE OF MASS F (SPEAK|POINT|BE) F side=SIDE F target=TARGET F THAN SIDE IT F",
        _more_evidence,
        "clause",
    ),
]
