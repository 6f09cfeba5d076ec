"""The claim: one checkable statement about a map."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from functools import cache
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, Literal, get_args

from verbalize.saliency import Part, SaliencyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import TypeAdapter

MapClaimKind = Literal[
    "supports", "opposes", "matters", "near_zero", "strength", "only", "no_clear_evidence",
    "most_important", "least_important", "rank", "more_important_than",
    "share", "equal", "ratio", "difference", "count", "balance",
    "absent", "predicted", "confidence", "runner_up",
]  # fmt: skip
ClaimKind = Literal[MapClaimKind, "decisive", "sufficient", "counterfactual"]  # the last three need the model
Direction = Literal["supports", "opposes"]
ShareOf = Literal["positive", "negative", "absolute", "score", "area"]
ErrorKind = Literal[
    "part not in the input", "wrong sign", "wrong rank", "wrong number", "wrong label", "wrong absence", "wrong effect"
]

ERROR_KINDS: tuple[str, ...] = get_args(ErrorKind)
_KINDS: tuple[str, ...] = get_args(ClaimKind)
_WITH_NUMBER = frozenset({"share", "strength", "ratio", "difference", "rank", "count", "confidence"})

# The fields that tell something about a claim of each kind, besides "kind" and "quote". Any other field must be left out.
_OF_MAP = ("part", "direction", "label", "versus")
_OF_EFFECT = ("part", "label", "negated", "becomes")
_FIELDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("supports", "opposes", "matters", "near_zero", "only", "no_clear_evidence"), _OF_MAP),
    **dict.fromkeys(("strength", "count", "balance"), (*_OF_MAP, "value", "tolerance")),
    **dict.fromkeys(("most_important", "least_important"), (*_OF_MAP, "other", "shared")),
    "rank": (*_OF_MAP, "value", "tolerance", "shared"),
    "more_important_than": (*_OF_MAP, "other"),
    "equal": (*_OF_MAP, "other", "tolerance"),
    **dict.fromkeys(("ratio", "difference"), (*_OF_MAP, "other", "value", "tolerance")),
    "share": (*_OF_MAP, "value", "tolerance", "of"),
    "absent": ("part", "label", "versus"),
    "predicted": ("label", "versus"),
    "confidence": ("label", "versus", "value", "tolerance"),
    "runner_up": ("label", "versus", "value", "shared"),
    **dict.fromkeys(("decisive", "sufficient"), _OF_EFFECT),
    "counterfactual": (*_OF_EFFECT, "replacement"),
}


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement about a map.

    A field that tells nothing about a claim of its kind, such as `value` of "decisive", must keep its default. docs/claims.md
    lists the fields of each kind.

    Args:
        kind: the kind of statement, a key of `CLAIM_KINDS`.
        part: indices of the words, or of the regions, that the statement is about. `None` if the text names a part that is
            not in the input, which is what "absent" states. Empty for statements about the whole map or about the model.
        other: for comparisons, the part that `part` is compared with (`None`: not in the input). For "most_important" and
            "least_important", the parts that share the place with it ("'a' and 'b' are the most important").
        direction: whether the part speaks for the label or against it. "no_clear_evidence" states that nothing speaks in this
            direction or, with `None`, that nothing stands out. Without a direction, "matters", "near_zero", "strength",
            "equal", "ratio", "count" and "least_important" are about magnitudes. For all other kinds `None` means "supports".
        value: the number. For "share" a fraction of the mass that `of` names, or the net score of the part if `of="score"`;
            for "strength" a fraction of the strongest score; for "ratio" and "difference" what they say; for "rank" and
            "runner_up" the place; for "count" the number of words; for "balance" a fraction of all mass; for "confidence" a
            probability.
        tolerance: half a unit of the last decimal place in which the number was written: 0.005 for 40 %, 0.05 for 2.3. For
            "equal", the largest difference as a fraction of the larger weight, where 0 stands for 0.05.
        of: for "share", what the number is a fraction of: the positive, negative or absolute mass, or the picture ("area").
            With "score", the number is the net score of the part.
        label: the label that the sentence names; `None` if it names no label, or masks it.
        versus: the labels with which the sentence contrasts it; `None` if the sentence names none.
        shared: whether the text itself says that the place is shared ("equally", "one of the most important").
        quote: the words as they stand in the text, for messages.
        negated: for "decisive", "sufficient" and "counterfactual", whether the claim is that it is not so: without the part the
            decision stays, the part alone does not keep it, the replacement does not change it.
        becomes: for these three, the label that the model gives to the changed input, where the sentence names it.
        replacement: for "counterfactual", what stands in the place of the part.
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
    negated: bool = False
    becomes: str | None = None
    replacement: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise SaliencyError(f"unknown kind of claim {self.kind!r}; use one of {', '.join(_KINDS)}")
        if self.kind in _WITH_NUMBER if self.value is None else not isfinite(self.value):
            raise SaliencyError(f"a claim of kind {self.kind} needs a finite value")
        if not 0 <= self.tolerance < inf:
            raise SaliencyError(f"the tolerance of a claim must be a finite number of 0 or more, not {self.tolerance!r}")
        for name in ("part", "other"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, tuple(sorted({int(index) for index in value})))
        idle = [name for name, default in _idle_fields(self.kind) if getattr(self, name) != default]
        if idle:
            raise SaliencyError(
                f"{_listed(idle, 'and')} {'have' if len(idle) > 1 else 'has'} no effect on a claim of kind {self.kind}; leave"
                f" {'them' if len(idle) > 1 else 'it'} out, or use {_listed(_FIELDS[self.kind], 'or')}"
            )

    def to_record(self) -> dict[str, Any]:
        """The claim as a JSON object, without the fields that have their default value."""
        defaults = {field.name: field.default for field in fields(self)}
        kept = {name: value for name, value in asdict(self).items() if name in ("kind", "part") or value != defaults[name]}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Claim:
        """Read back what `to_record` wrote.

        Raises:
            SaliencyError: the record is not a claim.
        """
        known = {field.name for field in fields(cls)}
        if not isinstance(record, dict) or "kind" not in record or set(record) - known:
            raise SaliencyError(f"a claim is an object with 'kind' and some of {', '.join(sorted(known))}, not {record!r:.120}")
        try:
            return _claim_reader().validate_python(record)
        except ValueError as error:
            raise SaliencyError(f"a claim can't be read: {error}") from None


def told_fields(kind: str, stated: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that tell something about a claim of this kind, of those that a language model stated."""
    return {name: value for name, value in stated.items() if name in ("kind", "quote", *_FIELDS[kind])}


@cache
def _idle_fields(kind: str) -> tuple[tuple[str, Any], ...]:
    """The fields that tell nothing about a claim of this kind, with their defaults."""
    told = ("kind", "quote", *_FIELDS[kind])
    return tuple((field.name, field.default) for field in fields(Claim) if field.name not in told)


def _listed(names: Iterable[str], joint: str) -> str:
    *before, last = [f"`{name}`" for name in names]
    return f"{', '.join(before)} {joint} {last}" if before else last


@cache
def _claim_reader() -> TypeAdapter[Claim]:
    from pydantic import TypeAdapter  # imported here because only reading records needs it

    return TypeAdapter(Claim)
