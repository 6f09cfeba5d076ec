"""What a language model replies to a request for claims, and what of its reply is accepted.

A model may invent, leave out, or obey a sentence that it should translate. So a reply must agree with the sentence in what can
be seen without understanding it: the words, labels and numbers of the claims stand in the text, and those of the sentence in
the claims, and words of rank, amount or denial have a claim of their kind (`cues`). The tolerance of a number follows from how
it is written, and is never the model's to choose.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, Field

from saywhy_core.errors import UsageError
from verbalize.claims.claim import Claim, ClaimKind, Direction, told_fields
from verbalize.claims.kinds import CLAIM_KINDS
from verbalize.evidence import evidence_of
from verbalize.read.marking.quotations import find_quotations
from verbalize.read_by_model.cues import unaccounted
from verbalize.saliency import TokenSaliency
from verbalize.write.naming import WordIndex

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verbalize.saliency import Part, Saliency

_MOST_CLAIMS = 24  # a sentence does not say more; a longer list is a reply out of hand
_ASKED_CLAIMS, _ASKED_PARTS = 8, 24  # the most that a server is told to let through: a weak model counts on and on otherwise
_NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)?(?!\w|[.,]\d)")
_BY_PLACE = re.compile(
    r"\b(?:positions?|first|second|third|last|next|opening|closing|initial|final|\d+(?:st|nd|rd|th))\b", re.IGNORECASE
)
_REFERS_BACK = re.compile(
    r"\b(?:it|its|itself|this|that|these|those|they|them|their|he|she|which|former|latter|both|same|so|neither|other|others)\b",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    r"\b(?:might|may|maybe|could|can|perhaps|probably|likely|possibly|almost|nearly|often|sometimes|usually|rarely|partly|seems?)\b",
    re.IGNORECASE,
)
_POINTS = 0.05  # what "about 40 %" allows, and so do the rules
_TENTH = 0.1  # what "about 2.3" allows


class ModelClaim(BaseModel):
    """One claim that the model reads in a sentence."""

    kind: ClaimKind
    parts: list[int] = Field(
        default_factory=list,
        max_length=64,
        description="numbers of the words or regions it is said of",
        json_schema_extra={"maxItems": _ASKED_PARTS},
    )
    other: list[int] = Field(
        default_factory=list,
        max_length=64,
        description="numbers of the part that it is compared with",
        json_schema_extra={"maxItems": _ASKED_PARTS},
    )
    missing: str | None = Field(default=None, max_length=200, description="words that the sentence names and the input lacks")
    direction: Direction | None = None
    percent: float | None = Field(default=None, ge=0, le=100, description="a number in per cent, as written")
    number: float | None = Field(default=None, ge=-1e9, le=1e9, description="a score, rank, count or factor, as written")
    about: bool = Field(default=False, description="whether the number is said to be approximate")
    of: Literal["positive", "negative", "absolute"] | None = Field(default=None, description="for percent: of which evidence")
    label: str | None = Field(default=None, max_length=200)
    versus: list[Annotated[str, Field(max_length=200)]] = Field(default_factory=list, max_length=16)
    shared: bool = False
    negated: bool = Field(default=False, description="of a changed input: whether the sentence says that it is not so")
    becomes: str | None = Field(default=None, max_length=200, description="of a changed input: the label that it gets")
    replacement: str | None = Field(default=None, max_length=200, description="for counterfactual: the words put in")


class SentenceClaims(BaseModel):
    """What the model is asked for."""

    claims: list[ModelClaim] = Field(
        default_factory=list,
        max_length=_MOST_CLAIMS,
        description="every claim of the sentence",
        json_schema_extra={"maxItems": _ASKED_CLAIMS},
    )
    complete: bool = Field(description="true only if the claims say all that the sentence says")


def accepted(reply: SentenceClaims, sentence: str, text: str, saliency: Saliency) -> tuple[list[Claim], list[str]]:
    """The claims of a reply that agree with the sentence, and what speaks against taking them for all that it says.

    Args:
        reply: the reply.
        sentence: the sentence that it is about.
        text: the text that the sentence is from. A claim may name what stands before the sentence if a word such as "it" points
            back there.
        saliency: the map.
    """
    shown = sentence  # where the words that a claim may name stand
    if _REFERS_BACK.search(sentence):
        shown = text[: max(text.find(sentence), 0)] + sentence
    claims: list[Claim] = []
    faults = [] if reply.complete else ["by its own account it did not read all of the sentence"]
    for stated in reply.claims:
        try:
            claims.append(_claim(stated, shown, saliency))
        except UsageError as error:
            faults.append(str(error))
    if not reply.claims:
        faults.append("it read no claim")
    faults += _left_out(reply.claims, claims, sentence, saliency)
    return claims, list(dict.fromkeys(faults))


def _claim(stated: ModelClaim, text: str, saliency: Saliency) -> Claim:
    """The claim.

    Raises:
        UsageError: it does not agree with the text.
    """
    if stated.kind not in CLAIM_KINDS:
        raise UsageError(f"claims of kind {stated.kind} can't be checked")
    kind = CLAIM_KINDS[stated.kind]
    part: Part | None = _part(stated.parts, text, saliency)
    other = _part(stated.other, text, saliency)
    quote = None
    if stated.missing is not None and not part:
        part, quote = _missing(stated.missing, text, saliency)
    if (kind.needs_part and part == ()) or (kind.needs_other and other == ()):
        raise UsageError(f"its claim '{stated.kind}' names no part")
    for words in (stated.becomes, stated.replacement):
        if words is not None and not _says(text, words):
            raise UsageError(f"its claim names {words!r:.80}, and the sentence does not")
    if kind.of_effect and _VAGUE.search(text):
        raise UsageError("the sentence does not say outright what the model does")
    for name in (stated.label, *stated.versus):
        if name is not None and name != saliency.query.label and not _says(text, name):
            raise UsageError(f"its claim names the label {name!r:.80}, and the sentence does not")
    label = stated.label if stated.label is not None and _says(text, stated.label) else None
    value, tolerance = _value(stated)
    of = "score" if stated.kind == "share" and stated.percent is None else stated.of or _side(stated)
    said = {
        "kind": stated.kind, "part": part, "other": other, "direction": stated.direction, "value": value,
        "tolerance": tolerance, "of": of, "label": label, "versus": tuple(stated.versus) or None, "shared": stated.shared,
        "quote": quote, "negated": stated.negated, "becomes": stated.becomes, "replacement": stated.replacement,
    }  # fmt: skip
    return Claim(**told_fields(stated.kind, said))


def _part(numbers: Sequence[int], text: str, saliency: Saliency) -> Part:
    names = evidence_of(saliency).names
    if wrong := [number for number in numbers if not 0 <= number < len(names)]:
        raise UsageError(f"its claim names part {wrong[0]}, and there are {len(names)}")
    if isinstance(saliency, TokenSaliency) and not _BY_PLACE.search(text):
        said = set(_words(text))
        for number in numbers:
            if _words(names[number]) and not said & set(_words(names[number])):
                raise UsageError(f"its claim names {names[number]!r:.80}, and the sentence does not")
    return tuple(numbers)


def _missing(words: str, text: str, saliency: Saliency) -> tuple[Part | None, str]:
    """The part that a text names by these words: `None` where the input lacks them, as the model says, or else their place."""
    if not _words(words) or not _says(text, words):
        raise UsageError(f"its claim names {words!r:.80}, and the sentence does not")
    if not isinstance(saliency, TokenSaliency):
        return None, words
    places = WordIndex.of(saliency).places(words)
    if len(places) > 1:
        raise UsageError(f"its claim does not say which {words!r:.80} it means")
    return (places[0] if places else None), words


def _value(stated: ModelClaim) -> tuple[float | None, float]:
    if stated.kind == "strength":  # "strongly" and "weakly" are the upper and the lower half
        return (None, 0.0) if stated.number is None else (0.75 if stated.number >= 0.5 else 0.25, 0.25)
    if stated.kind == "equal":
        return None, _POINTS
    if stated.percent is not None:
        return stated.percent / 100, max(_half_unit(stated.percent) / 100, _POINTS if stated.about else 0)
    if stated.number is None or stated.kind in ("rank", "runner_up"):
        return stated.number, 0.0
    exact = 0.0 if stated.kind == "count" else _half_unit(stated.number)
    return stated.number, max(exact, _TENTH * abs(stated.number) if stated.about else 0)


def _half_unit(number: float) -> float:
    """Half a unit of the last digit of a number as it is written."""
    return 0.5 * 10.0 ** -len(f"{number:.6f}".rstrip("0").partition(".")[2])


def _side(stated: ModelClaim) -> str:
    return "negative" if stated.direction == "opposes" else "positive"


def _left_out(stated: Sequence[ModelClaim], claims: Sequence[Claim], sentence: str, saliency: Saliency) -> Iterator[str]:
    """What the sentence plainly names and no claim does: quotations, labels, numbers."""
    names = evidence_of(saliency).names
    labels = {label for claim in claims for label in (claim.label, *(claim.versus or ())) if label is not None}
    told = [words for claim in claims for words in (claim.quote or "", *labels)]
    told += [names[index] for claim in claims for part in (claim.part, claim.other) for index in part or ()]
    words = {word for one in told for word in _words(one)}
    for quotation in find_quotations(sentence):
        if missing := [word for word in _words(quotation.inner) if word not in words]:
            yield f"it leaves out {missing[0]!r:.80}"
    prediction = saliency.prediction
    known = (saliency.query.label, *saliency.query.versus, *saliency.query.members)
    known += (prediction.label, *prediction.scores) if prediction is not None else ()
    for name in known:
        if name not in labels and not set(_words(name)) <= words and _says(sentence, name):
            yield f"it leaves out the label {name!r:.80}"
    numbers = {number for one in stated for number in (one.percent, one.number) if number is not None}
    numbers |= {index + 1 for claim in claims for index in (*(claim.part or ()), *(claim.other or ()))}  # "at position 5"
    unquoted = sentence
    for quotation in reversed(find_quotations(sentence)):
        unquoted = unquoted[: quotation.start] + " " + unquoted[quotation.stop :]
    plain = " ".join(word for word in unquoted.split() if not set(_words(word)) <= words)  # the input's own words are no cues
    for cue in unaccounted(plain, {claim.kind for claim in claims}):
        yield f"no claim accounts for {cue!r}"
    for found in _NUMBER.findall(unquoted):
        number = float(found.replace(",", "."))
        if not any(abs(abs(one) - number) < 1e-9 for one in numbers) and found.casefold() not in words:
            yield f"it leaves out the number {found}"


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _says(text: str, words: str) -> bool:
    """Whether a text holds these words in a row, without regard to case and marks."""
    return f" {' '.join(_words(words))} " in f" {' '.join(_words(text))} "
