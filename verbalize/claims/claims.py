"""A claim is one checkable statement about a map; `check` holds claims against the map."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from verbalize.evidence import Evidence, evidence_of
from verbalize.saliency import Part, SaliencyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic import TypeAdapter

    from verbalize.saliency import Floats, Query, Saliency

ClaimKind = Literal["supports", "opposes", "most_important", "more_important_than", "share", "no_clear_evidence"]
Direction = Literal["supports", "opposes"]
ShareOf = Literal["positive", "negative", "absolute", "score"]
ErrorKind = Literal["part not in the input", "wrong sign", "wrong rank", "wrong number", "wrong label"]

CLAIM_KINDS: tuple[str, ...] = get_args(ClaimKind)
ERROR_KINDS: tuple[str, ...] = get_args(ErrorKind)
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement about a map.

    Args:
        kind: what is said.
        part: indices of the words, or of the regions, that it is said of; `None` where the text names something that is
            not in the input. Empty for "no_clear_evidence".
        other: for "more_important_than", the part it is compared with (`None`: not in the input). For "most_important", the
            parts named as sharing the first places with it ("'a' and 'b' are the most important").
        direction: importance for the label, or against it. For "no_clear_evidence": nothing supports, nothing opposes, or
            (`None`) nothing stands out. Elsewhere `None` means "supports".
        value: for "share", the number: a fraction of the mass named by `of`, or (`of="score"`) the part's net score.
        tolerance: half a unit of the last place the number was written in; 40 % has 0.005, 2.3 has 0.05.
        of: what a share is a share of.
        label: the label the sentence names, `None` where it names none (or masks it).
        versus: the labels it is set against, `None` where the sentence says nothing of them.
        shared: the text itself says that the place is shared ("equally", "one of the most important").
        quote: the words as the text wrote them, for messages.
    """

    kind: ClaimKind
    part: Part | None = ()
    other: Part | None = ()
    direction: Direction | None = None
    value: float | None = None
    tolerance: float = 0.0
    of: ShareOf = "positive"
    label: str | None = None
    versus: tuple[str, ...] | None = None
    shared: bool = False
    quote: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in CLAIM_KINDS:
            raise SaliencyError(f"unknown kind of claim {self.kind!r}; it is one of {', '.join(CLAIM_KINDS)}")
        if self.kind == "share" and (self.value is None or not np.isfinite(self.value)):
            raise SaliencyError("a claim of kind share needs a finite value")
        for name in ("part", "other"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, tuple(sorted({int(index) for index in value})))

    def to_record(self) -> dict[str, Any]:
        """The claim as plain JSON, fields at their defaults left out."""
        defaults = {field.name: field.default for field in fields(self)}
        kept = {name: value for name, value in asdict(self).items() if name in ("kind", "part") or value != defaults[name]}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Claim:
        """Read back what `to_record` wrote.

        Raises:
            SaliencyError: the record is no claim.
        """
        known = {field.name for field in fields(cls)}
        if not isinstance(record, dict) or "kind" not in record or set(record) - known:
            raise SaliencyError(f"a claim is an object with 'kind' and some of {', '.join(sorted(known))}, not {record!r:.120}")
        try:
            return _claim_reader().validate_python(record)
        except ValueError as error:
            raise SaliencyError(f"a claim can't be read: {error}") from None


@cache
def _claim_reader() -> TypeAdapter[Claim]:
    from pydantic import TypeAdapter  # only reading needs it

    return TypeAdapter(Claim)


