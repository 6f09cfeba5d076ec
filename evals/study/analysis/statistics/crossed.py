"""Values of participants and items under conditions, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Crossed:
    """One value per answer, with its participant, item and condition. Any triples may be missing or repeated.

    Attributes:
        values: one finite number per answer, shape (answers,).
        participant: place of the answer's participant in `participants`, shape (answers,).
        item: place of the answer's item in `items`, shape (answers,).
        condition: place of the answer's condition in `conditions`, shape (answers,).
        participants: names of the participants.
        items: names of the items.
        conditions: names of the conditions, in the order in which results name them.

    Raises:
        UsageError: the arrays differ in length, a value is not finite, a place lies outside its names, or a name stands twice.
    """

    values: NDArray[np.float64]
    participant: NDArray[np.intp]
    item: NDArray[np.intp]
    condition: NDArray[np.intp]
    participants: tuple[str, ...]
    items: tuple[str, ...]
    conditions: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", np.asarray(self.values, dtype=np.float64))
        for name, names in (("participant", "participants"), ("item", "items"), ("condition", "conditions")):
            codes = np.asarray(getattr(self, name))
            if codes.size and codes.dtype.kind not in "iu":
                raise UsageError(f"{name} holds {codes.dtype} instead of whole numbers: give places in {names}")
            codes = codes.astype(np.intp)
            known = tuple(getattr(self, names))
            object.__setattr__(self, name, codes)
            object.__setattr__(self, names, known)
            if codes.shape != self.values.shape or codes.ndim != 1:
                raise UsageError(
                    f"{name} has shape {codes.shape} beside values of shape {self.values.shape}: give one per value"
                )
            if codes.size and not 0 <= codes.min() <= codes.max() < len(known):
                raise UsageError(f"{name} has places from {codes.min()} to {codes.max()}, but there are {len(known)} {names}")
            if len(set(known)) != len(known):
                raise UsageError(f"{names} has a name twice: give each once")
        if not np.isfinite(self.values).all():
            place = int(np.flatnonzero(~np.isfinite(self.values))[0])
            raise UsageError(f"value {place} is {self.values[place]}: leave out answers that have no number")

    @classmethod
    def of(
        cls,
        values: ArrayLike,
        participants: Sequence[str],
        items: Sequence[str],
        conditions: Sequence[str],
        *,
        order: Sequence[str] | None = None,
    ) -> Crossed:
        """From the names of each answer's participant, item and condition.

        Args:
            values: one number per answer.
            participants: name of the participant of each answer.
            items: name of the item of each answer.
            conditions: name of the condition of each answer.
            order: the conditions in the order of the results; by default in the order of their first answers.

        Raises:
            UsageError: a condition is not in `order`, or the lengths differ.
        """
        (participant, people), (item, things) = _coded(participants), _coded(items)
        condition, names = _coded(conditions, order)
        return cls(np.asarray(values, dtype=np.float64), participant, item, condition, people, things, names)

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def binary(self) -> bool:
        """Whether every value is 0 or 1."""
        return bool(np.isin(self.values, (0.0, 1.0)).all())

    def place(self, condition: str) -> int:
        """The place of a condition.

        Raises:
            UsageError: there is no such condition.
        """
        if condition not in self.conditions:
            raise UsageError(f"there is no condition {condition!r}: name one of {', '.join(self.conditions)}")
        return self.conditions.index(condition)

    def where(self, kept: NDArray[Any]) -> Crossed:
        """The answers at which `kept` is true (or whose places it lists), with all names as they are."""
        return Crossed(
            self.values[kept], self.participant[kept], self.item[kept], self.condition[kept],
            self.participants, self.items, self.conditions,
        )  # fmt: skip

    def with_values(self, values: ArrayLike) -> Crossed:
        """The same layout with other values."""
        return Crossed(
            np.asarray(values, dtype=np.float64), self.participant, self.item, self.condition,
            self.participants, self.items, self.conditions,
        )  # fmt: skip


def _coded(names: Sequence[str], order: Sequence[str] | None = None) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    known = {name: place for place, name in enumerate(dict.fromkeys(names) if order is None else order)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"condition {unknown[0]!r} is not in the order given: {', '.join(known)}")
    return np.fromiter((known[name] for name in names), np.intp, len(names)), tuple(known)
