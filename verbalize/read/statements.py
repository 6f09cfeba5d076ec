"""Turns each form of statement into claims about a map."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from verbalize.claims.claim import Claim
from verbalize.read.clause import LABELS, NUMBERS
from verbalize.read.marking import lexicon as words
from verbalize.read.marking.marks import L, LabelMark, Marked, PartMark
from verbalize.read.resolver import Named, Resolver
from verbalize.read.shares import share_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.claims.claim import ClaimKind, Direction, ShareOf
    from verbalize.evidence import Evidence
    from verbalize.read.clause import Clause
    from verbalize.read.marking.numbers import Number
    from verbalize.read.resolver import Aim
    from verbalize.saliency import Part

_PAIRS = 64  # if a comparison of lists has more pairs than this, only the two pairs that decide it become claims
_UNIMPORTANT = 0.05  # "not important" is false if the part holds more of all evidence than this, and more than an even share
_VERSUS = re.compile(
    rf"(?:rather than|instead of|as opposed to|versus|vs\.?|over|and not) (?:the )?(?P<list>{L}(?:(?:, | or |, or | and ){L})*)"
)
_EACH = re.compile(r"\beach\b|\brespectively\b|\bapiece\b|\bboth\b")


@dataclass
class Context:
    """The parts that earlier sentences named, to which words such as "it" in later sentences refer."""

    last: list[PartMark] = field(default_factory=list)
    high: list[tuple[Direction, Part]] = field(default_factory=list)
    said: dict[Direction, set[int]] = field(default_factory=lambda: {"supports": set(), "opposes": set()})


@dataclass
class Statements:
    """Collects the claims of one sentence while it is being read.

    Args:
        marked: the sentence.
        evidence: the map.
        resolver: chooses the place of a mention that could mean several.
        context: the parts that earlier sentences named.
        claims: the claims so far.
        numbers: the number marks that became part of a claim.
        partial: whether the sentence says something that no claim expresses.
        label: the label that the whole sentence is about; `None` if its frame names none.
    """

    marked: Marked
    evidence: Evidence
    resolver: Resolver
    context: Context
    claims: list[Claim] = field(default_factory=list)
    numbers: set[str] = field(default_factory=set)
    partial: bool = False
    label: LabelMark | None = None

    def marks(self, character: str) -> list[PartMark]:
        """The parts that a character of the marked sentence stands for."""
        return [self.marked.parts[index] for index in self.marked.members(character)]

    # the whole map

    def no_evidence(self, text: str, direction: Direction | None) -> None:
        """Claim that no evidence speaks in this direction or, without a direction, that nothing stands out."""
        label, versus = self.label_in(text)
        self.claims.append(Claim("no_clear_evidence", direction=direction, label=label, versus=versus))

    def rest_or_balance(self, rest: bool, side: Direction, character: str) -> None:
        """Claim the share of all parts not named so far (`rest`), or the share of all evidence on one side."""
        number = self.marked.number_of(character)
        self.numbers.add(character)
        value, tolerance = number.within(0.0, 1.0)
        if rest:
            named = self.context.said[side]
            part = tuple(index for index in range(len(self.evidence)) if index not in named)
            of: ShareOf = "negative" if side == "opposes" else "positive"
        else:
            mass = self.evidence.negative if side == "opposes" else self.evidence.positive
            part, of = tuple(np.flatnonzero(mass > 0).tolist()), "absolute"
        self.claims.append(Claim("share", part, value=value, tolerance=tolerance, of=of))

    # one part against another

    def against_rest(self, clause: Clause, marks: list[PartMark], *, ahead: bool) -> None:
        """Claim that the parts are above all others (`ahead`), or that some other part is above them."""
        if ahead:
            self.top(clause, marks, clause.direction(None))
        else:
            self.below_top(clause, marks)

    def chain(self, clause: Clause, subject: str | None, marks: list[PartMark], others: list[PartMark]) -> None:
        """Claim an order of importance: all parts are on one side, and each is ahead of the next."""
        direction = clause.direction(subject)
        if subject and words.TOP.search(clause.text):
            self.top(clause, marks, direction)
        else:
            self.say(clause, direction, marks, direction)
        self.say(clause, direction, others, direction)
        chain = [named for mark in [*marks[-1:], *others] for named in self.resolver.resolve([mark], direction)]
        for ahead, behind in pairwise(chain):
            self.claim(clause, "more_important_than", ahead, direction, other=behind.part, quote=_quoted(ahead, behind))
        for mark in [*marks, *others]:
            self.beside(mark, direction)
        self.numbered(clause, [], direction)
        self.remember(marks)

    def pairs(self, clause: Clause, first: Sequence[PartMark], second: Sequence[PartMark]) -> None:
        """Claim that every part of the first list is ahead of every part of the second."""
        direction = self._side(clause, first)
        ahead = self.resolver.resolve(first, direction)
        behind = self.resolver.resolve(second, "opposes" if direction == "supports" else "supports")
        for one, other in self._decisive(ahead, behind, direction):
            self.claim(clause, "more_important_than", one, direction, other=other.part, quote=_quoted(one, other))
        for mark in (*first, *second):
            self.beside(mark, direction)
        self.remember(list(first))

    def lower(self, clause: Clause, marks: list[PartMark]) -> bool:
        """Claim that the parts are less important than those that were called important before."""
        direction = self.context.high[-1][0]
        ahead = [Named(PartMark("", ()), part) for said, part in self.context.high if said == direction]
        behind = self.resolver.resolve(marks, "opposes" if direction == "supports" else "supports")
        for one, other in self._decisive(ahead, behind, direction):
            self.claim(clause, "more_important_than", one, direction, other=other.part, quote=other.mark.quote)
        return True

    def higher(self, clause: Clause, marks: list[PartMark], direction: Direction) -> bool:
        """Claim that the parts are more important than those that were called important before."""
        behind = [Named(PartMark("", ()), part) for said, part in self.context.high if said == direction]
        ahead = self.resolver.resolve(marks, direction)
        for named in ahead:
            self.claim(clause, direction, named, direction)
        for one, other in self._decisive(ahead, behind, direction):
            if one.part != other.part:
                self.claim(clause, "more_important_than", one, direction, other=other.part)
        return True

    def _side(self, clause: Clause, marks: Sequence[PartMark]) -> Direction:
        """The side that a comparison is about: the side that the clause names, else the side given to its parts before."""
        direction = clause.direction(None)
        if direction == "opposes" or words.POSITIVE.search(clause.head):
            return direction
        against, favouring = self.context.said["opposes"], self.context.said["supports"]
        named = [[part for part in mark.places if against.issuperset(part)] for mark in marks]
        if all(named) and not any(favouring.issuperset(part) for parts in named for part in parts):
            return "opposes"
        return direction

    def _decisive(self, ahead: list[Named], behind: list[Named], direction: Direction) -> list[tuple[Named, Named]]:
        """All pairs of a part ahead and a part behind; if they are very many, only the pairs that decide the comparison."""
        if len(ahead) * len(behind) <= _PAIRS:
            return [(one, other) for one in ahead for other in behind]
        missing = [(ahead[0], named) for named in behind if named.part is None][:1]
        missing += [(named, behind[0]) for named in ahead if named.part is None][:1]
        inside = [[named for named in side if named.part] for side in (ahead, behind)]
        if not all(inside):
            return missing
        toward = self.evidence.toward(direction)
        total = [
            lambda named: float(toward[list(named.part or ())].sum()),
            lambda named: float(toward[list(named.part or ())].max()),
        ]
        return missing + [(min(inside[0], key=measure), max(inside[1], key=measure)) for measure in total]

    # ranks

    def top(self, clause: Clause, marks: Sequence[PartMark], direction: Direction) -> None:
        """Claim that the parts are the most important, alone or together."""
        shared = bool(words.SHARED.search(clause.head))
        named = self.resolver.resolve(marks, direction)
        for one in named:
            self.claim(clause, direction, one, direction)
        together = sorted({index for one in named for index in one.part or ()})
        for one in named:
            others = tuple(index for index in together if index not in (one.part or ())) if len(named) > 1 else ()
            self.claim(clause, "most_important", one, direction, other=others, shared=shared)

    def below_top(self, clause: Clause, marks: Sequence[PartMark]) -> None:
        """Claim that some other part is more important; the claim names the strongest other part."""
        direction = clause.direction(None)
        toward = self.evidence.toward(direction)
        for named in self.resolver.resolve(marks, "least"):
            outside = [index for index in range(len(toward)) if index not in (named.part or ())]
            rival = (
                Named(named.mark, (max(outside, key=lambda index: toward[index]),))
                if outside
                else Named(named.mark, named.part)
            )
            self.claim(clause, "more_important_than", rival, direction, other=named.part, quote=named.mark.quote)

    def at_rank(self, clause: Clause, marks: Sequence[PartMark], direction: Direction, place: int) -> None:
        """Claim rank k: the k - 1 strongest other parts are more important, and no further part is."""
        toward = self.evidence.toward(direction)
        for named in self.resolver.resolve(marks, direction):
            self.claim(clause, direction, named, direction)
            inside = set(named.part or ())
            order = [int(index) for index in np.argsort(-toward, kind="stable") if int(index) not in inside][: place - 1]
            self.claim(clause, "most_important", named, direction, other=tuple(order))
            if len(order) == place - 1 and named.part is not None:
                self.claim(
                    clause,
                    "more_important_than",
                    Named(named.mark, (order[-1],)),
                    direction,
                    other=named.part,
                    quote=named.mark.quote,
                )

    # parts by themselves

    def say(self, clause: Clause, kind: ClaimKind, marks: Sequence[PartMark], direction: Direction) -> bool:
        """Claim that each part speaks in this direction."""
        for place, mark in enumerate(marks):
            number = mark.number
            aim: Aim = "number" if number and not number.percent else direction
            for named in self.resolver.resolve([mark], aim, number.value if number else 0.0, fresh=not place):
                self.claim(clause, kind, named, None)
        return True

    def unimportant(self, clause: Clause, marks: list[PartMark]) -> bool:
        """Claim that each part holds next to none of the evidence."""
        for named in self.resolver.resolve(marks, "least"):
            if self.evidence.total("absolute") == 0:
                self.claim(clause, "no_clear_evidence", Named(named.mark, ()), None)
            else:
                most = max(_UNIMPORTANT, 1.0 / max(1, len(self.evidence)) * len(named.part or (0,)))
                self.claim(clause, "share", named, None, value=0.0, tolerance=most, of="absolute")
        return True

    def only(self, marks: Sequence[PartMark], direction: Direction) -> None:
        """Claim that these parts together hold all of the evidence on their side."""
        named = self.resolver.resolve(marks, direction)
        part = None if any(one.part is None for one in named) else tuple(i for one in named for i in one.part or ())
        of: ShareOf = "negative" if direction == "opposes" else "positive"
        quote = ", ".join(mark.quote for mark in marks)
        self.claims.append(Claim("share", part, value=1.0, tolerance=0.005, of=of, quote=quote))

    def nothing_of(self, clause: Clause, marks: list[PartMark], of: ShareOf) -> bool:
        """Claim that each part holds none of the evidence on one side."""
        aim: Aim = "opposes" if of == "positive" else "supports"
        for named in self.resolver.resolve(marks, aim):
            if self.evidence.total(of) == 0 and named.part is not None:
                direction: Direction = "supports" if of == "positive" else "opposes"
                self.claim(clause, "no_clear_evidence", Named(named.mark, ()), direction)
            else:
                self.claim(clause, "share", named, None, value=0.0, of=of, labelled=True)
        return True

    # numbers

    def beside(self, mark: PartMark, direction: Direction, signless: bool = False) -> bool:
        """Claim the number that is written in brackets after a part; return whether there is one."""
        if mark.number is None:
            return False
        of: ShareOf = ("negative" if direction == "opposes" else "positive") if mark.number.percent else "score"
        self.share([mark], mark.number, of, direction if mark.number.percent and not signless else "number")
        return True

    def numbered(self, clause: Clause, characters: list[str], direction: Direction) -> bool:
        """Claim the numbers that the clause gives for its parts; return whether there are any."""
        text = clause.text
        found = [c for c in NUMBERS.findall(text) if c not in self.numbers]
        marks = [mark for c in characters for mark in self.marks(c)]
        meant: list[tuple[str, Number, ShareOf]] = []
        for character in found:
            number = self.marked.number_of(character)
            position = text.find(character)
            of = share_of(text[:position], text[position + 1 :], number, direction)
            if of is not None:
                meant.append((character, number, of))
        if not meant or not marks:
            return False
        self.numbers.update(character for character, _, _ in meant)
        if len(meant) == len(marks):
            for mark, (_, number, of) in zip(marks, meant, strict=True):
                self.share([mark], number, of, "number")
        elif len(meant) == 1 and (_EACH.search(text) or meant[0][2] == "score"):
            for mark in marks:
                self.share([mark], meant[0][1], meant[0][2], "number")
        elif len(meant) == 1:
            self.share(marks, meant[0][1], meant[0][2], direction)
        else:
            self.partial = True
        return True

    def share(self, marks: Sequence[PartMark], number: Number, of: ShareOf, aim: Aim) -> None:
        """Claim that the parts together hold this share of the evidence, or have this net score."""
        bound = self.evidence.total("absolute") or 1.0
        value, tolerance = number.within(0.0, 1.0) if of != "score" else number.within(-bound, bound)
        named = self.resolver.resolve(marks, aim, value, of)
        part = None if any(one.part is None for one in named) else tuple(i for one in named for i in one.part or ())
        quote = ", ".join(mark.quote for mark in marks)
        self.claims.append(Claim("share", part, value=value, tolerance=tolerance, of=of, quote=quote))

    # claims

    def claim(
        self, clause: Clause, kind: ClaimKind, named: Named, direction: Direction | None, *, other: Part | None = (),
        shared: bool = False, quote: str | None = None, value: float | None = None, tolerance: float = 0.0,
        of: ShareOf = "positive", labelled: bool = True,
    ) -> None:  # fmt: skip
        """Add a claim, and remember on which side it places its part."""
        label, versus = self.label_in(clause.text) if labelled else (None, None)
        stated = None if kind in ("supports", "opposes", "share") else direction
        self.claims.append(
            Claim(
                kind, named.part, other=other, direction=stated, value=value, tolerance=tolerance, of=of,
                label=None if kind == "share" and of == "absolute" else label, versus=versus, shared=shared,
                quote=quote if quote is not None else named.mark.quote or None,
            )
        )  # fmt: skip
        if named.part and kind in ("supports", "opposes"):
            self.context.said["supports" if kind == "supports" else "opposes"].update(named.part)
            entry: tuple[Direction, Part] = ("supports" if kind == "supports" else "opposes", named.part)
            if entry not in self.context.high[-32:]:
                self.context.high.append(entry)

    def label_in(self, text: str) -> tuple[str | None, tuple[str, ...] | None]:
        """The label that a clause names (else that of the sentence), and the labels that it is contrasted with."""
        query = self.evidence.query
        against = _VERSUS.search(text)
        versus = None
        if against:
            names = [self.marked.label_of(character).name for character in LABELS.findall(against["list"])]
            versus = tuple(name for name in names if name) or None
        plain = text[: against.start()] + text[against.end() :] if against else text
        found = LABELS.search(plain)
        mark = self.marked.label_of(found.group()) if found else self.label
        if mark is None or mark.name is None:
            return None, versus
        if mark.predicted and query.contrastive and mark.name.casefold() == query.label.casefold():
            return None, None
        return mark.name, versus

    def remember(self, first: list[PartMark]) -> None:
        """Remember the parts that "it" and "this word" mean in later clauses."""
        if first and first != self.context.last:
            self.context.last = [*first]


def _quoted(one: Named, other: Named) -> str | None:
    return (other if other.part is None else one).mark.quote or None
