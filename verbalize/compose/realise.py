"""Claims become sentences: wordings are filled in, read back, and kept only if they say exactly the claims."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from verbalize.claims.checking import check
from verbalize.compose.clauses import clauses_of, single
from verbalize.compose.fill import Filler
from verbalize.compose.meaning import same_meaning
from verbalize.evidence import evidence_of
from verbalize.phrasing.connectives import CONNECTIVES
from verbalize.phrasing.forms import FORMS
from verbalize.read.reading import read_sentences
from verbalize.write.draft import Draft
from verbalize.write.naming import Frame, capital

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from verbalize.claims.claim import Claim
    from verbalize.compose.clauses import Clause
    from verbalize.compose.menu import MenuItem
    from verbalize.compose.plan import Chosen
    from verbalize.phrasing.wording import Wording
    from verbalize.saliency import Part, Saliency

_TRIES = 4  # wordings that are tried for a sentence before the plainest one is taken
_TOO_LONG = 1.25  # the text may be longer than asked for by this factor


@dataclass(frozen=True)
class Composed:
    """A composed text.

    Args:
        text: the sentences.
        claims: the claims that were read back from it.
        left_out: what of the plan is not in the text, and why.
        rewordings: how many sentences were worded again because their first wording did not read back.
    """

    text: str
    claims: tuple[Claim, ...]
    left_out: tuple[str, ...] = ()
    rewordings: int = 0


@dataclass
class _Sentence:
    clause: Clause
    connective: str
    wordings: list[Wording]
    tried: int = 0
    text: str = ""
    plain: bool = False
    dropped: bool = False
    claims: tuple[Claim, ...] = field(default=())


def realised(
    saliency: Saliency,
    chosen: Chosen,
    *,
    audience: str = "lay",
    tone: str = "plain",
    seed: int = 0,
    mask_labels: bool = False,
    max_words: int | None = None,
) -> Composed:
    """Say the claims of a plan. Every sentence of the result is read back as the claims that it was made from.

    The same map, plan and seed give the same text.

    Args:
        saliency: the map.
        chosen: the claims, in groups.
        audience: "lay", "developer", "expert" or "child".
        tone: "plain", "formal" (the longer wordings) or "brisk" (the shorter ones, without words between sentences).
        seed: another number chooses other wordings.
        mask_labels: write "the label" for the names of labels.
        max_words: how long the text should be, in words. Sentences that make it more than a quarter longer are left out.
    """
    evidence = evidence_of(saliency)
    frame = Frame.of(saliency.query, mask_labels=mask_labels, heard=" ".join(evidence.names))
    filler = Filler(Draft(saliency, evidence, frame), audience)
    turn = _Turn(zlib.crc32(f"{seed}\0{saliency.saliency_id}".encode("utf-8", "surrogatepass")))
    sentences: list[_Sentence] = []
    for claims, connective in _without_repetition(chosen.groups):
        for place, clause in enumerate(clauses_of(claims, signed=evidence.signed)):
            wanted = connective if place == 0 and tone != "brisk" else "none"
            sentences.append(_Sentence(clause, wanted, _ordered(clause, audience, tone, turn)))
    rewordings = 0
    for _ in range(4 * len(sentences) + 8):
        _write(sentences, filler, turn)
        wrong = _unlike(sentences, saliency)
        if not wrong:
            break
        rewordings += len(wrong)
        sentences = _reworded(sentences, wrong, evidence.signed)
    kept = [sentence for sentence in sentences if not sentence.dropped]
    left_out = []
    if lost := len(sentences) - len(kept):
        left_out.append(f"claims that can't be said so that they read back: {lost}")
    if max_words is not None:
        whole = len(kept)
        while len(kept) > 1 and sum(len(one.text.split()) for one in kept) > _TOO_LONG * max_words:
            kept.pop()  # what comes later can't be referred to by what comes before
        if len(kept) < whole:
            left_out.append(f"sentences beyond {max_words} words: {whole - len(kept)}")
    text = " ".join(sentence.text for sentence in kept)
    claims = tuple(dict.fromkeys(claim for one in kept for claim in one.claims))
    return Composed(text, claims, tuple(left_out), rewordings)


def _without_repetition(groups: Sequence[tuple[tuple[Claim, ...], str]]) -> list[tuple[tuple[Claim, ...], str]]:
    """The groups without signs that an earlier group has told, except beside a share, of which they tell the side."""
    told: set[tuple[str, Part | None]] = set()
    made = []
    for claims, connective in groups:
        shared = {index for claim in claims if claim.kind == "share" for index in claim.part or ()}
        kept = tuple(claim for claim in claims if (claim.kind, claim.part) not in told or shared & set(claim.part or ()))
        for claim in claims:
            side = (claim.direction or "supports") if claim.kind == "most_important" else claim.kind
            if side in ("supports", "opposes"):
                told.add((side, claim.part))
        if kept:
            made.append((kept, connective))
    return made


def worded(saliency: Saliency, menu: Sequence[MenuItem], *, mask_labels: bool = False) -> list[tuple[int, str]]:
    """What each item of a menu says, in its plainest wording: (number, sentence)."""
    evidence = evidence_of(saliency)
    frame = Frame.of(saliency.query, mask_labels=mask_labels, heard=" ".join(evidence.names))
    filler = Filler(Draft(saliency, evidence, frame), "lay")
    said = []
    for item in menu:
        clauses = clauses_of(item.claims, signed=evidence.signed)
        sentences = [filler.fill(clause, FORMS[clause.form][0], plain=True) for clause in clauses]
        said.append((item.number, "; ".join(sentences)))
    return said


class _Turn:
    """Choices that depend on the map and the seed only."""

    def __init__(self, state: int) -> None:
        self.state = state

    def below(self, count: int) -> int:
        """A number from 0 to `count` - 1."""
        self.state = zlib.crc32(b"next", self.state)
        return (self.state >> 7) % count


def _ordered(clause: Clause, audience: str, tone: str, turn: _Turn) -> list[Wording]:
    """The wordings of a clause that suit the audience, in the order in which they are tried."""
    suitable = [wording for wording in FORMS[clause.form] if audience in wording.audiences]
    if tone != "plain" and len(suitable) > _TRIES:
        by_length = sorted(suitable, key=lambda wording: len(wording.text), reverse=tone == "formal")
        suitable = by_length[: max(_TRIES, len(suitable) // 2)]
    start = turn.below(len(suitable))
    return (suitable[start:] + suitable[:start])[:_TRIES]


def _write(sentences: Sequence[_Sentence], filler: Filler, turn: _Turn) -> None:
    """Fill in all sentences anew: what one of them calls "it" depends on those before it."""
    filler.begin()
    before: Clause | None = None
    for sentence in sentences:
        if sentence.dropped:
            continue
        wording = FORMS[sentence.clause.form][0] if sentence.plain else sentence.wordings[sentence.tried]
        clause = filler.fill(sentence.clause, wording, plain=sentence.plain)
        link = "" if sentence.plain else _link(sentence, before, filler.audience, turn)
        sentence.text = capital(link + clause) + "."
        before = sentence.clause


def _link(sentence: _Sentence, before: Clause | None, audience: str, turn: _Turn) -> str:
    """The words that tie the sentence to the one before it; none where they would not be true of the two."""
    name = sentence.connective
    fits: dict[str, Callable[[Clause, Clause], bool]] = {
        "addition": lambda one, two: one.direction is not None and one.direction == two.direction,
        "contrast": lambda one, two: None not in (one.direction, two.direction) and one.direction != two.direction,
        "summary": lambda _, two: two.form in ("balance", "balance_share", "count", "count_both"),
    }
    if before is None or name not in fits or not fits[name](before, sentence.clause):
        return ""
    words = [wording.text for wording in CONNECTIVES[name] if audience in wording.audiences]
    opening = sentence.wordings[sentence.tried].text
    if opening.startswith(
        ("on ", "overall", "all in all", "in all", "altogether", "taken", "together", "of ", "apart", "although")
    ):
        return ""
    return words[zlib.crc32(sentence.clause.form.encode(), turn.state) % len(words)]


def _unlike(sentences: Sequence[_Sentence], saliency: Saliency) -> list[_Sentence]:
    """The sentences that are not read back as exactly the claims that they were made from."""
    kept = [sentence for sentence in sentences if not sentence.dropped]
    read = read_sentences(" ".join(sentence.text for sentence in kept), saliency)
    wrong, start = [], 0
    for sentence in kept:
        stop = start + len(sentence.text)
        inside = [one for one in read if start <= one.start < stop]
        claims = tuple(claim for one in inside for claim in one.claims)
        whole = bool(inside) and inside[-1].stop <= stop and not any(one.unread for one in inside)
        if whole and same_meaning(sentence.clause.claims, claims, saliency.query) and check(claims, saliency):
            sentence.claims = claims
        else:
            wrong.append(sentence)
        start = stop + 1
    return wrong


def _reworded(sentences: Sequence[_Sentence], wrong: Sequence[_Sentence], signed: bool) -> list[_Sentence]:
    """The sentences with other wordings for the wrong ones: the next, then the plainest, then one for each claim, then none."""
    made: list[_Sentence] = []
    for sentence in sentences:
        if not any(sentence is one for one in wrong):
            made.append(sentence)
        elif sentence.tried + 1 < len(sentence.wordings) and not sentence.plain:
            sentence.tried += 1
            made.append(sentence)
        elif not sentence.plain:
            sentence.plain = True
            made.append(sentence)
        elif len(sentence.clause.claims) > 1:
            parts = [single(claim, signed=signed) for claim in sentence.clause.claims]
            made += [_Sentence(part, "none", sentence.wordings, plain=True) for part in parts]
        else:
            sentence.dropped = True
            made.append(sentence)
    return made
