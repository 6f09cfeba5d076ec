"""Which sentences of a draft may stay: those that are read whole, are true, and say exactly what their author states."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError
from verbalize.claims.checking import CheckReport, check_evidence, with_effects
from verbalize.claims.kinds import CLAIM_KINDS
from verbalize.compose.meaning import same_meaning
from verbalize.evidence import evidence_of
from verbalize.read.effects.implied import check_said, claims_of
from verbalize.read.reading import read_sentences

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verbalize.claims.claim import Claim
    from verbalize.evidence import Evidence
    from verbalize.read.reading import ReadSentence
    from verbalize.saliency import Saliency
    from verbalize.verbalization import Verbalization

_TOO_LONG = 1.25  # a text is sent back if it is longer than asked for by more than this factor


@dataclass(frozen=True)
class Passage:
    """One sentence of a draft as its author gives it; it may hold several by our reading.

    `stated` are the claims that the author states; `None` if the style asks for none. `unusable` says that some of them
    can't be read as claims.
    """

    text: str
    stated: tuple[Claim, ...] | None = None
    unusable: bool = False


@dataclass(frozen=True)
class Judged:
    """A draft with the faults of each passage, and the claims that were read from it.

    Args:
        passages: the passages.
        faults: for each passage what is wrong with it; nothing if it may stay.
        claims: for each passage the claims that were read from it.
        found: the number of false claims by kind.
    """

    passages: tuple[Passage, ...]
    faults: tuple[tuple[str, ...], ...] = ()
    claims: tuple[tuple[Claim, ...], ...] = ()
    found: Mapping[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The passages in a row."""
        return " ".join(passage.text for passage in self.passages)

    @property
    def good(self) -> tuple[Passage, ...]:
        """The passages without a fault."""
        return tuple(passage for passage, faults in zip(self.passages, self.faults, strict=True) if not faults)


def judged(passages: Sequence[Passage], saliency: Saliency, *, mask_labels: bool = False, explained: Any = None) -> Judged:
    """Read the passages as one text, because "it" may refer to the passage before, and find the faults of each.

    What a passage says of changed inputs is tested on the model that the map explains; without it, the passage has a fault.
    """
    text = " ".join(passage.text for passage in passages)
    read = read_sentences(text, saliency)
    said = [claim for sentence in read for claim in (*sentence.claims, *claims_of(sentence.implied))]
    evidence = _tested([*said, *(claim for passage in passages for claim in passage.stated or ())], saliency, explained)
    found: Counter[str] = Counter()
    faults: list[tuple[str, ...]] = []
    claims: list[tuple[Claim, ...]] = []
    start = 0
    for passage in passages:
        stop = start + len(passage.text)
        inside = [sentence for sentence in read if start < sentence.stop and sentence.start < stop]
        said_here = _said(inside, evidence, with_model=explained is not None)
        faults.append(_faults(passage, inside, (start, stop), saliency, evidence, said_here, found, mask_labels))
        claims.append(tuple(dict.fromkeys(said_here.claims)))
        start = stop + 1
    return Judged(tuple(passages), tuple(faults), tuple(claims), dict(found))


def kept_of(
    draft: Judged, saliency: Saliency, max_words: int, *, mask_labels: bool = False, explained: Any = None
) -> Judged | None:
    """The good passages of a draft up to a number of words; `None` if nothing is left that is true as a whole.

    A sentence may refer to the one before it ("it also ..."), so what is left is read and judged again until nothing is cut.
    """
    kept = list(_within(draft.good, max_words))
    while kept:
        again = judged(kept, saliency, mask_labels=mask_labels, explained=explained)
        if len(again.good) == len(kept):
            return again
        kept = list(again.good)
    return None


def prose(text: str, saliency: Saliency) -> tuple[Passage, ...]:
    """The sentences of a text, as passages whose author states no claims."""
    return tuple(Passage(sentence.text.strip()) for sentence in read_sentences(text, saliency) if sentence.text.strip())


def with_tested(
    saliency: Saliency, text: str, claims: Sequence[Claim], tested: Verbalization | None, *, max_words: int
) -> tuple[str, tuple[Claim, ...]]:
    """A text and its claims, with the tested sentences of another text behind it, as far as they fit and read back by it.

    Args:
        saliency: the map.
        text: the text.
        claims: its claims.
        tested: a text by the template that was tested on the model; `None` if there is none.
        max_words: length of the text, in words.
    """
    for sentence in read_sentences(tested.text, saliency) if tested is not None else ():
        longer = f"{text} {sentence.text}"
        effects = [claim for claim in sentence.claims if CLAIM_KINDS[claim.kind].of_effect]
        if not effects or sentence.unread or len(longer.split()) > max_words * _TOO_LONG:
            continue
        last = read_sentences(longer, saliency)[-1]
        if last.text == sentence.text and last.claims == sentence.claims and not last.unread:
            text, claims = longer, (*claims, *last.claims)
    return text, tuple(dict.fromkeys(claims))


