"""Reads the sentences of a text in their order: each clause by the rule that matches it."""
# ruff: noqa: E501 - some conditions are easier to read on one line

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from verbalize.claims.checking import check_against
from verbalize.read.clause import Clause, Memory, Unclear
from verbalize.read.clauses import segments_of
from verbalize.read.effects.implied import Implied, implied_by, words_of
from verbalize.read.effects.making import EffectReading
from verbalize.read.mentions import mentions_in
from verbalize.read.resolver import Resolver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.claims.claim import Claim, ShareOf
    from verbalize.evidence import Evidence
    from verbalize.read.clauses import Segment
    from verbalize.read.marking.tokens import Token
    from verbalize.read.resolver import Mention

# Words that can turn the truth of what stands beside them: if one is left over, nothing of the sentence counts as said.
_TURNING = frozenset(
    [
        "not",
        "no",
        "never",
        "if",
        "unless",
        "would",
        "could",
        "should",
        "might",
        "may",
        "hardly",
        "barely",
        "scarcely",
        "few",
        "opposite",
        "contrary",
        "false",
        "wrong",
        "untrue",
        "myth",
        "mistaken",
        "doubt",
        "deny",
        "denied",
        "denies",
        "nobody",
        "none",
        "nothing",
        "neither",
        "without",
        "lack",
        "pretend",
        "supposedly",
        "allegedly",
        "were",
        "had",
        "but",
        "only",
        "cannot",
        "reverse",
        "incorrect",
        "claim",
        "claimed",
        "claims",
        "argue",
        "argued",
        "wrongly",
        "as",
        "than",
        "more",
        "rather",
        "instead",
        "unlikely",
        "almost",
        "nor",
        "otherwise",
        "except",
        "less",
        "although",
        "ironically",
        "sarcastically",
        "joke",
        "lie",
        "lies",
        "fail",
        "fails",
        "failed",
    ]
)


_BEFORE_SUBJECT = frozenset({"with a score", "with a share", "with the highest score"})


# A phrase with one of these words, left over at the start of a sentence, narrows what follows ("After 'great', ...").
_NARROWING = frozenset(
    [
        "after",
        "next",
        "beside",
        "besides",
        "among",
        "amongst",
        "of",
        "unlike",
        "without",
        "apart",
        "except",
        "in",
        "on",
        "for",
        "to",
        "with",
        "given",
        "within",
        "aside",
        "behind",
        "when",
        "where",
        "until",
        "once",
        "under",
        "over",
    ]
)


@dataclass
class Reading:
    """The claims of a sentence, the rules that read it, the words that no rule consumed, and what it says of the model besides."""

    claims: list[Claim] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    implied: list[Implied] = field(default_factory=list)


