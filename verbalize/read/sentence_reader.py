"""Recognizes the form of statement that each clause of a marked sentence has."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from verbalize.read.clause import LABELS, NUMBERS, PARTS, Clause, head_of, nearer
from verbalize.read.marking import lexicon as words
from verbalize.read.marking.marks import L, Marked, N, PartMark
from verbalize.read.resolver import Resolver
from verbalize.read.segments import segments_of
from verbalize.read.statements import Context, Statements

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim, Direction
    from verbalize.evidence import Evidence

_LONGEST = 2_000  # characters, where a quotation counts as one; a longer sentence is not read
_MEMBERS = re.compile(rf" ?\((?:{L}(?:, | or |, or )?)+\)| ?\({N} classes\)")
_REST = re.compile(
    rf"\b(?:the rest of the (?:text|picture|image|words)|the (?:other|remaining) words)\b.{{0,80}}?(?P<number>{N}) of (?:the|all) (?:\w+ )?(?:evidence|importance)"
)
_BALANCE = re.compile(
    rf"\bof all the evidence in the (?:text|picture|image).{{0,40}}?(?P<number>{N}) speaks? (?P<side>for|against)\b"
)
_NO_CLAIM = re.compile(r"\b(?:take|takes) no side|cancels? (?:each other )?out|no region as a whole speaks")


@dataclass
class Reading:
    """The claims of a sentence, and whether it says more about the map than was read."""

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
        said = Statements(marked, self.evidence, self.resolver, self.context)
        sentence = _Sentence(marked, said)
        sentence.read(text)
        claims = list(dict.fromkeys(said.claims))
        vocabulary = bool(words.VOCABULARY.search(text)) and not _NO_CLAIM.search(text)
        pending = set(PARTS.findall(text)) - sentence.claimed
        numbers = {character for character in NUMBERS.findall(text) if marked.number_of(character).exact} - said.numbers
        unread = bool(pending) or bool(numbers) or said.partial or (not claims and vocabulary)
        return Reading(claims, unread)


@dataclass
class _Sentence:
    """One marked sentence while it is being read; `said` collects its claims."""

    marked: Marked
    said: Statements
    claimed: set[str] = field(default_factory=set)
    waiting: list[tuple[Clause, list[PartMark], bool]] = field(default_factory=list)

    def read(self, text: str) -> None:
        if self._whole_map(text):
            return
        frame = words.OUTER_FRAME.match(text)
        framed = bool(frame and not PARTS.search(frame.group()))
        if frame and framed:
            found = LABELS.search(frame.group())
            self.said.label = self.marked.label_of(found.group()) if found else None
            text = text[frame.start("reason") :]
        reason = framed
        for segment in segments_of(text):
            self._segment(segment, reason)
            reason = reason and not PARTS.search(segment)
        self._settle()

    # statements about the whole map

    def _whole_map(self, text: str) -> bool:
        for pattern in (_REST, _BALANCE):
            match = pattern.search(text)
            if match:
                side: Direction = "opposes" if re.search(r"\bagainst\b", text[match.end("number") :]) else "supports"
                self.said.rest_or_balance(pattern is _REST, side, match["number"])
                return True
        match = words.NOTHING.search(text)
        if (
            match is None
            or _NO_CLAIM.search(text)
            or (PARTS.search(text) and not re.match(r"[^,;:]*[:;]", text[match.end() :]))
        ):
            return False
        if re.search(
            r"\b(?:more|higher|greater|stronger|except|other than|apart from|besides|as much)\b", text[match.end() :]
        ) and PARTS.search(text):
            return False
        verb = match["verb"] or match["verb2"] or match["verb3"] or match.group()
        direction: Direction | None = None
        if re.search(r"against|oppos|away", verb):
            direction = "opposes"
        elif match["verb3"] or re.search(r"\bfor\b|support|contribut|point|favou?r", verb):
            direction = "supports"
        elif match["verb"] is None and match["verb2"] is None and re.search(r"evidence|support|argument|reason", match.group()):
            direction = "opposes" if "negative" in match.group() else "supports" if "positive" in match.group() else None
        self.said.no_evidence(text, direction)
        return True

    # one clause

    def _segment(self, text: str, reason: bool) -> None:
        found = list(dict.fromkeys(PARTS.findall(text)))
        if not found:
            self._anaphor(text)
            return
        clause = Clause(text, head_of(text))
        self._compare(clause, found) or self._rank(clause, found) or self._plain(clause, found, reason)
        if words.AS_AS.search(text) and not words.TOP.search(text) and not words.NOT_AS.search(text):
            self.said.partial = True

    def _anaphor(self, text: str) -> None:
        head = head_of(text)
        bare = words.CONSEQUENCE.search(text)
        if bare and bare.start() < 60 and words.ANAPHOR.match(text) and not words.GIVEN.search(text[: bare.start()]):
            added = words.ADDED.search(text)
            head = text[: bare.start()] + (f" {added.group()}" if added else "")
        consequence = words.CONSEQUENCE.search(text)
        match = words.ANAPHOR.search(text[: consequence.start()] if consequence and consequence.start() > 12 else text)
        numbers = [c for c in NUMBERS.findall(text) if self.marked.number_of(c).exact]
        comparative = bool(
            re.match(
                r"\W*(?:and |but |is |are |was |were |which )*(?:ranked |ranks |scores )?(?:more|higher|less|lower|stronger|weaker|ahead|behind)\b",
                text,
            )
        )
        if not self.said.context.last or not (match or comparative):
            self.said.partial |= bool(numbers)
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
        character = self.marked.part(self.said.context.last[0])
        members = [ord(character) - 0xF0000]
        members += [ord(self.marked.part(mark)) - 0xF0000 for mark in self.said.context.last[1:]]
        if len(members) > 1:
            self.marked.groups[character] = tuple(members)
        self._segment(f"{character} {text[match.end() :] if match else text}", reason=False)

    # comparisons

    def _compare(self, clause: Clause, found: list[str]) -> bool:
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
                self.said.below_top(clause, self.said.marks(other))
                return True
            marks = self.said.marks(subject) if subject else list(self.said.context.last)
            if not marks:
                return False
            negated = pattern is not words.NOT_AS and bool(re.search(rf"{words.NOT}[\w', ]{{0,30}}$", text[: match.start()]))
            self.claimed.update(c for c in (subject, other) if c and PARTS.match(c))
            if not PARTS.match(other):
                self.said.against_rest(clause, marks, ahead=ahead != negated)
                return True
            if match.group().startswith(("followed", "followed closely")):
                self.said.chain(clause, subject, marks, self.said.marks(other))
                return True
            first, second = (marks, self.said.marks(other)) if ahead != negated else (self.said.marks(other), marks)
            self.said.pairs(clause, first, second)
            self.said.numbered(clause, [c for c in (subject, other) if c], clause.direction(subject or other))
            return True
        match = words.COMPARED.search(text)
        if match and len(found) > 1 and (words.PREFERRED.search(text) or words.LOW.search(text)):
            other = match["object"]
            subject = next(c for c in found if c != other)
            self.claimed |= {other, subject}
            lower = bool(words.LOW.search(text)) and not words.PREFERRED.search(text)
            pair = (
                (self.said.marks(other), self.said.marks(subject))
                if lower
                else (self.said.marks(subject), self.said.marks(other))
            )
            self.said.pairs(clause, *pair)
            return True
        return False

    # ranks

    def _rank(self, clause: Clause, found: list[str]) -> bool:
        text = clause.head
        ranked = words.RANKED.search(text)
        top = words.TOP.search(text)
        if ranked is None and top is None:
            return False
        character = self._nearest(text, found, (ranked or top).start()) if (ranked or top) else found[0]  # type: ignore[union-attr]
        direction = clause.direction(character)
        marks = self.said.marks(character)
        self.claimed.add(character)
        if ranked is not None:
            place = words.PLACES.get(ranked["place"] or ranked["at"] or "second", 2)
            self.said.at_rank(clause, marks, direction, place)
        elif words.NEGATED_TOP.search(text) and not re.search(
            r"\bno (?:other )?(?:word|part|token|region|phrase)|\bnothing\b", text
        ):
            self.said.below_top(clause, marks)
        else:
            self.said.top(clause, marks, direction)
        self.said.numbered(clause, [character], direction)
        for mark in marks:
            self.said.beside(mark, direction)
        self.said.remember(marks)
        rest = [c for c in found if c != character]
        if rest:
            self._plain(clause, rest, reason=False, ranked=True)
        return True

    def _nearest(self, text: str, found: list[str], position: int) -> str:
        """The part that a superlative is about: its subject, if one stands before it, else the next part."""
        inside = [c for c in found if c in text] or found
        before = [c for c in inside if 0 <= text.find(c) < position]
        return before[-1] if before else inside[0]

    # plain statements

    def _plain(self, clause: Clause, found: list[str], reason: bool, ranked: bool = False) -> bool:
        if ranked and not (words.SUPPORT.search(clause.head) or words.OPPOSE.search(clause.head)):
            return False
        for character in found:
            marks = self.said.marks(character)
            said = self._one(clause, character, marks, reason)
            direction = clause.direction(character)
            numbers = self.said.numbered(clause, [character], direction) if character == found[-1] or len(found) == 1 else False
            beside = [self.said.beside(mark, direction, signless=not said) for mark in marks]
            if said or numbers or (beside and all(beside)):
                self.claimed.add(character)
                self.said.remember(marks)
        return True

    def _one(self, clause: Clause, character: str, marks: list[PartMark], reason: bool) -> bool:
        head, text = clause.head, clause.text
        direction = clause.direction(character)
        higher = re.search(
            rf"\b(?:even )?(?:more (?:{words.IMPORTANT})|(?:higher|greater|stronger) (?:\w+ ){{0,2}}{words.SCORE})", head
        )
        if words.BOTTOM.search(head) or (words.LOW.search(head) and not words.OPPOSE.search(head)):
            if self.said.context.high:
                return self.said.lower(clause, marks)
            self.waiting.append((clause, marks, bool(re.search(r"\b(?:less|lower|lesser|smaller|weaker)\b", head))))
            return True
        if higher and self.said.context.high and not re.search(r"\balso\b", head):
            return self.said.higher(clause, marks, direction)
        if words.NEGATED_OPPOSE.search(head):
            return self.said.nothing_of(clause, marks, "negative")
        if nearer(words.UNIMPORTANT, words.OPPOSE, head, character):
            return self.said.unimportant(clause, marks)
        if words.NEGATED_SUPPORT.search(head):
            return self.said.nothing_of(clause, marks, "positive")
        if words.ONLY.search(head):
            self.said.only(marks, direction)
        if words.OPPOSE.search(head):
            self.said.partial |= bool(words.RANKISH.search(head))
            return self.said.say(clause, direction, marks, direction)
        if words.SUPPORT.search(head) or words.WEAK.search(text) or reason:
            self.said.partial |= bool(words.RANKISH.search(head))
            return self.said.say(clause, direction, marks, direction)
        return False

    def _settle(self) -> None:
        """Settle "although 'a' is less important, 'b' ...": compare 'a' with the parts called important.

        If none is called important, a comparative claims that some other part is more important than 'a'; other words claim
        that 'a' holds next to none of the evidence.
        """
        for clause, marks, comparative in self.waiting:
            if self.said.context.high:
                self.said.lower(clause, marks)
            elif comparative:
                self.said.below_top(clause, marks)
            else:
                self.said.unimportant(clause, marks)
