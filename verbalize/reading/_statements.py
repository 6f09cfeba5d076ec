"""What a marked sentence says of a map, as claims."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from verbalize.claims import Claim
from verbalize.reading import _lexicon as words
from verbalize.reading._marks import L, LabelMark, Marked, N, P, PartMark
from verbalize.reading._resolve import Named, Resolver
from verbalize.reading._segments import segments_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.claims import ClaimKind, Direction, ShareOf
    from verbalize.evidence import Evidence
    from verbalize.reading._numbers import Number
    from verbalize.reading._resolve import Aim
    from verbalize.saliency import Part

_PARTS, _LABELS, _NUMBERS = re.compile(P), re.compile(L), re.compile(N)
_PAIRS = 64  # more pairs than this in a comparison of lists, and only the two that decide it are claimed
_UNIMPORTANT = 0.05  # "not important" is false of a part that holds more of all evidence (or more than an even share of it)
_LONGEST = 2_000  # characters, quotations counted as one: a longer sentence is not read
_VERSUS = re.compile(
    rf"(?:rather than|instead of|as opposed to|versus|vs\.?|over|and not) (?:the )?(?P<list>{L}(?:(?:, | or |, or | and ){L})*)"
)
_MEMBERS = re.compile(rf" ?\((?:{L}(?:, | or |, or )?)+\)| ?\({N} classes\)")
_REST = re.compile(
    rf"\b(?:the rest of the (?:text|picture|image|words)|the (?:other|remaining) words)\b.{{0,80}}?(?P<number>{N}) of (?:the|all) (?:\w+ )?(?:evidence|importance)"
)
_BALANCE = re.compile(
    rf"\bof all the evidence in the (?:text|picture|image).{{0,40}}?(?P<number>{N}) speaks? (?P<side>for|against)\b"
)
_NO_CLAIM = re.compile(r"\b(?:take|takes) no side|cancels? (?:each other )?out|no region as a whole speaks")
_EXCEPT = re.compile(rf"\b(?:than|except|apart from|besides|other than|aside from|but) (?:for )?(?:the )?(?:\w+ )?{P}")
_SHARE_OF = re.compile(
    r"^,? ?(?:of|in) (?:(?P<all>all (?:of )?(?:the )?|the (?:total|overall|whole|entire|absolute) )|the |its )?(?P<kind>positive |supporting |negative |opposing )?"
    r"(?P<noun>evidence|importance|attribution|saliency|weight|mass|support|opposition|score|explanation|decision|prediction|influence|relevance)"
    r"(?P<side> (?:speaking |that speaks )?(?:for|against|in favou?r))?"
)
_SCORE_BEFORE = re.compile(
    r"(?:scor\w*|importances?|weights?|values?|attributions?|relevance|salienc\w+|at)(?: (?:score|scores|value|weight|that|which|is|are|was|of|at|a|an|only|just|the|for|around|with|being|equals?|stands|as|high|low|to|and))*(?: ?[:=(] ?| )$"
)
_EACH = re.compile(r"\beach\b|\brespectively\b|\bapiece\b|\bboth\b")


@dataclass
class Context:
    """What earlier sentences have said that later ones lean on."""

    last: list[PartMark] = field(default_factory=list)
    high: list[tuple[Direction, Part]] = field(default_factory=list)
    said: dict[Direction, set[int]] = field(default_factory=lambda: {"supports": set(), "opposes": set()})


@dataclass
class Reading:
    """The claims of a sentence, and whether it says more of the map than was read."""

    claims: list[Claim] = field(default_factory=list)
    unread: bool = False


class SentenceReader:
    """Reads the marked sentences of one text in their order."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.resolver = Resolver(evidence)
        self.context = Context()

    def read(self, marked: Marked) -> Reading:
        """The claims of the next sentence."""
        text = _MEMBERS.sub("", marked.text)
        if len(text) > _LONGEST:
            return Reading(unread=True)
        sentence = _Sentence(marked, self.evidence, self.resolver, self.context)
        sentence.read(text)
        claims = list(dict.fromkeys(sentence.claims))
        vocabulary = bool(words.VOCABULARY.search(text)) and not _NO_CLAIM.search(text)
        pending = set(_PARTS.findall(text)) - sentence.claimed
        numbers = {character for character in _NUMBERS.findall(text) if marked.number_of(character).exact} - sentence.numbers
        unread = bool(pending) or bool(numbers) or sentence.partial or (not claims and vocabulary)
        return Reading(claims, unread)


