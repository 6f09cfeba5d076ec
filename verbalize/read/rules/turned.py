"""Rules for clauses whose parts don't stand first: passive, inverted, nominal and elliptical forms."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from verbalize.read.rules.grading import direction_of, grade, grade_inverted, least, near_zero, outranks, sign
from verbalize.read.rules.placing import repeated
from verbalize.read.rules.rule import Rule, Unclear

if TYPE_CHECKING:
    from verbalize.read.clause import Clause


def _sided(clause: Clause) -> None:
    """Parts that a clause puts on one side of the label."""
    clause.subject = clause.mentions("part")
    grade(clause, "opposes" if clause.has("opp") else "supports")


def _directions(clause: Clause) -> None:
    """ "'great' and 'dull' pull in opposite directions" """
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


def _ignored(clause: Clause) -> None:
    clause.subject = clause.mentions("part")
    near_zero(clause, clause.subject)


def _top_ranks(clause: Clause) -> None:
    """ "The top three words are 'a', 'b' and 'c'" """
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
    clause.claim("difference", first.part, other=second.part, value=value, tolerance=tolerance, quote=(two if two.part is None else one).mark.quote)


def _count_and_member(clause: Clause) -> None:
    number = clause.number("number")
    direction = "opposes" if clause.has("opp") or "AGAINST" in clause.classes("side") else "supports"
    if number is None:
        raise Unclear
    clause.claim("count", direction=direction, value=number.value, tolerance=0.0, label=clause.target())
    counted = clause.spans.pop("number")
    grade(clause, direction)  # type: ignore[arg-type]
    clause.spans["number"] = counted


def _not_same(clause: Clause) -> None:
    """ "'great' supports it; 'dull' does not" """
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
    outranks(clause, *((one, other) if clause.has("gt") else (other, one)), clause.memory.direction if clause.evidence.signed else None)
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


def _shared_top(clause: Clause) -> None:
    if len(clause.subject) < 2:
        raise Unclear
    clause.spans["shared"] = [(clause.start, clause.start)]
    clause.spans["top"] = [(clause.start, clause.start)]
    grade(clause, "important")  # and equal to each other, because the place is shared


def _each_number(clause: Clause) -> None:
    clause.subject = clause.mentions("part")
    number = clause.number("number")
    if number is None or len(clause.subject) != 1:
        raise Unclear
    clause.share(clause.subject, number, "score" if not number.percent else clause.share_of(clause.memory.direction))


def _side_share(clause: Clause) -> None:
    """ "35 % for 'positive'" """
    number = clause.number("number")
    if number is None:
        raise Unclear
    value, tolerance = number.within(0.0, 1.0)
    direction = "opposes" if "AGAINST" in clause.classes("side") else "supports"
    clause.claim("balance", direction=direction, value=value, tolerance=tolerance, label=clause.target())


def _more_evidence(clause: Clause) -> None:
    against = "AGAINST" in clause.classes("side")
    clause.has("gt")
    if clause.has("lt"):
        against = not against
    clause.claim("balance", direction="opposes" if against else "supports", label=clause.target())


def _another(clause: Clause) -> None:
    if clause.memory.direction is None:
        raise Unclear
    clause.subject = tuple(replace(mention, number=None) for mention in clause.mentions("part"))
    grade(clause, clause.memory.direction)
    clause.numbers(clause.mentions("part"), clause.memory.direction)


def _relied_against(clause: Clause) -> None:
    clause.subject = clause.mentions("part")
    grade(clause, "opposes")


_GRADES = "(deg=DEG|strong=HIGH|strong=STRONGADJ|weak=LOW|weak=WEAKADJ|ADJ|TOTAL|REALW|top=MOST|topn=SUPER|pos_adj=POS|neg_adj=NEG)*"
_WHO = "((WHICH|TO) F (deg=DEG)? (SPEAK side=SIDE target=TARGET|SUPT target=TARGET|opp=OPPT target=TARGET|CONTRIB TO target=TARGET|POINT TOWARD target=TARGET)|SPEAK_G side=SIDE target=TARGET|SUPT_G target=TARGET|opp=OPPT_G target=TARGET|side=SIDE target=TARGET|WITH DET? (POS|opp=NEG) (SCOREN|WEIGHTN))"
_WHO0 = "(SPEAK side=SIDE target=TARGET|SUPT target=TARGET|opp=OPPT target=TARGET|CONTRIB TO target=TARGET)"
RULES: list[Rule] = [
    Rule("among the words for it is", f"F AMONG DET? (OTHERW)? (NOUN|EVIDN|ROLEN|SUPN|opp=OPPN) F {_WHO} (BE|RANKV) F part=PT F", _sided, "clause"),
    Rule("the words for it are", f"F DET? (OTHERW)? (NOUN|ROLEN) F {_WHO} (BE|COLON|LISTVERB) F part=PT F", _sided, "clause"),
    Rule("the model reads it as a sign", f"F MODEL F READV part=PT AS DET? {_GRADES} (EVIDN|ROLEN|WEIGHTN|SUPN|opp=OPPN) (side=SIDE|OF|TOWARD|THAT (DET WHOLEN|IT|DET) BE) target=TARGET F", _sided, "clause"),
    Rule("the confidence is raised by", "F (DET|MODELS|MODEL POSSESSIVE)* PROBN (IN|OF|FOR) F target=TARGET BE F deg=DEG? (RAISE_P|opp=LOWER_P) F deg=DEG? BY part=PT F", _sided, "clause"),
    Rule("there is evidence, such as", f"F THERE BE F DET? SOMEW? {_GRADES} (EVIDN|MASSN|ROLEN|SUPN|opp=OPPN) (side=SIDE|OF) target=TARGET COMMA? (SUCHAS|COLON|IN|FROM|BY) part=PT F", _sided, "clause"),
    Rule("support comes from", f"F DET? {_GRADES} (EVIDN|WEIGHTN|MASSN|ROLEN|PUSHN|SUPN|opp=OPPN) F (side=SIDE|TOWARD|opp=AWAY|OF) F target=TARGET F (COMEFROM|BELONGTO|LIEIN|BE|COLON) F (DET NOUN)? part=PT F", _sided, "clause"),
    Rule("opposition comes from", f"F DET? {_GRADES} (SUPN|opp=OPPN|NEGMASS|SIDEDMASS) F ((TO|OF|FOR) target=TARGET)? F (COMEFROM|BELONGTO|LIEIN|BE|COLON) F part=PT F", _sided, "clause"),
    Rule("the label gets support from", f"F target=TARGET F HAVE F DET? {_GRADES} (EVIDN|SUPN|WEIGHTN|MASSN|SIDEDMASS) (FROM|BY) part=PT F", _sided, "clause"),
    Rule("for the label speak", "F side=SIDE F target=TARGET COMMA? F (SPEAK|BE|COLON|COMMA|COUNTS)* F part=PT F", _sided, "clause"),
    Rule("for and against: heading", "F (side=PROW|opp=CONTRAW) (FOR target=TARGET)? COLON part=PT F", _sided, "clause"),
    Rule("it made the label likelier", "F deg=DEG? BECAUSEOF part=PT COMMA? F target=TARGET (BE|BECOMEW) F deg=DEG? (MORELIKELY|opp=LESSLIKELY) F", _sided, "clause"),
    Rule("the label is likelier because", "F target=TARGET (BE|BECOMEW) F deg=DEG? (MORELIKELY|opp=LESSLIKELY) F BECAUSEOF part=PT F", _sided, "clause"),
    Rule("the label is held back by", "F target=TARGET BE F deg=DEG? HELDBACK BY part=PT F", partial(_relied_against), "clause"),
    Rule("the contribution is signed", f"F DET? (MODELS)? (WEIGHTN|SCOREN) OF part=PT (TO|ON|FOR|TOWARD) F (DET PROBN OF)? target=TARGET BE F {_GRADES} F", partial(grade_inverted, base="important"), "clause"),
    Rule("makes a case", f"F (HAVE|BE) F DET? {_GRADES} (EVIDN|ROLEN) (side=SIDE|TOWARD) F target=TARGET F", partial(grade, base="supports")),
    Rule("is for it", "F BE F deg=DEG? side=SIDE F target=TARGET F", partial(grade, base="supports")),
    Rule("is what convinced it", "F BE F WHAT F deg=DEG? (LEADV|PUSH|INFT|SUPT|RELY) F (MODEL|DET WHOLEN)? F deg=DEG? ((OF|TO|TOWARD) (PREDICT)? target=TARGET|target=TARGET) F deg=DEG? F", partial(grade, base="supports")),
    Rule("made the difference", "F MADEDIFF ((FOR|IN|TO) target=TARGET)? F", partial(grade, base="important")),
    Rule("pushes it away", "F PUSH (IT|target=TARGET) (AWAYW|DOWNW) F", partial(grade, base="opposes")),
    Rule("pulls the other way", "F (PUSH|POINT|SPEAK) (IN)? OTHERWAY F", _other_way),
    Rule("the model did not read it as a sign", f"F MODEL F neg=DOESNOT F READV part=PT AS DET? {_GRADES} (EVIDN|ROLEN|SUPN) (side=SIDE|OF|TOWARD) target=TARGET F", _sided, "clause"),
    Rule("the model picks it up as a sign", f"F MODEL F (RELY|RELYV ONW) part=PT AS DET? {_GRADES} (EVIDN|ROLEN|SUPN|opp=OPPN) (side=SIDE|OF|TOWARD) target=TARGET F", _sided, "clause"),
    Rule("the model weighs it more than another", "F MODEL F (RELY|PAYV) part=PT F (gt=GT|lt=LT) F THAN other=PT (F (side=SIDE|IN) target=TARGET)? F", partial(grade_inverted, base="important"), "clause"),
    Rule("the model gives it twice the weight", "F MODEL F (PAYV|HAVE) part=PT F times=(TWICE|HALFAS|NUMBER TIMESN) (DET (WEIGHTN|SCOREN) OF|ASW MUCH (WEIGHTN)? ASW) other=PT F", partial(grade_inverted, base="important"), "clause"),
    Rule("leads the words for it", f"F (TOPLIST|TOPV) (OF)? (DET LISTW OF)? DET? (NOUN|SUPN|opp=OPPN) {_WHO}? F", _strongest),
    Rule("the strongest of the words for it is", f"F DET? (topn=SUPER|top=MOST (ADJ|STRONGADJ)) (OF|AMONG) (DET|ALL)* (NOUN|EVIDN|SUPN|opp=OPPN) F {_WHO}? BE part=PT F", _strongest, "clause"),
    Rule("the weakest of the words for it is", f"F DET? (low=SUPERLOW|low=LEAST (ADJ|STRONGADJ)) (OF|AMONG) (DET|ALL)* (NOUN|SUPN|opp=OPPN|EVIDN) F {_WHO}? BE part=PT F", _weakest, "clause"),
    Rule("right behind", "F (AFTERB|BELOW) part=PT F", _behind, "tail"),
    Rule("so many for, so many against", "F (number=INT) (NOUN)? F (SPEAK)? side=SIDE target=TARGET F", _count_side, "tail"),
    Rule("pull apart", "F (PUSH|POINT|SPEAK) IN OPPOSITEDIR F", _directions),
    Rule("pull together", "F (PUSH|POINT|SPEAK) IN same=SAMEDIR F", _directions),
    Rule("the model ignored", "F MODEL F IGNOREV F part=PT F", _ignored, "clause"),
    Rule("speaks neither for nor against", "F SPEAK F NEITHERNOR F (target=TARGET)? F", lambda clause: near_zero(clause, clause.subject), says=("NOTHING", "NEITHERNOR")),
    Rule("had none", "F HAVE NOTHING F", lambda clause: near_zero(clause, clause.subject), says=("NOTHING", "NEITHERNOR")),
    Rule("the model paid more attention to", "F MODEL F (HAVE|PAYV) F (gt=GT|lt=LT) (WEIGHTN) (TO|ON) part=PT F THAN (TO|ON)? other=PT F", partial(grade_inverted, base="important"), "clause"),
    Rule("the model relied more on", "F MODEL F (RELYV|RELY) F (gt=GT|lt=LT) (ONW)? part=PT F THAN (ONW)? other=PT F", partial(grade_inverted, base="important"), "clause"),
    Rule("the top words are", "F DET? (topn=SUPER number=INT|number=INT topn=SUPER|number=INT top=MOST) (ADJ|STRONGADJ)? (NOUN|ROLEN|EVIDN|SUPN|opp=OPPN) (F (side=SIDE|IN|TO|ON|BEHIND|OF) F target=TARGET)? F (BE|COLON) F part=PT F", _top_ranks, "clause"),
    Rule("are the top words", "F BE F DET? (topn=SUPER number=INT|number=INT topn=SUPER|number=INT top=MOST) (ADJ|STRONGADJ)? (NOUN|ROLEN|EVIDN|SUPN|opp=OPPN) (F (side=SIDE|IN|TO|ON|BEHIND|OF) F target=TARGET)? F", _top_ranks),
    Rule("is the weakest of the words for it", f"F BE F DET? (low=SUPERLOW|low=LEAST (ADJ|STRONGADJ)) (OF|AMONG) (DET|ALL)* (NOUN|SUPN|opp=OPPN|EVIDN) F {_WHO}? F", _weakest),
    Rule("of the words for it, it is the weakest", f"F (OF|AMONG) (DET|ALL)* (NOUN|EVIDN|SUPN|opp=OPPN) F {_WHO} COMMA? part=PT (BE|HAVE) F DET? (low=SUPERLOW|low=LEAST (ADJ|STRONGADJ)) (NOUN|SCOREN|WEIGHTN)? F", _weakest, "clause"),
    Rule("is the strongest of the words for it", f"F BE F DET? (topn=SUPER|top=MOST (ADJ|STRONGADJ)) (OF|AMONG) (DET|ALL)* (NOUN|EVIDN|SUPN|opp=OPPN) F {_WHO}? F", _strongest),
    Rule("of the words for it, it is the strongest", f"F (OF|AMONG) (DET|ALL)* (NOUN|EVIDN|SUPN|opp=OPPN) F {_WHO} COMMA? part=PT (BE|HAVE) F DET? (topn=SUPER|top=MOST (ADJ|STRONGADJ)) (NOUN|WEIGHTN|SCOREN)? F", _strongest, "clause"),
    Rule("trails all others for it", f"F (TRAIL) (ALL|DET)* (OTHERN|REST) F {_WHO} F", _weakest),
    Rule("share the first place", "F SHAREV DET? (topn=SUPER|FIRSTPLACE|ORDINAL) (PLACEN)? F", _shared_top),
    Rule("scores so much more than", "F (SCOREV|BE) F number=NUMBER (gt=GT|lt=LT|gt=ABOVE|lt=BELOW) (THAN)? other=PT (DO)? F", _difference),
    Rule("is one of so many words for it", f"F BE F ONEOF DET? number=INT (NOUN|EVIDN|ROLEN) F {_WHO} F", _count_and_member),
    Rule("there is more evidence for than against", "F THERE BE F (gt=GT|lt=LT) (MASSN|EVIDN) F side=SIDE F target=TARGET F THAN (THERE BE)? SIDE IT F", _more_evidence, "clause"),
    Rule("several words, including", f"F SOMEW NOUN F {_WHO0} COMMA? SUCHAS part=PT F", _sided, "clause"),
    Rule("unlike another", "F LP? UNLIKEW part=PT RP? F", _not_same, "tail"),
    Rule("like another", "F LP? SUCHAS part=PT RP? F|F SAMEGOES part=PT F|F part=PT FOLLOWSUIT F|F part=PT DO COMMA? TOOW F", _again, "tail"),
    Rule("not so another", "F NOT SOW part=PT F", _not_same, "tail", says=("NOT",)),
    Rule("the opposite holds for", "F DET? OPPOSITEW HOLDFOR part=PT F|F WITH part=PT (PUSH_G|POINT_G|SPEAK_G) OTHERWAY F", _opposite, "tail"),
    Rule("the former more than the latter", "F FORMERW (gt=GT|lt=LT) SOW? THAN LATTERW F", _former, "tail"),
    Rule("with support from", f"F WITH DET? {_GRADES} (EVIDN|SUPN|opp=OPPN) (FROM) part=PT F", _sided, "tail"),
    Rule("a score of one", "F part=PT (ONE|DET) OF number=NUMBER F", _each_number, "tail"),
    Rule("pushed by another", "F (RAISE_P|SUPT_P|opp=LOWER_P|opp=OPPT_P) BY part=PT F", _sided, "tail"),
    Rule("pro or contra", "F part=PT (side=PROW|opp=CONTRAW) F", _sided, "tail"),
    Rule("in a word", "F part=PT (strong=STRONGADJ|ADJ|zero=UNADJ) F", partial(grade_inverted, base="important"), "tail"),
    Rule("more of the evidence speaks for than against", "F gt=MORE OF MASS F (SPEAK|POINT|BE) F side=SIDE F target=TARGET F THAN SIDE IT F", _more_evidence, "clause"),
    Rule("does not", "F part=PT F (DOESNOT|DO NOT|NOT|BE NOT|ISNOT) F", _not_same, "tail", says=("NOT", "DOESNOT", "ISNOT")),
    Rule("but not by", "F NOT (BY|ON|TO|FOR|FROM) part=PT F", _not_same, "tail", says=("NOT", "DOESNOT", "ISNOT")),
    Rule("instead of a part", "F RATHER (ON|BY|TO)? part=PT F", _instead_of, "tail", says=("RATHER",)),
    Rule("despite a part", "F DESPITE (DET PRESENCE OF)? part=PT F", _despite, "tail"),
    Rule("a reason for each", "F part=PT F (BE)? DET? (deg=DEG|strong=HIGH)? (EVIDN|ROLEN|ONE) F side=SIDE F target=TARGET F", _sided, "tail"),
    Rule("a sign for each", "F part=PT F (BE|HAVE)? DET? (pos_adj=POS|neg_adj=NEG) (ONE|SCOREN|WEIGHTN) F", partial(grade_inverted, base="important"), "tail"),
    Rule("that of another is", "F DET OF part=PT F (BE|COLON)? F number=NUMBER F", _each_number, "tail"),
    Rule("so much for a side", "F number=SHARENUM (OF IT)? (SPEAK|BE|POINT)? F side=SIDE F target=TARGET F", _side_share, "tail"),
    Rule("another is", "F ANOTHERW (EVIDN|NOUN|ROLEN)? BE part=PT F", _another, "tail"),
]

