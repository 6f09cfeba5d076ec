"""A clause while it is being read: its tokens, what the pattern captured, and the claims that it makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from verbalize.claims.claim import Claim
from verbalize.read.marking.numbers import Number
from verbalize.read.marking.tokens import LabelMark, PartMark
from verbalize.read.mentions import Unclear as Unclear
from verbalize.read.mentions import mentions_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verbalize.claims.claim import ClaimKind, Direction, ShareOf
    from verbalize.evidence import Evidence
    from verbalize.read.marking.tokens import Token
    from verbalize.read.resolver import Aim, Mention, Named, Resolver
    from verbalize.saliency import Part

_NAMES = frozenset({"QL", "QPL", "QX", "QM", "BL", "POS", "NEG"})
# Words of these classes, and all numbers, change what a clause says. A rule has to capture each of them, or declare it.
TELLING = frozenset(
    [
        "ONLY",
        "SOLE",
        "NOT",
        "DOESNOT",
        "ISNOT",
        "HASNO",
        "NO",
        "NOTHING",
        "MORE",
        "LESS",
        "FARMORE",
        "FARLESS",
        "SLIGHTLYMORE",
        "SLIGHTLYLESS",
        "MOST",
        "LEAST",
        "SUPER",
        "SUPERLOW",
        "ORDINAL",
        "TWICE",
        "HALFAS",
        "HARDLY",
        "MORETHANHALF",
        "LESSTHANHALF",
        "NEARLYALLOF",
        "ZERO",
        "EXCEPT",
        "RATHER",
        "DEGS",
        "DEGW",
        "TOPADV",
        "LEASTADV",
        "NEITHERW",
        "EQUALLY",
        "LAST",
        "DONOTHING",
        "NEITHERNOR",
        "ALL",
        "EVERYTHING",
        "LOW",
        "SUMMING",
        "EACH",
        "POSLY",
        "NEGLY",
        "UNADJ",
    ]
)
_FAR = frozenset({"by far", "by far the most", "far and away", "by far the least", "hands down"})
_DECIDED = frozenset(
    {
        "prediction",
        "predictions",
        "decision",
        "classification",
        "outcome",
        "verdict",
        "answer",
        "conclusion",
        "result",
        "judgment",
        "judgement",
        "call",
        "output",
        "pick",
    }
)
_ALWAYS = frozenset(
    {"subject", "said", "told", "part", "target", "mass", "far", "sup", "opp", "aside"}
)  # captures that only mark a phrase
_COMPARED = 60  # pairs that a comparison of two lists makes at most


@dataclass
class Memory:
    """What earlier clauses of a text spoke of.

    Attributes:
        subject: the parts that the last clause was about.
        last: the parts that it mentioned last.
        direction: the side on which it saw its subject.
        kind, plain: how it said so, and whether it said nothing of degree or rank.
        rank: the place in the ranking that it gave its subject.
        last_label: the label that the text named last, which "it" and "that label" mean.
        whole: the mass of which per cents in brackets are shares, if the sentence names one ("46% of all the evidence").
        label: the label that a frame of the sentence named ("For 'positive', ...").
        high: the parts that the text said to be evidence so far.
        unread: whether a sentence that quotes words was not read, which may have said it of other parts.
    """

    subject: tuple[Mention, ...] = ()
    last: tuple[Mention, ...] = ()
    direction: Direction | None = None
    kind: str = ""
    plain: bool = False
    rank: int | None = None
    whole: ShareOf | None = None
    last_label: str | None = None
    label: tuple[str | None, tuple[str, ...] | None] | None = None
    high: list[Part] = field(default_factory=list)
    unread: bool = False


@dataclass
class Clause:
    """A clause that has the form of a rule.

    Attributes:
        tokens: the tokens of the sentence.
        spans: what the pattern captured: for each name the (start, stop) of its captures, in order.
        start, stop: the tokens of the clause.
        subject: the parts that the clause is about.
        evidence: the map.
        resolver: chooses among the places of a word that occurs several times.
        memory: what earlier clauses spoke of.
    """

    tokens: Sequence[Token]
    spans: dict[str, list[tuple[int, int]]]
    start: int
    stop: int
    subject: tuple[Mention, ...]
    evidence: Evidence
    resolver: Resolver
    memory: Memory
    claims: list[Claim] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    # what the pattern captured

    def has(self, name: str) -> bool:
        """Whether the pattern captured `name`."""
        self.asked.add(name)
        return name in self.spans

    def classes(self, name: str) -> frozenset[str]:
        """All word classes in the captures of `name`."""
        return frozenset().union(*(token.names for token in self._flat(name)))

    def each(self, name: str) -> list[frozenset[str]]:
        """The word classes of each capture of `name`."""
        self.asked.add(name)
        return [
            frozenset().union(*(token.names for folded in self.tokens[start:stop] for token in folded.flat()))
            for start, stop in self.spans.get(name, ())
        ]

    def far(self) -> bool:
        """Whether the clause says that something is far ahead ("by far", "far more")."""
        return any(token.names & {"FARMORE"} or token.text in _FAR for token in self.tokens[self.start : self.stop])

    def speaks_of(self, names: set[str]) -> bool:
        """Whether a word of the clause has one of these classes only as a noun for evidence."""
        return any(
            (token.names & names and not token.names & {"WEIGHTN", "MASSN"}) or token.text in ("evidence", "support")
            for token in self.tokens[self.start : self.stop]
            if token.names & names
        )

    def text(self) -> str:
        """The words of the clause."""
        return " ".join(token.text for token in self.tokens[self.start : self.stop])

    def dwarfs(self) -> bool:
        """Whether the verb says that the one is far ahead of the other."""
        return any(
            token.text.startswith(("dwarf", "tower", "eclips", "outclass")) for token in self.tokens[self.start : self.stop]
        )

    def values(self, name: str) -> list[object]:
        """The values of the tokens in the captures of `name`, without `None`."""
        return [token.value for token in self._flat(name) if token.value is not None]

    def number(self, name: str) -> Number | None:
        """The first number in the captures of `name`."""
        return next((value for value in self.values(name) if isinstance(value, Number)), None)

    def words(self, name: str) -> str:
        """The words in the captures of `name`."""
        return " ".join(token.text for token in self._flat(name))

    def _flat(self, name: str) -> list[Token]:
        self.asked.add(name)
        return [
            token for start, stop in self.spans.get(name, ()) for folded in self.tokens[start:stop] for token in folded.flat()
        ]

    def mentions(self, name: str) -> tuple[Mention, ...]:
        """The parts in the captures of `name`."""
        self.asked.add(name)
        return tuple(found for start, stop in self.spans.get(name, ()) for found in mentions_in(self.tokens, start, stop))

    def target(self, name: str = "target") -> tuple[str | None, tuple[str, ...] | None]:
        """The label that a capture names (`None`: none, or a masked one), and the labels with which it is contrasted."""
        self.asked.add(name)
        label: str | None = None
        versus: list[str] = []
        contrasted = masked = False
        for start, stop in self.spans.get(name, ()):
            depth = 0
            for token in (token for folded in self.tokens[start:stop] for token in folded.flat()):
                depth += ("LP" in token.names) - ("RP" in token.names)
                if depth and not contrasted:
                    continue  # the members of a group
                if "RATHER" in token.names and "PREDADJ" not in token.names:
                    contrasted = True
                if not token.names & _NAMES:
                    continue
                if "QM" in token.names:
                    masked = masked or not contrasted
                    continue
                if not isinstance(token.value, LabelMark | PartMark) and label is not None and not contrasted:
                    continue
                name_of = _label_of(token)
                if name_of is None:
                    continue
                if contrasted:
                    versus.append(name_of)
                elif label is None and not masked:
                    label = name_of
        if label is None and not masked and not versus and self.memory.label is not None and not self.has(name):
            return self.memory.label
        if self.has(name) and (label is not None or not masked):
            self._refer(name, label)
        return label, tuple(versus) or None

    def _refer(self, name: str, label: str | None) -> None:
        """Refuse "it" for a label that the map is not about, and "the prediction" where another label was predicted."""
        query, last, prediction = self.evidence.query, self.memory.last_label, self.evidence.prediction
        if label is None and last is not None and last.casefold() not in map(str.casefold, (query.label, *query.versus)):
            raise Unclear
        words = [token.text for token in self._flat(name)]
        decided = any(  # "the decision on 'positive'" says what was decided about, and not what the decision was
            word == "predicted" or (word in _DECIDED and not (label is not None and after in ("on", "about")))
            for word, after in zip(words, [*words[1:], ""], strict=True)
        )
        if decided and prediction is not None and prediction.label.casefold() != (label or query.label).casefold():
            raise Unclear

    def untold(self, says: Iterable[str]) -> list[str]:
        """What the rule did not account for, when the claims of the clause are made.

        These are captures that it never looked at, and telling words that it neither captured nor declares in `says`.
        """
        captured = {i for spans in self.spans.values() for start, stop in spans for i in range(start, stop)}
        declared = frozenset(says)
        missed = [name for name in self.spans if name not in self.asked | _ALWAYS]
        for index in range(self.start, self.stop):
            token = self.tokens[index]
            if index in captured or (token.inner and not token.names & {"LB", "TG"}):
                continue
            if token.text == "as" or token.names & {"ONE", "STRONGADJ"}:  # words that are telling only elsewhere
                continue
            telling = token.names & TELLING
            if (telling and not token.names & declared) or (
                isinstance(token.value, Number | int) and not token.names & declared
            ):
                missed.append(token.text)
        return missed

    # claims

    def resolve(self, mentions: Sequence[Mention], aim: Aim, value: float = 0.0, of: str = "score") -> list[Named]:
        """The part that each mention means."""
        return self.resolver.resolve(mentions, aim, value, of)

    def claim(
        self,
        kind: ClaimKind,
        part: Part | None = (),
        *,
        label: tuple[str | None, tuple[str, ...] | None] = (None, None),
        **more: object,
    ) -> None:
        """Add a claim."""
        if label[0] is not None:
            self.memory.last_label = label[0]
        self.claims.append(Claim(kind, part, label=label[0], versus=label[1], **more))  # type: ignore[arg-type]

    def numbers(self, mentions: Sequence[Mention], direction: Direction | None) -> None:
        """Claim the shares and scores that stand beside mentions, as in "'great' (46 %)"."""
        for mention in mentions:
            if mention.number is not None:
                self.share([mention], mention.number, self.share_of(direction) if mention.number.percent else "score")

    def share_of(self, direction: Direction | None) -> ShareOf:
        """The mass of which a per cent without a noun is a share: the one that the sentence names, or that of the side."""
        return self.memory.whole or sided(direction)

    def share(self, mentions: Sequence[Mention], number: Number, of: ShareOf, aim: Aim = "number") -> None:
        """Claim that the parts together hold this share of the evidence, or have this net score."""
        bound = self.evidence.total("absolute") or 1.0
        value, tolerance = number.within(0.0, 1.0) if of != "score" else number.within(-bound, bound)
        named = self.resolve(mentions, aim, value, of)
        absent = any(one.part is None for one in named)
        part = None if absent else tuple(i for one in named for i in one.part or ())
        if part is not None and len(set(part)) < len(part):
            raise Unclear
        quote = ", ".join(mention.quote for mention in mentions)
        self.claim("share", part, value=value, tolerance=tolerance, of=of, quote=quote)

    def pairs(self, first: Sequence[Named], second: Sequence[Named], kind: ClaimKind, **more: object) -> None:
        """Claim something of each pair of two lists; of long lists, of the pairs that decide."""
        if len(first) * len(second) > _COMPARED:
            first = sorted(first, key=lambda one: self._total(one.part))[:1] + [one for one in first if one.part is None][:1]
            second = (
                sorted(second, key=lambda one: -self._total(one.part))[:1] + [one for one in second if one.part is None][:1]
            )
        for one in first:
            for other in second:
                quote = (other if other.part is None else one).mark.quote or None
                self.claim(kind, one.part, other=other.part, quote=quote, **more)  # type: ignore[arg-type]

    def _total(self, part: Part | None) -> float:
        return float(self.evidence.net[list(part)].sum()) if part else 0.0


def sided(direction: Direction | None) -> ShareOf:
    """The mass that a share refers to, by the side of which a clause speaks."""
    return "negative" if direction == "opposes" else "positive"


def _label_of(token: Token) -> str | None:
    if isinstance(token.value, LabelMark):
        return token.value.name
    if isinstance(token.value, PartMark):
        return token.value.name or token.value.quote
    return token.text.split(" ", maxsplit=1)[0]