@dataclass(frozen=True, slots=True)
class ClaimError:
    """A claim that the map does not bear out, what kind of falsehood it is, and what is true instead."""

    kind: ErrorKind
    claim: Claim
    message: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The outcome of a check: all claims, and those that are false. True when nothing false is said."""

    claims: tuple[Claim, ...]
    errors: tuple[ClaimError, ...]

    def __bool__(self) -> bool:
        return not self.errors

    @property
    def precision(self) -> float:
        """True claims over all claims, those about parts that are not in the input among them; 1.0 where nothing is claimed."""
        return 1.0 - len(self.errors) / len(self.claims) if self.claims else 1.0

    def counts(self) -> dict[str, int]:
        """False claims by kind."""
        return {kind: sum(error.kind == kind for error in self.errors) for kind in ERROR_KINDS}


def check(claims: Iterable[Claim], saliency: Saliency, *, bridge: float = 0.0) -> CheckReport:
    """Hold each claim against the map.

    The truth conditions, with s the scores of the words (or the net scores of regions), turned round for "opposes":

    - supports / opposes: the part's scores sum to more than 0 and none of its words is below `-bridge`; so with the default
      no word of the other sign is ever passed off as part of the evidence. (A region is one score: its net.)
    - most_important: the part speaks in its direction and holds a word whose score no word outside the parts named with it
      reaches. A tie with an outsider makes "the most important" false, unless the text itself says it is shared; then no
      outsider may lie above it.
    - more_important_than: the part speaks in its direction, and beats the other both by its sum and by its strongest word,
      so that it is true however "important" is read.
    - share: the mass of the part over the whole map's, or its net score, is `value` to within `tolerance`.
    - no_clear_evidence: nothing speaks in the direction, or without a direction: nothing there, all zero, or all the same.
    - label: a claim that names a label must name the query's, and a contrastive map's claim also what it is set against.

    Args:
        claims: what was said.
        saliency: the map it was said of.
        bridge: how far below 0 a single word in a named span may lie, as in `best_spans`.
    """
    evidence = evidence_of(saliency)
    stated = tuple(claims)
    errors: list[ClaimError] = []
    for claim in stated:
        found = _label_error(claim, evidence.query) or _error(_reframed(claim, evidence.query), evidence, bridge)
        if found:
            errors.append(ClaimError(found[0], claim, found[1]))
    return CheckReport(stated, tuple(errors))


_Found = tuple[ErrorKind, str] | None


def _label_error(claim: Claim, query: Query) -> _Found:
    if claim.label is None:
        return None
    names = {name.casefold() for name in (query.label, *query.members)}
    versus = {name.casefold() for name in query.versus}
    said_versus = None if claim.versus is None else {name.casefold() for name in claim.versus}
    asked = f"the map says what speaks for {_framed(query.label, query.versus)}"
    if _is_mirror(claim, query):
        return None
    if claim.label.casefold() not in names:
        return ("wrong label", f"{asked}, not for '{claim.label}'")
    if versus and said_versus is None:
        return ("wrong label", f"{asked}; named alone, '{claim.label}' is another question")
    if said_versus is not None and said_versus != versus:
        return ("wrong label", f"{asked}, not for {_framed(claim.label, claim.versus or ())}")
    return None


def _is_mirror(claim: Claim, query: Query) -> bool:
    """Whether the claim answers "B rather than A" from a map of "A rather than B": the same evidence with its sign turned."""
    return (
        len(query.versus) == 1
        and claim.label is not None
        and claim.versus is not None
        and claim.label.casefold() == query.versus[0].casefold()
        and [name.casefold() for name in claim.versus] == [query.label.casefold()]
    )


def _reframed(claim: Claim, query: Query) -> Claim:
    if not _is_mirror(claim, query):
        return claim
    if claim.kind == "supports":
        return replace(claim, kind="opposes")
    if claim.kind == "opposes":
        return replace(claim, kind="supports")
    if claim.kind == "share":
        if claim.of == "score":
            return replace(claim, value=-(claim.value or 0.0))
        mirrored: dict[ShareOf, ShareOf] = {"positive": "negative", "negative": "positive"}
        return replace(claim, of=mirrored.get(claim.of, claim.of))
    if claim.kind == "no_clear_evidence" and claim.direction is None:
        return claim
    return replace(claim, direction="supports" if claim.direction == "opposes" else "opposes")


def _error(claim: Claim, evidence: Evidence, bridge: float) -> _Found:
    missing = _missing(claim, evidence)
    if missing:
        return ("part not in the input", missing)
    part = claim.part or ()
    name = _name(claim, evidence)
    match claim.kind:
        case "supports" | "opposes":
            return _sign_error(part, name, evidence, claim.kind, bridge)
        case "most_important":
            direction = claim.direction or "supports"
            return _sign_error(part, name, evidence, direction, bridge) or _top_error(claim, name, evidence, direction)
        case "more_important_than":
            direction = claim.direction or "supports"
            return _sign_error(part, name, evidence, direction, bridge) or _order_error(claim, name, evidence, direction)
        case "share":
            return _number_error(claim, name, evidence)
        case "no_clear_evidence":
            return _nothing_error(claim, evidence)


def _missing(claim: Claim, evidence: Evidence) -> str | None:
    kind = "region" if evidence.pixels else "word"
    whole = "picture" if evidence.pixels else "text"
    for part in (claim.part, claim.other):
        if part is None:
            return f"'{claim.quote}' is not in the {whole}" if claim.quote else f"a {kind} is named that is not in the {whole}"
        wrong = [index for index in part if not 0 <= index < len(evidence)]
        if wrong:
            return f"there is no {kind} {wrong[0]}; the {whole} has {len(evidence)}"
    needs_part = claim.kind != "no_clear_evidence"
    if (needs_part and not claim.part) or (claim.kind == "more_important_than" and not claim.other):
        return f"the claim '{claim.kind}' names no {kind}"
    return None


def _sign_error(part: Sequence[int], name: str, evidence: Evidence, direction: str, bridge: float) -> _Found:
    scores = evidence.toward(direction)[list(part)]
    said, other = ("for", "against") if direction == "supports" else ("against", "for")
    claimed = f"{name} is said to speak {said} '{evidence.query.label}'"
    total = float(scores.sum())
    if total <= 0:
        truth = "says nothing about it" if total == 0 else f"speaks {other} it"
        return (
            "wrong sign",
            f"{claimed} but {truth}: {_number(evidence, part)}",
        )
    low = int(np.argmin(scores))
    if not evidence.pixels and scores[low] < -bridge:
        word = evidence.names[part[low]]
        score = evidence.net[part[low]]
        return (
            "wrong sign",
            f"{claimed} but its word '{word}' scores {score:.3g}",
        )
    return None


def _top_error(claim: Claim, name: str, evidence: Evidence, direction: str) -> _Found:
    scores = evidence.toward(direction)
    part, named = list(claim.part or ()), {*(claim.part or ()), *(claim.other or ())}
    outside = np.ones(len(evidence), dtype=bool)
    outside[list(named)] = False
    if not outside.any():
        return None
    peak = float(scores[part].max())
    rival = int(np.flatnonzero(outside)[np.argmax(scores[outside])])
    best = float(scores[rival])
    if evidence.tied(peak, best):
        return (
            None if claim.shared else ("wrong rank", f"{name} shares its place with '{evidence.names[rival]}' (word {rival})")
        )
    if peak > best:
        return None
    if claim.shared and not evidence.flat and _place(scores, peak) <= _AMONG:
        return None
    return (
        "wrong rank",
        f"'{evidence.names[rival]}' scores {evidence.net[rival]:.3g}, more than {name} with {_number(evidence, part)}",
    )


_AMONG = 3  # "one of the most important" is true of the first three


def _place(scores: Floats, value: float) -> int:
    return 1 + int((scores > value).sum())


def _order_error(claim: Claim, name: str, evidence: Evidence, direction: str) -> _Found:
    scores = evidence.toward(direction)
    mine, theirs = scores[list(claim.part or ())], scores[list(claim.other or ())]
    if mine.sum() > theirs.sum() and mine.max() > theirs.max():
        return None
    other = ", ".join(f"'{evidence.names[index]}'" for index in claim.other or ())
    numbers = (
        f"{mine.sum():.3g} against {theirs.sum():.3g} in sum, {mine.max():.3g} against {theirs.max():.3g} at the strongest"
    )
    return ("wrong rank", f"{name} is not more important than {other}: {numbers}")


def _number_error(claim: Claim, name: str, evidence: Evidence) -> _Found:
    said = claim.value if claim.value is not None else float("nan")
    actual = evidence.mass(claim.part or (), claim.of)
    if claim.of != "score":
        total = evidence.total(claim.of)
        if total == 0:
            return ("wrong number", f"{name} is given a share of the {claim.of} evidence, and there is none")
        actual /= total
    if abs(said - actual) <= claim.tolerance + _ROUNDING * max(1.0, abs(actual)):
        return None
    if claim.of == "score":
        return ("wrong number", f"{name} scores {actual:.4g}, not {said:.4g}")
    return ("wrong number", f"{name} holds {actual:.1%} of the {claim.of} evidence, not {said:.1%}")


def _nothing_error(claim: Claim, evidence: Evidence) -> _Found:
    scores = evidence.net
    if claim.direction is None:
        if evidence.flat:
            return None
        top = int(np.argmax(np.abs(scores))) if len(scores) else 0
    else:
        mass = evidence.positive_mass if claim.direction == "supports" else evidence.negative_mass
        if mass == 0:
            return None
        top = int(np.argmax(evidence.toward(claim.direction))) if len(scores) else 0
    if not len(scores):
        return ("wrong rank", "it is said that nothing stands out, but the map is not flat")
    return ("wrong rank", f"it is said that nothing stands out, but '{evidence.names[top]}' scores {scores[top]:.3g}")


def _name(claim: Claim, evidence: Evidence) -> str:
    if claim.quote:
        return f"'{claim.quote}'"
    return "'" + " ".join(evidence.names[index] for index in claim.part or ()) + "'"


def _number(evidence: Evidence, part: Sequence[int]) -> str:
    return f"{float(evidence.net[list(part)].sum()):.3g}"


def _framed(label: str, versus: Sequence[str]) -> str:
    return f"'{label}' rather than " + " or ".join(f"'{name}'" for name in versus) if versus else f"'{label}'"
