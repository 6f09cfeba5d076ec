"""Cuts a sentence into clauses that rules can read. Words that no rule consumes are left over, and the sentence is unread.

Each token is one character (see `grammar.notation`), so a clause is a short string and all rules of a kind are one regular
expression. The cut is the one that leaves the fewest words over and, of those, the one with the fewest clauses; it is found by
dynamic programming over the places where a clause may begin.
"""
# ruff: noqa: E501 - word lists and patterns are easier to read unbroken

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, TypeAlias

from verbalize.read.folding import Folder
from verbalize.read.grammar.notation import FIRST, Notation
from verbalize.read.grammar.phrases import FOLDS, PHRASES
from verbalize.read.marking.tokens import word_sets
from verbalize.read.rule_examples import EXAMPLES
from verbalize.read.rules import amounts, haves, model, ranks, reports, short, signs, tails, turned, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verbalize.read.marking.tokens import Token
    from verbalize.read.rules.rule import Rule

Spans: TypeAlias = "dict[str, list[tuple[int, int]]]"  # (start, stop) of the captures, by name
_JOINTS = frozenset(
    {"COMMA", "SEMI", "COLON", "DASH", "LP", "RP", "AND", "BUT", "BECAUSE", "WHICH", "WITH", "FOLLOWED", "THEN", "INDICATING", "INDICATETHAT",
     "LEADING", "MAKINGIT", "ABOVEALL", "RANKV_G", "SODO", "FILL", "HOLD_G", "HAVE_G", "SUPT_G", "OPPT_G", "CONTRIB_G", "BEAT_G", "SCOREV_G", "AHEADW"}
)  # fmt: skip
_MOST_JOINTS = 28  # places where a clause may begin; a sentence with more of them is not read
_LONGEST = 150  # tokens; a longer sentence is not read

# What may stand before a clause: connectives, and phrases that say where the statement comes from.
_CONNECTIVES = (
    "(COMMA|SEMI|DASH|COLON|AND|BUT|FILL|SAYS DET? (MODELS|TOTAL)? EXPLN (OF DET (WHOLEN|PREDN|MODELN))? COMMA?|DET? (TOTAL)? EXPLN (OF DET (WHOLEN|PREDN|MODELN))? (SHOWS THAT?|INDICATETHAT)|"
    "WESEE THAT?|because=BECAUSE|INDICATETHAT|(IN|FOR) (DET|TOTAL)* (WHOLEN|MODELN) COMMA)*"
)
_STARTS = {
    # the subject, in the order in which they are tried; `none` continues the clause before
    "part": "subject=PARTS (COMMA)?",
    "some": "SOMEW NOUN COMMA? SUCHAS subject=PARTS COMMA?",
    "sum": "told=SUMMING COMMA? subject=PARTS",
    "none_of": "neg=NO subject=PARTS",
    "all_of": "told=(ALL INT? OF|BOTH OF?|ALL|INT OF) subject=PARTS",
    "score_of": "DET? (HIGH|TOTAL)* (SCOREN|WEIGHTN|PRESENCE|INFT|OCCUR) (OF|FOR|ON) DET? subject=PARTS ((ON|TO|FOR) (TG|LB))?",
    "one_of": "subject=PARTS BE (ONEOF DET?|AMONG DET?|ARTICLE) (NOUN|ROLEN) WHICH",
    "possessive": "subject=PARTS POSSESSIVE (HIGH|TOTAL)* (SCOREN|WEIGHTN|PRESENCE)",
    "neither": "neg=NEITHERW subject=PARTS",
    "not_but": "said=(NOT unlike=PARTS BUT) subject=PARTS",
    "but_not": "subject=PARTS COMMA? said=(NOT|RATHER) unlike=PARTS COMMA?",
    "unlike": "UNLIKEW unlike=PARTS COMMA subject=PARTS",
    "after": "said=AFTERP after=PARTS COMMA subject=PARTS",
    "former": "said=FORMERW|said=(THE ORDINAL ONE?)",
    "latter": "said=LATTERW",
    "cleft": "(IT BE|THERE BE) subject=PARTS WHICH",
    "pronoun": "(THEY QM WORDN|IT|THEY|THISWORD|THESEWORDS|ONE)",
    "which": "(WHICH)",
    "making": "MAKINGIT",
    "none": "",
}


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of tokens: a clause that a rule reads, a subject that waits for its predicate, or words that are left over.

    Attributes:
        start, stop: the tokens.
        rule: the rule that reads it; `None` for a subject or for words that are left over.
        subject: how the subject is given: "part", "pronoun" ...; "" if the rule covers the whole clause.
        spans: what the pattern captured.
        because: whether the clause is given as a reason.
        left_over: whether no rule reads it.
        begin: the first token after the connectives at its start.
    """

    start: int
    stop: int
    rule: Rule | None
    subject: str
    spans: dict[str, list[tuple[int, int]]]
    because: bool = False
    left_over: bool = False
    begin: int = 0


class CompiledRule:
    """A rule with its pattern, which is compiled when a sentence first has the words that it needs."""

    def __init__(self, rule: Rule, notation: Notation) -> None:
        self.rule = rule
        self.notation = notation
        # the fewest classes first, because a sentence has them least often
        self.needs = sorted((_mask(codes) for codes in dict.fromkeys(notation.required(rule.pattern))), key=int.bit_count)
        self.rarest = self.needs[0] if self.needs else -1

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The pattern as an expression over class characters."""
        return re.compile(self.notation.expand(self.rule.pattern))

    @cached_property
    def captures(self) -> list[tuple[str, int]]:
        """Its captures: the name, and the number of the group."""
        return [(name.rpartition("_")[0], index) for name, index in self.pattern.groupindex.items()]

    def match(self, codes: str, start: int, stop: int) -> Spans | None:
        """What the pattern captures, if it matches from `start` to `stop`."""
        match = self.pattern.fullmatch(codes, start, stop)
        if match is None:
            return None
        spans: Spans = {}
        for name, group in self.captures:
            first, last = match.span(group)
            if first >= 0:
                spans.setdefault(name, []).append((first, last))
        return spans