@dataclass
class _Sentence:
    marked: Marked
    evidence: Evidence
    resolver: Resolver
    context: Context
    claims: list[Claim] = field(default_factory=list)
    claimed: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    partial: bool = False
    waiting: list[tuple[_Clause, list[PartMark], bool]] = field(default_factory=list)
    label: LabelMark | None = None
    versus: tuple[str, ...] | None = None

    def read(self, text: str) -> None:
        if self._whole_map(text):
            return
        frame = words.OUTER_FRAME.match(text)
        framed = bool(frame and not _PARTS.search(frame.group()))
        if frame and framed:
            found = _LABELS.search(frame.group())
            self.label = self.marked.label_of(found.group()) if found else None
            text = text[frame.start("reason") :]
        reason = framed
        for segment in segments_of(text):
            self._segment(segment, reason)
            reason = reason and not _PARTS.search(segment)
        self._settle()

    # statements about the whole map

    def _whole_map(self, text: str) -> bool:
        for pattern in (_REST, _BALANCE):
            match = pattern.search(text)
            if match:
                side: Direction = "opposes" if re.search(r"\bagainst\b", text[match.end("number") :]) else "supports"
                self._rest_or_balance(pattern is _REST, side, match["number"])
                return True
        match = words.NOTHING.search(text)
        if (
            match is None
            or _NO_CLAIM.search(text)
            or (_PARTS.search(text) and not re.match(r"[^,;:]*[:;]", text[match.end() :]))
        ):
            return False
        if re.search(
            r"\b(?:more|higher|greater|stronger|except|other than|apart from|besides|as much)\b", text[match.end() :]
        ) and _PARTS.search(text):
            return False
        verb = match["verb"] or match["verb2"] or match["verb3"] or match.group()
        direction: Direction | None = None
        if re.search(r"against|oppos|away", verb):
            direction = "opposes"
        elif match["verb3"] or re.search(r"\bfor\b|support|contribut|point|favou?r", verb):
            direction = "supports"
        elif match["verb"] is None and match["verb2"] is None and re.search(r"evidence|support|argument|reason", match.group()):
            direction = "opposes" if "negative" in match.group() else "supports" if "positive" in match.group() else None
        label, versus = self._label(text)
        self.claims.append(Claim("no_clear_evidence", direction=direction, label=label, versus=versus))
        return True

    def _rest_or_balance(self, rest: bool, side: Direction, character: str) -> None:
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

    # one clause

    def _segment(self, text: str, reason: bool) -> None:
        found = list(dict.fromkeys(_PARTS.findall(text)))
        if not found:
            self._anaphor(text)
            return
        clause = _Clause(text, head_of(text))
        self._compare(clause, found) or self._rank(clause, found) or self._plain(clause, found, reason)
        if words.AS_AS.search(text) and not words.TOP.search(text) and not words.NOT_AS.search(text):
            self.partial = True

    def _anaphor(self, text: str) -> None:
        head = head_of(text)
        bare = words.CONSEQUENCE.search(text)
        if bare and bare.start() < 60 and words.ANAPHOR.match(text) and not words.GIVEN.search(text[: bare.start()]):
            added = words.ADDED.search(text)
            head = text[: bare.start()] + (f" {added.group()}" if added else "")
        consequence = words.CONSEQUENCE.search(text)
        match = words.ANAPHOR.search(text[: consequence.start()] if consequence and consequence.start() > 12 else text)
        numbers = [c for c in _NUMBERS.findall(text) if self.marked.number_of(c).exact]
        comparative = bool(
            re.match(
                r"\W*(?:and |but |is |are |was |were |which )*(?:ranked |ranks |scores )?(?:more|higher|less|lower|stronger|weaker|ahead|behind)\b",
                text,
            )
        )
        if not self.context.last or not (match or comparative):
            self.partial |= bool(numbers)
            return
        strong = (
            words.TOP.search(head)
            or words.OPPOSE.search(head)
            or words.UNIMPORTANT.search(head)
            or words.LOW.search(head)
            or words.WEAK.search(text)
            or (words.SUPPORT.search(head) and not re.match(r".{0,40}?(?:associated|related|commonly|typically)", head))
        )
        if not strong and not (numbers and words.GIVEN.search(head)):
            return
        character = self.marked.part(self.context.last[0])
        members = [ord(character) - 0xF0000]
        members += [ord(self.marked.part(mark)) - 0xF0000 for mark in self.context.last[1:]]
        if len(members) > 1:
            self.marked.groups[character] = tuple(members)
        self._segment(f"{character} {text[match.end() :] if match else text}", reason=False)

    def _marks(self, character: str) -> list[PartMark]:
        return [self.marked.parts[index] for index in self.marked.members(character)]

    # comparisons

    def _compare(self, clause: _Clause, found: list[str]) -> bool:
        text = clause.text
        for pattern, ahead in (
            (words.NOT_AS, False),
            (words.MORE_THAN, True),
            (words.LESS_THAN, False),
            (words.BEATEN, False),
            (words.BEATS, True),
        ):
            match = pattern.search(text)
            if match is None or (pattern is words.MORE_THAN and re.match(r"more than any", match.group())):
                continue
            other = match["object"]
            before = [c for c in found if c != other and text.find(c) < match.start()]
            after = [c for c in found if c != other and text.find(c) > match.end() - 1]
            subject = before[-1] if before else after[0] if after else None
            if (
                subject is None
                and pattern is words.MORE_THAN
                and re.search(r"(?<!no )(?<!not )\b(?:other|others|another|some|several|many)\b", text[: match.start()])
            ):
                self.claimed.add(other)
                self._below_top(clause, self._marks(other))
                return True
            marks = self._marks(subject) if subject else list(self.context.last)
            if not marks:
                return False
            negated = pattern is not words.NOT_AS and bool(re.search(rf"{words.NOT}[\w', ]{{0,30}}$", text[: match.start()]))
            self.claimed.update(c for c in (subject, other) if c and _PARTS.match(c))
            if not _PARTS.match(other):
                self._against_rest(clause, marks, ahead=ahead != negated)
                return True
            if match.group().startswith(("followed", "followed closely")):
                self._chain(clause, subject, marks, self._marks(other))
                return True
            first, second = (marks, self._marks(other)) if ahead != negated else (self._marks(other), marks)
            self._pairs(clause, first, second)
            self._numbered(clause, [c for c in (subject, other) if c], clause.direction(subject or other))
            return True
        match = words.COMPARED.search(text)
        if match and len(found) > 1 and (words.PREFERRED.search(text) or words.LOW.search(text)):
            other = match["object"]
            subject = next(c for c in found if c != other)
            self.claimed |= {other, subject}
            lower = bool(words.LOW.search(text)) and not words.PREFERRED.search(text)
            pair = (self._marks(other), self._marks(subject)) if lower else (self._marks(subject), self._marks(other))
            self._pairs(clause, *pair)
            return True
        return False

    def _against_rest(self, clause: _Clause, marks: list[PartMark], *, ahead: bool) -> None:
        if ahead:
            self._top(clause, marks, clause.direction(None))
        else:
            self._below_top(clause, marks)

    def _chain(self, clause: _Clause, subject: str | None, marks: list[PartMark], others: list[PartMark]) -> None:
        direction = clause.direction(subject)
        if subject and words.TOP.search(clause.text):
            self._top(clause, marks, direction)
        else:
            self._say(clause, direction, marks, direction)
        self._say(clause, direction, others, direction)
        chain = [named for mark in [*marks[-1:], *others] for named in self.resolver.resolve([mark], direction)]
        for ahead, behind in pairwise(chain):
            self._claim(clause, "more_important_than", ahead, direction, other=behind.part, quote=_quoted(ahead, behind))
        for mark in [*marks, *others]:
            self._beside(mark, direction)
        self._numbered(clause, [], direction)
        self._remember(marks)

    def _pairs(self, clause: _Clause, first: Sequence[PartMark], second: Sequence[PartMark]) -> None:
        direction = self._side(clause, first)
        ahead = self.resolver.resolve(first, direction)
        behind = self.resolver.resolve(second, "opposes" if direction == "supports" else "supports")
        for one, other in self._decisive(ahead, behind, direction):
            self._claim(clause, "more_important_than", one, direction, other=other.part, quote=_quoted(one, other))
        for mark in (*first, *second):
            self._beside(mark, direction)
        self._remember(list(first))

    def _side(self, clause: _Clause, marks: Sequence[PartMark]) -> Direction:
        """The side that a comparison is about: the clause's, else the one that its parts were said to be on."""
        direction = clause.direction(None)
        if direction == "opposes" or words.POSITIVE.search(clause.head):
            return direction
        against, favouring = self.context.said["opposes"], self.context.said["supports"]
        named = [[part for part in mark.places if against.issuperset(part)] for mark in marks]
        if all(named) and not any(favouring.issuperset(part) for parts in named for part in parts):
            return "opposes"
        return direction

    def _decisive(self, ahead: list[Named], behind: list[Named], direction: Direction) -> list[tuple[Named, Named]]:
        """Each part of the first list is ahead of each of the second. Of very many pairs, the two that decide it."""
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

    def _rank(self, clause: _Clause, found: list[str]) -> bool:
        text = clause.head
        ranked = words.RANKED.search(text)
        top = words.TOP.search(text)
        if ranked is None and top is None:
            return False
        character = self._nearest(text, found, (ranked or top).start()) if (ranked or top) else found[0]  # type: ignore[union-attr]
        direction = clause.direction(character)
        marks = self._marks(character)
        self.claimed.add(character)
        if ranked is not None:
            place = words.PLACES.get(ranked["place"] or ranked["at"] or "second", 2)
            self._at_rank(clause, marks, direction, place)
        elif words.NEGATED_TOP.search(text) and not re.search(
            r"\bno (?:other )?(?:word|part|token|region|phrase)|\bnothing\b", text
        ):
            self._below_top(clause, marks)
        else:
            self._top(clause, marks, direction)
        self._numbered(clause, [character], direction)
        for mark in marks:
            self._beside(mark, direction)
        self._remember(marks)
        rest = [c for c in found if c != character]
        if rest:
            self._plain(clause, rest, reason=False, ranked=True)
        return True

    def _nearest(self, text: str, found: list[str], position: int) -> str:
        """The part a superlative belongs to: its subject where there is one before it, else the next."""
        inside = [c for c in found if c in text] or found
        before = [c for c in inside if 0 <= text.find(c) < position]
        return before[-1] if before else inside[0]

    def _top(self, clause: _Clause, marks: Sequence[PartMark], direction: Direction) -> None:
        shared = bool(words.SHARED.search(clause.head))
        named = self.resolver.resolve(marks, direction)
        for one in named:
            self._claim(clause, direction, one, direction)
        together = sorted({index for one in named for index in one.part or ()})
        for one in named:
            others = tuple(index for index in together if index not in (one.part or ())) if len(named) > 1 else ()
            self._claim(clause, "most_important", one, direction, other=others, shared=shared)

    def _below_top(self, clause: _Clause, marks: Sequence[PartMark]) -> None:
        """Something else is more important: the strongest part outside is named as that something."""
        direction = clause.direction(None)
        toward = self.evidence.toward(direction)
        for named in self.resolver.resolve(marks, "least"):
            outside = [index for index in range(len(toward)) if index not in (named.part or ())]
            rival = (
                Named(named.mark, (max(outside, key=lambda index: toward[index]),))
                if outside
                else Named(named.mark, named.part)
            )
            self._claim(clause, "more_important_than", rival, direction, other=named.part, quote=named.mark.quote)

    def _at_rank(self, clause: _Clause, marks: Sequence[PartMark], direction: Direction, place: int) -> None:
        """Rank k: the most important but for the k - 1 strongest others, and less important than the last of those."""
        toward = self.evidence.toward(direction)
        for named in self.resolver.resolve(marks, direction):
            self._claim(clause, direction, named, direction)
            inside = set(named.part or ())
            order = [int(index) for index in np.argsort(-toward, kind="stable") if int(index) not in inside][: place - 1]
            self._claim(clause, "most_important", named, direction, other=tuple(order))
            if len(order) == place - 1 and named.part is not None:
                self._claim(
                    clause,
                    "more_important_than",
                    Named(named.mark, (order[-1],)),
                    direction,
                    other=named.part,
                    quote=named.mark.quote,
                )

    # plain statements

    def _plain(self, clause: _Clause, found: list[str], reason: bool, ranked: bool = False) -> bool:
        if ranked and not (words.SUPPORT.search(clause.head) or words.OPPOSE.search(clause.head)):
            return False
        for character in found:
            marks = self._marks(character)
            said = self._one(clause, character, marks, reason)
            direction = clause.direction(character)
            numbers = self._numbered(clause, [character], direction) if character == found[-1] or len(found) == 1 else False
            beside = [self._beside(mark, direction, signless=not said) for mark in marks]
            if said or numbers or (beside and all(beside)):
                self.claimed.add(character)
                self._remember(marks)
        return True

    def _one(self, clause: _Clause, character: str, marks: list[PartMark], reason: bool) -> bool:
        head, text = clause.head, clause.text
        direction = clause.direction(character)
        higher = re.search(
            rf"\b(?:even )?(?:more (?:{words.IMPORTANT})|(?:higher|greater|stronger) (?:\w+ ){{0,2}}{words.SCORE})", head
        )
        if words.BOTTOM.search(head) or (words.LOW.search(head) and not words.OPPOSE.search(head)):
            if self.context.high:
                return self._lower(clause, marks)
            self.waiting.append((clause, marks, bool(re.search(r"\b(?:less|lower|lesser|smaller|weaker)\b", head))))
            return True
        if higher and self.context.high and not re.search(r"\balso\b", head):
            return self._higher(clause, marks, direction)
        if words.NEGATED_OPPOSE.search(head):
            return self._nothing_of(clause, marks, "negative")
        if _nearer(words.UNIMPORTANT, words.OPPOSE, head, character):
            return self._unimportant(clause, marks)
        if words.NEGATED_SUPPORT.search(head):
            return self._nothing_of(clause, marks, "positive")
        if words.ONLY.search(head):
            self._only(marks, direction)
        if words.OPPOSE.search(head):
            self.partial |= bool(words.RANKISH.search(head))
            return self._say(clause, direction, marks, direction)
        if words.SUPPORT.search(head) or words.WEAK.search(text) or reason:
            self.partial |= bool(words.RANKISH.search(head))
            return self._say(clause, direction, marks, direction)
        return False

    def _say(self, clause: _Clause, kind: ClaimKind, marks: Sequence[PartMark], direction: Direction) -> bool:
        for place, mark in enumerate(marks):
            number = mark.number
            aim: Aim = "number" if number and not number.percent else direction
            for named in self.resolver.resolve([mark], aim, number.value if number else 0.0, fresh=not place):
                self._claim(clause, kind, named, None)
        return True

    def _settle(self) -> None:
        """Settle "although 'a' is less important, 'b' ...": less than what was called important after it, else than anything."""
        for clause, marks, comparative in self.waiting:
            if self.context.high:
                self._lower(clause, marks)
            elif comparative:
                self._below_top(clause, marks)
            else:
                self._unimportant(clause, marks)

    def _lower(self, clause: _Clause, marks: list[PartMark]) -> bool:
        direction = self.context.high[-1][0]
        ahead = [Named(PartMark("", ()), part) for said, part in self.context.high if said == direction]
        behind = self.resolver.resolve(marks, "opposes" if direction == "supports" else "supports")
        for one, other in self._decisive(ahead, behind, direction):
            self._claim(clause, "more_important_than", one, direction, other=other.part, quote=other.mark.quote)
        return True

    def _higher(self, clause: _Clause, marks: list[PartMark], direction: Direction) -> bool:
        behind = [Named(PartMark("", ()), part) for said, part in self.context.high if said == direction]
        ahead = self.resolver.resolve(marks, direction)
        for named in ahead:
            self._claim(clause, direction, named, direction)
        for one, other in self._decisive(ahead, behind, direction):
            if one.part != other.part:
                self._claim(clause, "more_important_than", one, direction, other=other.part)
        return True

    def _unimportant(self, clause: _Clause, marks: list[PartMark]) -> bool:
        for named in self.resolver.resolve(marks, "least"):
            if self.evidence.total("absolute") == 0:
                self._claim(clause, "no_clear_evidence", Named(named.mark, ()), None)
            else:
                most = max(_UNIMPORTANT, 1.0 / max(1, len(self.evidence)) * len(named.part or (0,)))
                self._claim(clause, "share", named, None, value=0.0, tolerance=most, of="absolute")
        return True

    def _only(self, marks: Sequence[PartMark], direction: Direction) -> None:
        """Only these: they hold all of the evidence on their side."""
        named = self.resolver.resolve(marks, direction)
        part = None if any(one.part is None for one in named) else tuple(i for one in named for i in one.part or ())
        of: ShareOf = "negative" if direction == "opposes" else "positive"
        quote = ", ".join(mark.quote for mark in marks)
        self.claims.append(Claim("share", part, value=1.0, tolerance=0.005, of=of, quote=quote))

    def _nothing_of(self, clause: _Clause, marks: list[PartMark], of: ShareOf) -> bool:
        aim: Aim = "opposes" if of == "positive" else "supports"
        for named in self.resolver.resolve(marks, aim):
            if self.evidence.total(of) == 0 and named.part is not None:
                direction: Direction = "supports" if of == "positive" else "opposes"
                self._claim(clause, "no_clear_evidence", Named(named.mark, ()), direction)
            else:
                self._claim(clause, "share", named, None, value=0.0, of=of, labelled=True)
        return True

    # numbers

    def _beside(self, mark: PartMark, direction: Direction, signless: bool = False) -> bool:
        """The number written in brackets after a part."""
        if mark.number is None:
            return False
        of: ShareOf = ("negative" if direction == "opposes" else "positive") if mark.number.percent else "score"
        self._share([mark], mark.number, of, direction if mark.number.percent and not signless else "number")
        return True

    def _numbered(self, clause: _Clause, characters: list[str], direction: Direction) -> bool:
        """Numbers that the clause gives for its parts."""
        text = clause.text
        found = [c for c in _NUMBERS.findall(text) if c not in self.numbers]
        marks = [mark for c in characters for mark in self._marks(c)]
        meant: list[tuple[str, Number, ShareOf]] = []
        for character in found:
            number = self.marked.number_of(character)
            position = text.find(character)
            of = self._of(text[:position], text[position + 1 :], number, direction)
            if of is not None:
                meant.append((character, number, of))
        if not meant or not marks:
            return False
        self.numbers.update(character for character, _, _ in meant)
        if len(meant) == len(marks):
            for mark, (_, number, of) in zip(marks, meant, strict=True):
                self._share([mark], number, of, "number")
        elif len(meant) == 1 and (_EACH.search(text) or meant[0][2] == "score"):
            for mark in marks:
                self._share([mark], meant[0][1], meant[0][2], "number")
        elif len(meant) == 1:
            self._share(marks, meant[0][1], meant[0][2], direction)
        else:
            self.partial = True
        return True

    def _of(self, before: str, after: str, number: Number, direction: Direction) -> ShareOf | None:
        sided: ShareOf = "negative" if direction == "opposes" else "positive"
        match = _SHARE_OF.match(after)
        if match:
            side, kind = match["side"] or "", match["kind"] or ""
            if "against" in side or kind.strip() in ("negative", "opposing") or match["noun"] == "opposition":
                return "negative"
            if side or kind or match["noun"] == "support":
                return "positive"
            return "absolute" if match["all"] or match["noun"] not in ("evidence", "explanation") else sided
        if number.percent:
            return sided if number.exact or words.GIVEN.search(before) else None
        if _SCORE_BEFORE.search(before) or re.match(r" (?:importance|saliency|attribution|score)", after):
            return "score"
        if re.search(r"[(\[] ?$", before):
            return "score"
        return "score" if number.exact and words.GIVEN.search(before + after) else None

    def _share(self, marks: Sequence[PartMark], number: Number, of: ShareOf, aim: Aim) -> None:
        bound = self.evidence.total("absolute") or 1.0
        value, tolerance = number.within(0.0, 1.0) if of != "score" else number.within(-bound, bound)
        named = self.resolver.resolve(marks, aim, value, of)
        part = None if any(one.part is None for one in named) else tuple(i for one in named for i in one.part or ())
        quote = ", ".join(mark.quote for mark in marks)
        self.claims.append(Claim("share", part, value=value, tolerance=tolerance, of=of, quote=quote))

    # claims

    def _claim(
        self, clause: _Clause, kind: ClaimKind, named: Named, direction: Direction | None, *, other: Part | None = (),
        shared: bool = False, quote: str | None = None, value: float | None = None, tolerance: float = 0.0,
        of: ShareOf = "positive", labelled: bool = True,
    ) -> None:  # fmt: skip
        label, versus = self._label(clause.text) if labelled else (None, None)
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

    def _label(self, text: str) -> tuple[str | None, tuple[str, ...] | None]:
        query = self.evidence.query
        against = _VERSUS.search(text)
        versus = None
        if against:
            names = [self.marked.label_of(character).name for character in _LABELS.findall(against["list"])]
            versus = tuple(name for name in names if name) or None
        plain = text[: against.start()] + text[against.end() :] if against else text
        found = _LABELS.search(plain)
        mark = self.marked.label_of(found.group()) if found else self.label
        if mark is None or mark.name is None:
            return None, versus
        if mark.predicted and query.contrastive and mark.name.casefold() == query.label.casefold():
            return None, None
        return mark.name, versus

    def _remember(self, first: list[PartMark]) -> None:
        if first and first != self.context.last:
            self.context.last = [*first]