def length_fault(text: str, max_words: int) -> list[str]:
    """What to tell the author of a text that is too long."""
    count = len(text.split())
    return [f"the text has {count} words; at most {max_words} are asked for"] if count > max_words * _TOO_LONG else []


def _within(passages: Sequence[Passage], max_words: int) -> Sequence[Passage]:
    length = 0
    for place, passage in enumerate(passages):
        length += len(passage.text.split())
        if length > max_words * _TOO_LONG:
            return passages[:place]
    return passages


def _tested(claims: Sequence[Claim], saliency: Saliency, explained: Any) -> Evidence:
    """The evidence of a map with what the model says of the changed inputs of claims, if it can be run on them."""
    evidence = evidence_of(saliency)
    if explained is None:
        return evidence
    (found,) = with_effects([(claims, evidence, saliency)], explained)
    return evidence if isinstance(found, UsageError) else found


def _faults(
    passage: Passage, read: Sequence[ReadSentence], span: tuple[int, int], saliency: Saliency, evidence: Evidence,
    report: CheckReport, found: Counter[str], masked: bool,
) -> tuple[str, ...]:  # fmt: skip
    quoted = f'"{passage.text}"'
    claims = tuple(claim for sentence in read for claim in sentence.claims)
    false = Counter(error.kind for error in report.errors)
    faults = [f"{quoted} is false: {error.message}" for error in report.errors]
    faults += [f"{quoted} can't be decided from the map: {one.message}" for one in report.undecided]
    if not read or any(sentence.unread for sentence in read):
        faults.append(f"{quoted} says something that can't be checked against the map; say it in plainer words")
    elif any(not sentence.claims for sentence in read):
        faults.append(f"{quoted} says nothing of the map that could be checked; leave it out")
    elif any(sentence.start < span[0] or sentence.stop > span[1] for sentence in read):
        faults.append(f"{quoted} does not end as a sentence")
    if masked and (named := _named_label(passage.text, claims, saliency)):
        faults.append(f"{quoted} names the label '{named}', which must stay hidden")
    if passage.stated is not None:
        stated = check_evidence(passage.stated, evidence)
        false |= Counter(error.kind for error in stated.errors)  # the same falsehood in both counts once
        faults += [f"a stated claim is false: {error.message}" for error in stated.errors]
        faults += [f"a stated claim can't be decided from the map: {one.message}" for one in stated.undecided]
        if passage.unusable:
            faults.append(f"{quoted} comes with claims that are no claim records")
        elif not faults and not _states(passage.stated, claims, report.claims, saliency):
            faults.append(f"{quoted} does not say what its stated claims say")
    found.update(false)
    return tuple(faults)


def _said(read: Sequence[ReadSentence], evidence: Evidence, *, with_model: bool) -> CheckReport:
    """What the map and the model say of the claims of sentences."""
    reports = [check_said(one.claims, one.implied, evidence, with_model=with_model) for one in read]
    return CheckReport(
        tuple(claim for one in reports for claim in one.claims),
        tuple(error for one in reports for error in one.errors),
        tuple(found for one in reports for found in one.undecided),
    )


def _states(stated: Sequence[Claim], read: Sequence[Claim], said: Sequence[Claim], saliency: Saliency) -> bool:
    """Whether an author states what a sentence says of the map, of the model besides, or both."""
    besides = tuple(claim for claim in said if claim not in read)
    senses = (tuple(read), tuple(said), besides) if besides else (tuple(read),)
    return any(same_meaning(stated, sense, saliency.query) for sense in senses)


def _named_label(text: str, claims: Sequence[Claim], saliency: Saliency) -> str | None:
    """The first label of the query that a text names outside its quotations from the input; `None` if there is none."""
    query = saliency.query
    names = (query.label, *query.versus, *query.members)
    outside = re.sub(r"'[^']*'|\"[^\"]*\"|“[^”]*”|«[^»]*»", " ", text)
    for name in names:
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", outside, re.IGNORECASE):
            return name
    quoted_labels = {claim.label for claim in claims if claim.label is not None}
    return next((name for name in names if name in quoted_labels), None)