class SentenceReader:
    """Reads the sentences of one text in their order."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.resolver = Resolver(evidence)
        self.memory = Memory()
        self.doubtful = False

    def read(self, tokens: list[Token]) -> Reading:
        """The claims of the next sentence."""
        if tokens and "DASH" in tokens[0].names:
            tokens = tokens[1:]
        elif tokens and "COLON" in tokens[-1].names:
            heading = _read_heading(self, tokens[:-1])
            return heading if heading.rules and not heading.left_over else Reading()
        self.memory.label = None
        self.memory.whole = _whole(tokens)
        return self._read(tokens)

    def aside(self, tokens: Sequence[Token]) -> EffectReading | None:
        """What a clause says, if the rules read it whole; what the reader remembers of earlier sentences stays as it is."""
        before = replace(self.memory, high=list(self.memory.high))
        reading = self.read([*tokens])
        about, self.memory = (self.memory.subject, self.memory.last), before
        if reading.left_over or not reading.claims:
            return None
        about_one = about[0] if about[0] == about[1] else ()
        return EffectReading(tuple(reading.claims), tuple(reading.rules), about_one, tuple(reading.implied))

    def recall(self, claims: Sequence[Claim], subject: tuple[Mention, ...]) -> None:
        """Remember a sentence that was read in another way: its claims, and the parts that it was about."""
        memory = self.memory
        memory.subject = memory.last = subject or memory.subject
        memory.kind, memory.plain, memory.rank = "", False, None
        for claim in claims:
            memory.last_label = claim.label or memory.last_label
            if claim.kind in ("supports", "opposes", "matters", "most_important") and claim.part:
                memory.high.append(claim.part)
                memory.direction = "opposes" if "opposes" in (claim.kind, claim.direction) else "supports"

    def _read(self, tokens: list[Token]) -> Reading:
        reading = Reading()
        waiting: Segment | None = None
        described = False  # whether a tail said something of the subject that waits: "'great', the most important word"
        deferred: Segment | None = None  # "With a score of 2.0, 'great' is ...": said before its subject
        asides: list[str] = []
        tokens, segments = segments_of(tokens)
        for segment in segments:
            words = " ".join(token.text for token in tokens[segment.start : segment.stop])
            if segment.subject == "lonely":
                if waiting is not None:
                    reading.left_over.append(" ".join(token.text for token in tokens[waiting.start : waiting.stop]))
                waiting = segment
                start, stop = segment.spans["subject"][0]
                self.memory.subject = self.memory.last = _try_mentions(tokens, start, stop)
                continue
            if asides and not tokens[segment.start].names & {"BUT", "SEMI", "DASH"} and any(map(_turns, asides)):
                reading.left_over.append(words)
                continue
            if segment.left_over or segment.rule is None:
                if words.strip(" .,;:!?-–—"):
                    reading.left_over.append(words)
                continue
            if segment.because and self.memory.kind != "predicted":
                reading.left_over.append(words)
                continue
            first = waiting is None and deferred is None and not reading.rules and not reading.left_over
            if first and segment.rule.name in _BEFORE_SUBJECT:
                deferred = segment
                continue
            try:
                claims = self._clause(tokens, segment)
            except Unclear:
                self._recall_subject(tokens, segment)
                concludes = reading.rules and any(
                    "INDICATETHAT" in token.names for token in tokens[segment.start : segment.begin]
                )
                (asides if concludes else reading.left_over).append(words)
                continue
            if self.doubtful:  # the claims stand, but the words may mean a place on the other side
                reading.left_over.append(f"{words} (of which place?)")
            described = described or (waiting is not None and segment.rule.scope == "tail" and bool(claims))
            if waiting is not None and (segment.rule.scope == "tail" or segment.subject in ("none", "which")):
                waiting = None if segment.rule.scope != "tail" else waiting
            reading.claims += [claim for claim in claims if claim not in reading.claims]
            reading.implied += self._implied(tokens[segment.start : segment.stop], claims, tokens)
            reading.rules.append(segment.rule.name)
            asides += [" ".join(token.text for token in tokens[start:stop]) for start, stop in segment.spans.get("aside", ())]
            if deferred is not None:
                try:
                    reading.claims += self._clause(tokens, deferred)
                    reading.rules.append(deferred.rule.name if deferred.rule else "")
                    deferred = None
                except Unclear:
                    pass
        if deferred is not None:
            reading.left_over.append(" ".join(token.text for token in tokens[deferred.start : deferred.stop]))
        if waiting is not None and not described and not self._only_numbers(reading):
            reading.left_over.append(" ".join(token.text for token in tokens[waiting.start : waiting.stop]))
        if segments and segments[0].left_over and tokens[0].text.split(" ")[0] in _NARROWING:
            reading.claims.clear()
            reading.implied.clear()
        if any(map(_turns, reading.left_over)):
            reading.claims.clear()
            reading.implied.clear()
        reading.left_over += asides
        return reading

    def _implied(self, tokens: Sequence[Token], claims: Sequence[Claim], sentence: Sequence[Token]) -> tuple[Implied, ...]:
        """What a clause says of the model besides. A word that occurs several times may mean any of its places."""
        mentions = (*self.memory.subject, *_try_mentions(tokens, 0, len(tokens)))
        open_ = {one.quote: one.places for one in mentions if one.ordinal is None and one.times == 1}
        return implied_by(words_of(tokens), claims, open_, len(self.evidence), sentence=words_of(sentence))

    def _only_numbers(self, reading: Reading) -> bool:
        """Whether the last clause is nothing but parts with their scores, as in "'great': 2.0"; reads it if so."""
        if not self.memory.subject or any(mention.number is None for mention in self.memory.subject):
            return False
        clause = Clause((), {}, 0, 0, self.memory.subject, self.evidence, self.resolver, self.memory)
        clause.numbers(self.memory.subject, None)
        reading.claims += clause.claims
        reading.rules.append("part: score")
        return True

    def _recall_subject(self, tokens: Sequence[Token], segment: Segment) -> None:
        """Remember what a clause was about though it can't be read, for a "they" that follows."""
        for start, stop in segment.spans.get("subject", ())[:1]:
            self.memory.subject = self.memory.last = _try_mentions(tokens, start, stop)
            self.memory.direction, self.memory.kind, self.memory.plain, self.memory.rank = None, "", False, None

    def _clause(self, tokens: Sequence[Token], segment: Segment) -> list[Claim]:
        """The claims of a clause. If "it" or "which" may mean several parts, the claims must be as true of each of them."""
        candidates = self._subjects(tokens, segment)
        if segment.subject and not (candidates and candidates[0]):
            raise Unclear
        outcomes: list[tuple[list[Claim], Memory]] = []
        doubtful = False
        before = replace(self.memory, high=list(self.memory.high))
        for subject in candidates or [()]:
            self.memory = replace(before, high=list(before.high))
            clause = Clause(
                tokens, {name: list(spans) for name, spans in segment.spans.items()}, segment.begin, segment.stop, subject,
                self.evidence, self.resolver, self.memory,
            )  # fmt: skip
            if segment.rule is None:
                raise Unclear
            self.resolver.doubtful = False
            segment.rule.claim(clause)
            doubtful = doubtful or (
                self.resolver.doubtful and any(claim.kind in ("supports", "opposes", "share") for claim in clause.claims)
            )
            concludes = any("INDICATETHAT" in token.names for token in tokens[segment.start : segment.begin])
            if concludes and before.direction == "opposes" and clause.memory.direction == "supports":
                raise Unclear  # "have negative scores, indicating that they contribute to the sentiment": to another label, perhaps
            if clause.untold(segment.rule.says):
                raise Unclear
            self._remember(clause)
            outcomes.append((clause.claims, self.memory))
        claims, self.memory = outcomes[0]
        self.doubtful = doubtful
        if len(outcomes) > 1:
            verdicts = {tuple(check_against(made, self.evidence)) for made, _ in outcomes}
            if len({all(verdict) for verdict in verdicts}) > 1:
                self.memory = before
                raise Unclear
        return claims

    def _subjects(self, tokens: Sequence[Token], segment: Segment) -> list[tuple[Mention, ...]]:
        """The parts that the subject of a clause may mean, the likeliest first."""
        if not segment.subject:
            tail = segment.rule is not None and segment.rule.scope == "tail"
            return [tuple(replace(mention, number=None) for mention in self.memory.subject)] if tail else []
        if segment.spans.get("subject"):
            start, stop = segment.spans["subject"][0]
            return [mentions_in(tokens, start, stop)]
        memory = self.memory
        plain = tuple(replace(mention, number=None) for mention in memory.subject)
        last = tuple(replace(mention, number=None) for mention in memory.last)
        if segment.subject in ("former", "latter"):
            pair = memory.last if len(memory.last) >= 2 else memory.subject
            said = [
                token.value
                for start, stop in segment.spans.get("said", ())
                for token in tokens[start:stop]
                if isinstance(token.value, int)
            ]
            place = said[0] if said else 1 if segment.subject == "former" else 2
            if not (len(pair) == 2 or (said and len(pair) > 2)) or not 1 <= place <= len(pair):
                return [()]
            return [(replace(pair[place - 1], number=None),)]
        if segment.subject == "which":
            before = tokens[segment.start - 1].names if segment.start else frozenset()
            if "COMMA" not in tokens[segment.start].names and not before & {"PT", "RP"}:
                return [()]
            found = [last, last[-1:]] if last != plain else [plain, plain[-1:]]
        elif segment.subject == "pronoun":
            word = tokens[_first_word(tokens, segment)].names
            many = bool(word & {"THEY", "THESEWORDS"}) and not word & {"IT"}
            found = [plain, last] if not many else [last if len(last) > 1 else plain, plain if len(plain) > 1 else last]
            if not many:
                found = [group for group in found if len(group) == 1] or [()]
            else:
                found = [group for group in found if len(group) > 1] or [()]
        else:
            found = [plain]
        return list(dict.fromkeys(group for group in found if group)) or [()]

    def _remember(self, clause: Clause) -> None:
        memory = self.memory
        if clause.subject:
            memory.subject = clause.subject
        memory.last = clause.mentions("other") or clause.mentions("part") or clause.subject or memory.last


