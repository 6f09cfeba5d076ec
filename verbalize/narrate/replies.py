"""Replies in free prose: sentences, each with the claims that its author says it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from verbalize.claims.claim import Claim, ClaimKind, Direction, ShareOf, told_fields
from verbalize.saliency import SaliencyError

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST = 1000  # characters of a sentence
_MOST = 40  # sentences, and claims of one sentence
_ASKED = {"sentences": 12, "claims": 6, "parts": 24}
"""The most that a server lets through which holds replies to the schema: a weak model counts on and on otherwise. A longer
reply of another server is still read."""
_FRACTION_TOLERANCE = 0.005  # of a share that is stated without one: half a per cent, as "46%" means it
_COUNTED = ("count", "rank", "runner_up")  # kinds whose number is a whole number


def _at_most(what: str) -> Callable[[dict[str, Any]], None]:
    """Puts the bound into the schema of a list, also where the list may be null."""

    def bound(schema: dict[str, Any]) -> None:
        for one in schema.get("anyOf", [schema]):
            if one.get("type") == "array":
                one["maxItems"] = _ASKED[what]

    return bound


class StatedClaim(BaseModel):
    """One claim that a sentence makes, as its author states it: a claim record."""

    model_config = ConfigDict(extra="ignore")

    kind: ClaimKind
    part: list[int] | None = Field(
        default_factory=list,
        max_length=512,
        description="numbers of the words or regions it is said of; null: not in the input",
        json_schema_extra=_at_most("parts"),
    )
    other: list[int] = Field(
        default_factory=list,
        max_length=512,
        description="numbers of those that it is compared with",
        json_schema_extra=_at_most("parts"),
    )
    direction: Direction | None = Field(default=None, description="for the answer (supports) or against it (opposes)")
    value: float | None = Field(default=None, description="its number; a share as a fraction: 0.46 for 46%")
    tolerance: float | None = Field(default=None, description="how far the true number may lie from it, or nothing")
    of: ShareOf = Field(default="positive", description="for share: of which evidence it is a share; score: the net score")
    label: str | None = Field(default=None, description="the label that the sentence names, or nothing")
    versus: list[str] | None = Field(default=None, description="the labels that it contrasts it with, or nothing")
    shared: bool = Field(default=False, description="whether the sentence says that others share the place")

    negated: bool = Field(default=False, description="for decisive and sufficient: whether it says that it is not so")
    becomes: str | None = Field(default=None, description="for these two: the label that the model gives then, or nothing")

    def to_claim(self) -> Claim | None:
        """The claim; `None` if it lacks what its kind needs."""
        tolerance = self.tolerance
        if tolerance is None:
            tolerance = 0.0 if self.value is None else self._tolerance(self.value)
        try:
            stated = {
                "kind": self.kind, "part": None if self.part is None else tuple(self.part), "other": tuple(self.other),
                "direction": self.direction, "value": self.value, "tolerance": tolerance, "of": self.of, "label": self.label,
                "versus": None if self.versus is None else tuple(self.versus), "shared": self.shared,
                "negated": self.negated, "becomes": self.becomes,
            }  # fmt: skip
            return Claim(**told_fields(self.kind, stated))
        except SaliencyError:
            return None

    def _tolerance(self, value: float) -> float:
        """Half a unit of the last digit, and of a fraction half a per cent at most."""
        if self.kind in _COUNTED:
            return 0.0
        decimals = len(f"{value:.6f}".rstrip("0").partition(".")[2])
        half = 0.5 * 10.0**-decimals
        return half if self.of == "score" or self.kind in ("ratio", "difference") else min(half, _FRACTION_TOLERANCE)


def _claims(value: Any) -> list[Any]:
    return list(value)[:_MOST] if isinstance(value, (list, tuple)) else [value]


class FreeSentence(BaseModel):
    """A sentence, and every claim that it makes."""

    model_config = ConfigDict(extra="ignore")

    text: str = Field(max_length=_LONGEST, json_schema_extra={"maxLength": 400})  # some sixty words
    claims: Annotated[list[StatedClaim], BeforeValidator(_claims)] = Field(
        default_factory=list, description="every claim that the sentence makes", json_schema_extra=_at_most("claims")
    )


def _sentences(value: Any) -> list[Any]:
    """The sentences of a reply. One that is malformed loses its claims, so that it is cut, and the others stay."""
    found: list[Any] = []
    for entry in value[:_MOST] if isinstance(value, (list, tuple)) else [value]:
        try:
            found.append(FreeSentence.model_validate(entry))
        except ValidationError:
            text = entry.get("text") if isinstance(entry, dict) else entry
            if isinstance(text, str) and text.strip() and len(text) <= _LONGEST:
                found.append(FreeSentence(text=text))
    return found


class FreeReply(BaseModel):
    """What a model is asked for in free prose."""

    model_config = ConfigDict(extra="ignore")

    sentences: Annotated[list[FreeSentence], BeforeValidator(_sentences)] = Field(
        description="the text, sentence by sentence", json_schema_extra=_at_most("sentences")
    )

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:
        return {"sentences": value} if isinstance(value, (list, tuple)) else value
