"""Rules for statements about the map as a whole: nothing speaks for the label, three words do, only one does, a word is absent."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.read.clause import Unclear
from verbalize.read.rules.amounts import amount
from verbalize.read.rules.rule import Rule

if TYPE_CHECKING:
    from verbalize.claims.claim import Direction
    from verbalize.read.clause import Clause
    from verbalize.read.marking.numbers import Number


def side_of(clause: Clause) -> Direction | None:
    """The side of which a clause says that words are on it; `None` if it speaks of importance in general."""
    if clause.has("opp") or "AGAINST" in clause.classes("side") or "AWAY" in clause.classes("away"):
        return "opposes"
    if clause.has("sup") or clause.has("side"):
        return "supports"
    return None


def _nothing(clause: Clause) -> None:
    clause.claim("no_clear_evidence", direction=side_of(clause), label=clause.target())


def _nothing_matters(clause: Clause) -> None:
    """Reads "Nothing stands out" states no direction, also where it names the label."""
    against = "AGAINST" in clause.classes("side") and "FOR" not in clause.classes("side")
    clause.claim("no_clear_evidence", direction="opposes" if against else None, label=clause.target())


def _no_part(clause: Clause) -> None:
    clause.claim("count", direction=side_of(clause), value=0.0, label=clause.target())


def _neither_side(clause: Clause) -> None:
    for direction in ("supports", "opposes"):
        clause.claim("count", direction=direction, value=0.0, label=clause.target())


def _flat(clause: Clause) -> None:
    clause.claim("no_clear_evidence", direction=None)


def _count(clause: Clause) -> None:
    direction = side_of(clause)
    number = clause.number("number")
    if direction is None:
        raise Unclear
    total = float(len(clause.evidence))
    if clause.has("all"):
        value, tolerance = total, 0.0
    elif clause.has("half"):
        value, tolerance = (total + total // 2 + 1) / 2, (total - total // 2 - 1) / 2
        if "LESSTHANHALF" in clause.classes("half"):
            value, tolerance = (total - 1) / 4, (total - 1) / 4
    elif number is not None and not number.percent:
        value, tolerance = _whole(number, total)
    else:
        raise Unclear
    clause.claim("count", direction=direction, value=value, tolerance=tolerance, label=clause.target())
    clause.memory.direction, clause.memory.kind, clause.memory.plain = direction, "count", False


def _whole(number: Number, total: float) -> tuple[float, float]:
    if number.bound is None:
        return number.value, 0.0 if number.tolerance <= 0.5 else number.tolerance
    low, high = (number.value, total) if number.bound == "above" else (0.0, number.value)
    return (low + max(low, high)) / 2, (max(low, high) - low) / 2


def _only(clause: Clause) -> None:
    mentions = clause.mentions("part") if clause.has("part") else clause.subject
    direction = side_of(clause)
    if (direction is None and clause.evidence.signed) or not mentions:
        raise Unclear
    named = clause.resolve(mentions, direction or "supports")
    if direction is None:
        if len(clause.evidence) > 1 or len(named) > 1:
            raise Unclear
        clause.claim("matters", named[0].part, label=clause.target(), quote=mentions[0].quote)
        return
    quote = next((one.mark.quote for one in named if one.part is None), ", ".join(mention.quote for mention in mentions))
    part = None if any(one.part is None for one in named) else tuple(i for one in named for i in one.part or ())
    clause.claim("only", part, direction=direction, label=clause.target(), quote=quote)
    clause.subject = mentions
    clause.memory.direction = direction
    if part:
        clause.memory.high.append(part)
    clause.numbers(mentions, direction)


def _absent(clause: Clause) -> None:
    mentions = clause.mentions("part")
    for mention in mentions:
        clause.claim("absent", mention.places[0] if mention.places else None, quote=mention.quote)


def _overall(clause: Clause) -> None:
    """Reads "Overall, the text speaks against the label": the evidence on that side outweighs the other."""
    direction = side_of(clause)
    if direction is None:
        raise Unclear
    if clause.has("quant") or clause.has("number"):
        value, tolerance = amount(clause).within(0.0, 1.0)
        clause.claim("balance", direction=direction, value=value, tolerance=tolerance, label=clause.target())
    else:
        clause.claim("balance", direction=direction, label=clause.target())
    clause.memory.direction = direction


def _single(clause: Clause) -> None:
    if len(clause.mentions("part")) != 1:
        raise Unclear
    _only(clause)


def _count_of(clause: Clause) -> None:
    total = clause.number("total")
    if total is None or int(total.value) != len(clause.evidence):
        raise Unclear
    _count(clause)


_SIDED = "(SPEAK F side=SIDE F target=TARGET|sup=SUPT (target=TARGET)?|opp=OPPT (target=TARGET)?|POINT F (side=TOWARD|away=AWAY) target=TARGET|CONTRIB TO sup=TARGET|BE (sup=SUPADJ|opp=OPPADJ) target=TARGET|BE F side=SIDE target=TARGET|(HAVE|SCOREV) F DET? (sup=POS|opp=NEG) (WEIGHTN|SCOREN)|SCOREV (sup=POSLY|opp=NEGLY|sup=ABOVEZERO|opp=BELOWZERO)|PUSH (MODEL|target=TARGET) (sup=TOWARD|opp=AWAY) THE? target=TARGET|(sup=RAISE|opp=LOWER) DET? PROBN (OF target=TARGET)?)"
_WHOSIDED = f"(WHICH F {_SIDED}|SPEAK_G side=SIDE target=TARGET|sup=SUPT_G target=TARGET|opp=OPPT_G target=TARGET|WITH DET? (sup=POS|opp=NEG) (WEIGHTN|SCOREN)|side=SIDE target=TARGET|TO (sup=SUPT|opp=OPPT) target=TARGET|TO SPEAK side=SIDE target=TARGET)"
_IN = "((IN|OF) (DET|ALL)? TOTAL? (WHOLEN|NOUN|IT))*"
RULES: list[Rule] = [
    Rule(
        "nothing speaks for it",
        f"F (NOTHING|NO DET? (SINGLE|SOLE)? (OTHERN|NOUN)) {_IN} (WHICH)? F {_SIDED} F",
        _nothing,
        "clause",
        says=("NO", "NOTHING", "ZERO", "ISNOT"),
    ),
    Rule(
        "there is no evidence",
        f"F ((THERE BE|DET? WHOLEN (HAVE|OFFERS)|MODEL FOUND|WESEE|IT HAVE) F (NO|NOTHING|ZERO)|THERE ISNOT (ANY|DET SINGLE|DET)) (HIGH|ADJ|CLEARW|STRONGADJ|OVERALLW|pos_adj=POS|SOLE|REALW)* (side=EVIDN|NOUN|sup=SIDEDMASS|opp=NEGMASS|sup=SUPN (TO|FOR) target=TARGET|opp=OPPN (TO|FOR) target=TARGET|sup=SUPN|opp=OPPN|WEIGHTN|OTHERN)? {_IN} ({_WHOSIDED})? {_IN} F",
        _nothing,
        "clause",
        says=("NO", "NOTHING", "ZERO", "ISNOT"),
    ),
    Rule("no region as a whole speaks for it", f"F NO NOUN ASWHOLE F {_SIDED} F", _no_part, "clause", says=("NO",)),
    Rule(
        "regions take no side",
        "F DET? (PREDADJ|TOTAL)? NOUN F NOSIDE ON target=TARGET F|F DET EVIDN FOR AND AGAINST target=TARGET CANCELS {_IN} F".replace(
            "{_IN}", _IN
        ),
        _neither_side,
        "clause",
    ),
    Rule(
        "nothing stands out",
        f"F (NOTHING|NO DET? (SINGLE|SOLE)? (OTHERN|NOUN)) {_IN} (WHICH)? F (MATTER|BE F DEG? (ADJ|STRONGADJ)|HAVE DET? ANY? (HIGH|ADJ|CLEARW|REALW)? (WEIGHTN|SCOREN)) (DEG)? ((side=FOR|side=AGAINST|TO|IN|ON) target=TARGET)? {_IN} F",
        _nothing_matters,
        "clause",
        says=("NO", "NOTHING", "ZERO", "ISNOT"),
    ),
    Rule(
        "all score the same",
        f"F (ALL|EVERYTHING) DET? (OTHERN|NOUN)? {_IN} F (SCOREV|HAVE|BE|MATTER) F ((EQUALLY|ZERO)+ (ADJ|STRONGADJ)? (WEIGHTN|SCOREN)?|DET? EQUALLY (ADJ)? (WEIGHTN|SCOREN)?|DET? (WEIGHTN|SCOREN) OF zero=ZERO|zero=UNADJ) F",
        _flat,
        "clause",
        says=("ALL", "EVERYTHING", "EQUALLY", "ZERO", "UNADJ", "NO"),
    ),
    Rule(
        "the input is empty",
        "F DET WHOLEN BE EMPTYW F",
        _flat,
        "clause",
        says=("ALL", "EVERYTHING", "EQUALLY", "ZERO", "UNADJ", "NO"),
    ),
    Rule(
        "so many words speak for it",
        f"F (ONLYW|JUSTW)? (number=INT|all=ALL|all=EVERYTHING|half=MORETHANHALF|half=LESSTHANHALF) (OF)? (OF? DET)? INT? (OTHERN|NOUN|REGIONW)? {_IN} F {_SIDED} F",
        _count,
        "clause",
        says=("ONLY", "ALL", "SUMMING"),
    ),
    Rule(
        "there are so many words for it",
        f"F (SUMMING COMMA?)? (THERE BE|DET? WHOLEN (HAVE|CONTAIN)|WESEE) F (ONLYW|JUSTW)? number=INT (NOUN|side=EVIDN|sup=SUPN|opp=OPPN|(sup=POS|opp=NEG) NOUN)? {_IN} ({_WHOSIDED})? {_IN} F",
        _count,
        "clause",
        says=("ONLY", "ALL", "SUMMING"),
    ),
    Rule(
        "the number of words for it",
        f"F DET (NUMBERW) OF (NOUN) {_WHOSIDED} BE number=INT F",
        _count,
        "clause",
        says=("ONLY", "ALL", "SUMMING"),
    ),
    Rule(
        "only it speaks for it",
        f"F (ONLY DET?|SOLEW) part=PARTS (ALONE)? F {_SIDED} F",
        _only,
        "clause",
        says=("ONLY", "SOLE", "NO", "NOTHING", "EXCEPT"),
    ),
    Rule(
        "is the only one",
        f"F BE F DET (SOLE) (NOUN|EVIDN|ROLEN|INT NOUN|sup=SUPN|opp=OPPN) {_IN} {_WHOSIDED}? {_IN} F",
        _only,
        says=("ONLY", "SOLE", "NO", "NOTHING", "EXCEPT"),
    ),
    Rule(
        "the only one is",
        f"F DET (SOLE) (INT)? (NOUN|EVIDN|ROLEN|sup=SUPN|opp=OPPN) {_IN} {_WHOSIDED} {_IN} BE part=PARTS F",
        _only,
        "clause",
        says=("ONLY", "SOLE", "NO", "NOTHING", "EXCEPT"),
    ),
    Rule(
        "the only word, it, speaks for it",
        f"F (ONLYW|JUSTW)? DET (SOLE|SINGLE) NOUN COMMA part=PARTS COMMA F ({_SIDED}|MATTER ((FOR|IN|TO) target=TARGET)?) F",
        _only,
        "clause",
        says=("ONLY", "SOLE", "NO", "NOTHING", "EXCEPT"),
    ),
    Rule(
        "nothing but it speaks for it",
        f"F (EXCEPT|NOTHING EXCEPT|NO OTHERN EXCEPT|NOTHING ELSE) part=PARTS (COMMA)? (NOTHING|NO OTHERN|NO NOUN)? {_IN} F {_SIDED} F",
        _only,
        "clause",
        says=("ONLY", "SOLE", "NO", "NOTHING", "EXCEPT"),
    ),
    Rule(
        "no other word than it speaks for it",
        f"F NO OTHERN (THAN|EXCEPT) part=PARTS F {_SIDED} F",
        _only,
        "clause",
        says=("ONLY", "SOLE", "NO", "NOTHING", "EXCEPT"),
    ),
    Rule(
        "a single word speaks for it",
        f"F (ONLYW|JUSTW)? (DET SOLE|DET SINGLE|INT|DET) NOUN {_IN} F {_SIDED} (COLON|COMMA (NAMELYW)?|DASH) part=PARTS F",
        _single,
        "clause",
        says=("ONLY", "SOLE", "ONE"),
    ),
    Rule(
        "it and no other word speaks for it",
        f"F part=PARTS AND (NO OTHERN|NOTHING ELSE?) F {_SIDED} F",
        _only,
        "clause",
        says=("ONLY", "SOLE", "NO", "NOTHING", "EXCEPT"),
    ),
    Rule(
        "of so many words, so many speak for it",
        f"F (OF|AMONG) DET? total=INT NOUN {_IN} COMMA? (ONLYW)? number=INT F {_SIDED} F",
        _count_of,
        "clause",
        says=("ONLY",),
    ),
    Rule(
        "nothing speaks for it but",
        f"F (NOTHING|NO OTHERN|NO NOUN) {_IN} F {_SIDED} F EXCEPT part=PARTS F",
        _only,
        "clause",
        says=("ONLY", "SOLE", "NO", "NOTHING", "EXCEPT"),
    ),
    Rule(
        "no other word speaks for it: after",
        f"F NO DET? OTHERN (ELSE)? F ({_SIDED}|DO) F",
        lambda clause: _only_after(clause),
        "tail",
        says=("NO", "NOTHING"),
    ),
    Rule(
        "neither is in the input",
        "F NEITHERW part=PARTS F (APPEAR|BE (IN|PRESENCE)) DET? WHOLEN F",
        _absent,
        "clause",
        says=("NEITHERW",),
    ),
    Rule(
        "there is no such word",
        "F THERE BE NO (NOUN)? part=PARTS (IN|ANYWHERE) DET? WHOLEN F",
        _absent,
        "clause",
        says=("NO", "ISNOT"),
    ),
    Rule("the text as a whole speaks for it", f"F DET TOTAL? (WHOLEN|NOUN|MASSN) F {_SIDED} F", _overall, "clause"),
    Rule(
        "most of the evidence speaks for it",
        f"F (quant=MORETHANHALF|quant=NEARLYALLOF|quant=ALLOF|number=SHARENUM OF) (THE|DET|ALLOF|TOTAL)* MASSN {_IN} F {_SIDED} F",
        _overall,
        "clause",
    ),
    Rule(
        "is absent",
        "F part=PARTS F (BE)? (ISNOTIN|NOTAPPEAR|ABSENT|NOT APPEAR|DOESNOT APPEAR|BE ABSENT) (ANYWHERE)? DET? WHOLEN? F",
        _absent,
        "clause",
        says=("NO", "NOT", "DOESNOT", "LASTOCC"),
    ),
    Rule("you will not find it", "F NOTFIND part=PARTS (IN|ANYWHERE) DET? WHOLEN F", _absent, "clause", says=("NOT",)),
    Rule(
        "the text speaks rather for than against",
        "F DET TOTAL? WHOLEN F SPEAK F GT side=SIDE target=TARGET F THAN SIDE IT F",
        _overall,
        "clause",
        says=("MORE",),
    ),
    Rule(
        "does not contain",
        "F DET WHOLEN CONTAINNO (DET NOUN)? part=PARTS F",
        _absent,
        "clause",
        says=("NO", "NOT", "DOESNOT", "LASTOCC"),
    ),
]


def _only_after(clause: Clause) -> None:
    if not clause.memory.subject:
        raise Unclear
    clause.subject = clause.memory.subject
    clause.spans.pop("part", None)
    _only(clause)