@dataclass(frozen=True)
class _Clause:
    """A clause, and its head: what comes before ", indicating that ..."."""

    text: str
    head: str

    def direction(self, character: str | None) -> Direction:
        """The side a part is said to be on: the nearest word for it decides where there are both."""
        return "opposes" if _nearer(words.OPPOSE, words.POSITIVE, self.head, character) else "supports"


def head_of(text: str) -> str:
    """The clause without what follows from it, where it says something by itself."""
    match = words.CONSEQUENCE.search(text)
    if match is None or not _PARTS.search(text[: match.start()]):
        return text
    head, rest = text[: match.start()], text[match.end() :]
    if words.TOP_AFTER.search(rest):
        return text
    if words.SUPPORT.search(head) or words.OPPOSE.search(head) or words.GIVEN.search(head):
        return head
    if words.WEAK.search(text) or (not match.group().endswith("that") and words.GIVEN.search(rest)):
        return text
    added = words.ADDED.search(rest)  # "suggests that the film is funny": an association, no statement about the map
    return f"{head} {added.group()}" if added else head


def _nearer(one: re.Pattern[str], other: re.Pattern[str], text: str, character: str | None) -> bool:
    """Whether `one` matches, and nearer to the part than `other` does; without a part, whether it matches first."""
    place = max(0, text.find(character)) if character else 0
    gaps = [
        min((max(match.start() - place, place - match.end()) for match in pattern.finditer(text)), default=None)
        for pattern in (one, other)
    ]
    return gaps[0] is not None and (gaps[1] is None or gaps[0] < gaps[1])


def _quoted(one: Named, other: Named) -> str | None:
    return (other if other.part is None else one).mark.quote or None
