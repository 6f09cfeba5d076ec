"""The plan of a text: which claims of the menu it makes, in which order and groups, and in which manner."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from verbalize.phrasing.connectives import CONNECTIVE_NAMES, Connective
from verbalize.phrasing.wording import AUDIENCES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.claims.claim import Claim
    from verbalize.compose.menu import MenuItem

TONES = ("plain", "formal", "brisk")
MOST_GROUPS = 5  # groups of a plan; readers remember no more sentences
MOST_IN_GROUP = 6
_LONGEST_LIST = 200  # entries that are looked at; what comes after them is not
_LARGEST = 9999  # numbers of a menu have four digits at most
_LONGEST_COMMENT = 600  # characters; a longer one is refused unread
_NUMBER = re.compile(r"\D{0,12}(\d{1,4})(?:\.0)?\D{0,2}")


def _number(value: Any) -> int | None:
    """A claim number from what a model may write for it: 3, 3.0, "3", "claim 3"; else `None`."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return int(value) if value == value and abs(value) < 1e6 and int(value) == value else None
    match = _NUMBER.fullmatch(value) if isinstance(value, str) else None
    return int(match[1]) if match else None


def _numbers(value: Any) -> list[int]:
    """Claim numbers from a list that may hold anything; lists inside it count as part of it."""
    if not isinstance(value, (list, tuple)):
        value = [value]
    found: list[int] = []
    for entry in value[:_LONGEST_LIST]:
        if isinstance(entry, (list, tuple)):
            found += [number for number in map(_number, entry[:_LONGEST_LIST]) if number is not None]
        elif isinstance(entry, dict):
            found += [number for number in map(_number, list(entry.values())[:1]) if number is not None]
        elif (number := _number(entry)) is not None:
            found.append(number)
    return found[:_LONGEST_LIST]


def _group(value: Any) -> PlanGroup | dict[str, Any]:
    if isinstance(value, PlanGroup):
        return value
    if isinstance(value, dict):
        return {"claims": value.get("claims", ()), "connective": value.get("connective", "none")}
    return {"claims": value, "connective": "none"}


def _groups(value: Any) -> list[PlanGroup | dict[str, Any]]:
    if isinstance(value, (dict, PlanGroup)):
        value = [value]
    if not isinstance(value, (list, tuple)):
        return []
    if value and all(_number(entry) is not None for entry in value[:_LONGEST_LIST]):
        value = [value]  # one flat list of numbers
    return [_group(entry) for entry in value[:_LONGEST_LIST]]


def _one_of(names: Sequence[str], otherwise: str) -> BeforeValidator:
    def choose(value: Any) -> str:
        name = value.strip().casefold() if isinstance(value, str) else ""
        return name if name in names else otherwise

    return BeforeValidator(choose)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


class PlanGroup(BaseModel):
    """Claims that are said together, in one sentence where the grammar has one."""

    model_config = ConfigDict(extra="ignore")

    claims: Annotated[list[int], BeforeValidator(_numbers)] = Field(
        default_factory=list,
        description="numbers of claims from the menu that belong together",
        # said to the model and its decoder alone: what it gives beyond is left out, not refused
        json_schema_extra={"maxItems": MOST_IN_GROUP, "items": {"type": "integer", "minimum": 1, "maximum": _LARGEST}},
    )
    connective: Annotated[Connective, _one_of(CONNECTIVE_NAMES, "none")] = Field(
        default="none", description="how the sentence goes on from the one before it"
    )


class Plan(BaseModel):
    """What a chat model is asked for: which claims to make, in which order, and in which manner.

    It can be made of nearly any JSON: entries of a wrong type are dropped, not refused, so that a slip costs one claim and
    not the text.
    """

    model_config = ConfigDict(extra="ignore")

    groups: Annotated[list[PlanGroup], BeforeValidator(_groups)] = Field(
        default_factory=list,
        description="the text: groups of claims in the order in which they are said; two to five groups",
        json_schema_extra={"maxItems": MOST_GROUPS},
    )
    audience: Annotated[str, _one_of(AUDIENCES, "")] = Field(
        default="",
        description=f"who reads it: {', '.join(AUDIENCES)}, or nothing",
        json_schema_extra={"enum": [*AUDIENCES, ""]},
    )
    tone: Annotated[str, _one_of(TONES, "plain")] = Field(
        default="plain", description=f"one of {', '.join(TONES)}", json_schema_extra={"enum": list(TONES)}
    )
    comment: Annotated[str, BeforeValidator(_text)] = Field(
        default="",
        description="one sentence of general knowledge on how people use one of the input's words, such as: "
        "'rude' is what guests write of bad service. Nothing on scores, importance, the model or a label. May be empty.",
        json_schema_extra={"maxLength": _LONGEST_COMMENT},
    )

    @model_validator(mode="before")
    @classmethod
    def _from_anything(cls, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return {"groups": value}
        return value


@dataclass(frozen=True)
class Chosen:
    """What of a plan can be used.

    Args:
        groups: the claims of each group, and its connective. No claim occurs twice.
        left_out: what was left out, and why.
    """

    groups: tuple[tuple[tuple[Claim, ...], str], ...]
    left_out: tuple[str, ...] = ()


def chosen_of(plan: Plan, menu: Sequence[MenuItem]) -> Chosen:
    """The claims that a plan chooses from the menu. Numbers that are not on it, or that come again, are left out."""
    by_number = {item.number: item for item in menu}
    groups: list[tuple[tuple[Claim, ...], str]] = []
    unknown, again, over = [], 0, 0
    said: set[int] = set()
    for group in plan.groups:
        claims: list[Claim] = []
        for number in group.claims:
            if number not in by_number:
                unknown.append(number)
            elif number in said:
                again += 1
            elif len(groups) >= MOST_GROUPS or len(claims) >= MOST_IN_GROUP:
                over += 1
            else:
                said.add(number)
                claims += by_number[number].claims
        if claims:
            groups.append((tuple(claims), group.connective))
    left_out = []
    if unknown:
        listed = ", ".join(map(str, sorted(set(unknown))[:5])) + (", ..." if len(set(unknown)) > 5 else "")
        left_out.append(f"numbers that are not on the menu: {listed}")
    if again:
        left_out.append(f"claims that were made before: {again}")
    if over:
        left_out.append(f"claims beyond {MOST_GROUPS} groups of {MOST_IN_GROUP}: {over}")
    return Chosen(tuple(groups), tuple(left_out))