def _whole(tokens: Sequence[Token]) -> ShareOf | None:
    """The mass that a sentence names with "all the evidence" or "of the importance"."""
    for before, token in pairwise(tokens):
        if "MASSN" in token.names and (
            before.names & {"TOTAL", "ALLOF", "OFALL"}
            or (token.text in ("importance", "attribution", "saliency", "relevance") and before.text == "the")
        ):
            return "absolute"
        if token.names & {"THE", "DET"} and before.text in ("of all", "all of"):
            return "absolute"
    return None


def _turns(words: str) -> bool:
    """Whether words that were left over can turn the truth of what stands beside them."""
    return any(word in _TURNING or "n't" in word for word in words.replace("such as", "").split())


def _read_heading(reader: SentenceReader, tokens: list[Token]) -> Reading:
    """A heading such as "The most important words are" waits for its items; it makes no claim of its own."""
    names = [token.names for token in tokens]
    if any(name & {"QP", "QPL", "QX"} for name in names):
        return reader._read(tokens)  # noqa: SLF001 - the same module
    return Reading()


def _first_word(tokens: Sequence[Token], segment: Segment) -> int:
    for index in range(segment.start, segment.stop):
        if tokens[index].names & {"IT", "THEY", "THISWORD", "THESEWORDS", "ONE"}:
            return index
    return segment.start


def _try_mentions(tokens: Sequence[Token], start: int, stop: int) -> tuple[Mention, ...]:
    try:
        return mentions_in(tokens, start, stop)
    except Unclear:
        return ()