def _mask(codes: Iterable[str]) -> int:
    mask = 0
    for code in codes:
        mask |= 1 << (ord(code) - FIRST)
    return mask


class Grammar:
    """All rules, compiled."""

    def __init__(self) -> None:
        self.notation = Notation(PHRASES)
        self.notation.register(sorted(word_sets(), key=sorted))
        self.rules: list[Rule] = [
            *ranks.RULES, *haves.RULES, *amounts.RULES, *whole.RULES, *model.RULES, *signs.RULES, *reports.RULES, *turned.RULES, *short.RULES, *tails.RULES, *reports.RIDERS,
        ]  # fmt: skip
        self.rules = [
            replace(rule, examples=EXAMPLES[rule.name][0], counter_examples=EXAMPLES[rule.name][1])
            if rule.name in EXAMPLES
            else rule
            for rule in self.rules
        ]
        self.folder = Folder(self.notation, FOLDS)
        self.by_scope: dict[str, list[CompiledRule]] = {"predicate": [], "clause": [], "tail": [], "rider": []}
        for rule in self.rules:
            self.by_scope[rule.scope].append(CompiledRule(rule, self.notation))
        self.start = re.compile(self.notation.expand(_CONNECTIVES, "c_"))
        self.subjects = {name: re.compile(self.notation.expand(pattern, "s_")) for name, pattern in _STARTS.items()}
        self.lonely = re.compile(self.notation.expand("LOOKAT? subject=PARTS (COMMA|COLON)?", "s_"))
        self.joints = {code for names, code in self.notation._codes.items() if names & _JOINTS}  # noqa: SLF001 - its own table

    def possible(self, codes: str) -> dict[str, list[CompiledRule]]:
        """The rules, by scope, that a sentence with these classes can match."""
        mask = _mask(set(codes))
        return {
            scope: [rule for rule in rules if rule.rarest & mask and all(need & mask for need in rule.needs)]
            for scope, rules in self.by_scope.items()
        }

    def codes(self, tokens: Sequence[Token]) -> str:
        """The sentence as a string of class characters."""
        return "".join(self.notation.code(token.names) for token in tokens)


@cache
def grammar() -> Grammar:
    """The compiled rules; the first call takes about a second."""
    return Grammar()


def segments_of(tokens: Sequence[Token]) -> tuple[list[Token], list[Segment]]:
    """Cut a sentence into the clauses that rules read and the words that are left over; returns the folded tokens, too."""
    if not tokens or len(tokens) > _LONGEST:
        return [*tokens], [Segment(0, len(tokens), None, "", {}, left_over=True)] if tokens else []
    best: tuple[int, list[Token], list[Segment]] | None = None
    for lists in ("parts", "pair", "part"):
        folded = grammar().folder.fold(tokens, lists)
        if best is not None and len(folded) == len(best[1]):
            continue
        segments = _cut(folded)
        over = sum(
            len(list(token.flat()))
            for number, s in enumerate(segments)
            if s.left_over or _waits_in_vain(segments, number)
            for token in folded[s.start : s.stop]
        )
        over += sum(_aside(s) for s in segments)
        if best is None or over < best[0]:
            best = over, folded, segments
        if not over:
            break
    assert best is not None
    return best[1], best[2]


def _aside(segment: Segment) -> int:
    """The tokens that a rule matches as an aside: it doesn't read them, so they are left over."""
    return sum(stop - start for start, stop in segment.spans.get("aside", ()))


def _waits_in_vain(segments: Sequence[Segment], number: int) -> bool:
    """Whether a clause is a subject that no later clause continues."""
    if segments[number].subject != "lonely":
        return False
    return not any(later.rule is not None and later.subject in ("none", "which") for later in segments[number + 1 :])


def _cut(tokens: Sequence[Token]) -> list[Segment]:
    count = len(tokens)
    if not count:
        return []
    known = grammar()
    codes = known.codes(tokens)
    cuts = _cuts(codes, known)
    rules = known.possible(codes)
    if len(cuts) > _MOST_JOINTS:
        return [Segment(0, count, None, "", {}, left_over=True)]
    # best[i]: (words left over, clauses), and the first segment, of the tokens from cuts[i] on
    best: dict[int, tuple[int, int, Segment | None, int]] = {len(cuts) - 1: (0, 0, None, 0)}
    for i in range(len(cuts) - 2, -1, -1):
        chosen: tuple[int, int, Segment | None, int] | None = None
        for j in range(len(cuts) - 1, i, -1):
            over, clauses, _, _ = best[j]
            if chosen is not None and (over, clauses + 1) >= chosen[:2]:
                continue
            segment = _match(codes, cuts[i], cuts[j], known, rules)
            if segment is None:
                continue
            found_here = (over + _aside(segment), clauses + 1, segment, j)
            if chosen is None or found_here[:2] < chosen[:2]:
                chosen = found_here
        j = i + 1
        over, clauses, _, _ = best[j]
        skipped = (over + cuts[j] - cuts[i], clauses + 1, Segment(cuts[i], cuts[j], None, "", {}, left_over=True), j)
        if chosen is None or skipped[:2] < chosen[:2]:
            chosen = skipped
        best[i] = chosen
    found: list[Segment] = []
    i = 0
    while i < len(cuts) - 1:
        _, _, segment, i = best[i]
        if segment is not None:
            found.append(segment)
    return found


def _cuts(codes: str, known: Grammar) -> list[int]:
    """The positions at which a clause may begin."""
    return [0, *(index for index in range(1, len(codes)) if codes[index] in known.joints), len(codes)]


def _match(codes: str, start: int, stop: int, known: Grammar, rules: dict[str, list[CompiledRule]]) -> Segment | None:
    opened = known.start.match(codes, start, stop)
    begin = opened.end() if opened else start
    because = bool(opened and any(opened.groupdict().values()))
    if begin == stop:
        return None
    mask = _mask(set(codes[begin:stop]))
    fits = {
        scope: [rule for rule in some if rule.rarest & mask and all(need & mask for need in rule.needs)]
        for scope, some in rules.items()
    }
    for rule in fits["clause"]:
        spans = rule.match(codes, begin, stop)
        if spans is not None:
            return Segment(start, stop, rule.rule, "", spans, because, begin=begin)
    if fits["predicate"]:
        for name, pattern in known.subjects.items():
            subject = pattern.match(codes, begin, stop)
            if subject is None or subject.end() == stop:
                continue
            for rule in fits["predicate"]:
                spans = rule.match(codes, subject.end(), stop)
                if spans is None:
                    continue
                for group, index in pattern.groupindex.items():
                    if subject.start(index) >= 0:
                        spans.setdefault(group.removeprefix("s_").rpartition("_")[0], []).append(subject.span(index))
                return Segment(start, stop, rule.rule, name, spans, because, begin=begin)
    for rule in fits["tail"]:
        spans = rule.match(codes, begin, stop)
        if spans is not None:
            return Segment(start, stop, rule.rule, "", spans, because, begin=begin)
    for rule in rules["rider"]:  # begins with its connective
        spans = rule.match(codes, start, stop)
        if spans is not None:
            return Segment(start, stop, rule.rule, "", spans, begin=start)
    lonely = known.lonely.fullmatch(codes, begin, stop)
    if lonely is not None:
        return Segment(start, stop, None, "lonely", {"subject": [lonely.span("s_subject_1")]}, because, begin=begin)
    return None
