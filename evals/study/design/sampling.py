"""Items for a study: so many of each kind, and told where there are too few."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Literal

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NUMERIC = ("coverage", "length")
"""Facts that are numbers: they are split into thirds, "low", "middle" and "high"."""
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Stratum:
    """Items of one kind.

    Attributes:
        kind: what they have in common, such as {"label": "positive", "model_right": "yes"}.
        available: how many there are.
        wanted: how many the allocation asks for.
        taken: how many were taken.
    """

    kind: Mapping[str, str]
    available: int
    wanted: int
    taken: int

    @property
    def name(self) -> str:
        """In words: "label positive, model_right yes"."""
        return ", ".join(f"{fact} {value}" for fact, value in self.kind.items()) or "all items"


@dataclass(frozen=True)
class Sample:
    """What was drawn.

    Attributes:
        ids: of the items, in the order in which they were given.
        strata: each kind of item.
    """

    ids: tuple[str, ...]
    strata: tuple[Stratum, ...]

    @property
    def short(self) -> tuple[str, ...]:
        """Where there are too few items, in sentences."""
        return tuple(
            f"{one.wanted} items are wanted of {one.name}, and there are {one.available}; others stand in for them"
            for one in self.strata
            if one.available < one.wanted
        )


def stratified(
    facts: Mapping[str, Mapping[str, str]],
    n: int,
    *,
    by: Sequence[str] = ("label", "model_right"),
    seed: int = 0,
    allocation: Literal["proportional", "equal"] = "proportional",
) -> Sample:
    """Draw items so that each kind of item is among them.

    Args:
        facts: for each item's id its facts, such as {"label": "positive", "model_right": "yes", "coverage": "0.61"}.
        n: how many items to draw.
        by: the facts that make the kinds. "coverage" and "length" are split into thirds by their values.
        seed: of the draw.
        allocation: "proportional" draws each kind as often as it is there (largest remainders), "equal" equally often.

    Raises:
        UsageError: there are fewer items than `n`, or no item has one of the facts.
    """
    if not 1 <= n <= len(facts):
        raise UsageError(f"{n} items can't be drawn from {len(facts)}; draw at least 1 and at most {len(facts)}")
    if len(set(by)) < len(by):
        raise UsageError(f"items are stratified by {', '.join(by)}, and one of these stands there twice; name each once")
    if allocation not in ("proportional", "equal"):
        raise UsageError(f"the allocation can't be {allocation!r:.60}; use proportional or equal")
    for fact in by:
        if not any(one.get(fact) for one in facts.values()):
            known = sorted({name for one in facts.values() for name, value in one.items() if value})
            raise UsageError(f"no item has the fact {fact!r:.60}; stratify by some of {', '.join(known) or 'none'}")
    values = {fact: _thirds(facts, fact) if fact in NUMERIC else _values(facts, fact) for fact in by}
    kinds: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in facts:
        kinds[tuple(values[fact][name] for fact in by)].append(name)
    rng = Random(f"{seed}-sample")  # noqa: S311 - no secret
    order = sorted(kinds)
    sizes = [len(kinds[kind]) for kind in order]
    wanted = _shares(n, sizes if allocation == "proportional" else [1] * len(sizes), rng)
    taken = _within(n, wanted, sizes, rng)
    drawn = {name for kind, count in zip(order, taken, strict=True) for name in rng.sample(kinds[kind], count)}
    strata = tuple(
        Stratum(dict(zip(by, kind, strict=True)), have, want, took)
        for kind, have, want, took in zip(order, sizes, wanted, taken, strict=True)
    )
    return Sample(tuple(name for name in facts if name in drawn), strata)


def _values(facts: Mapping[str, Mapping[str, str]], fact: str) -> dict[str, str]:
    return {name: one.get(fact) or UNKNOWN for name, one in facts.items()}


def _thirds(facts: Mapping[str, Mapping[str, str]], fact: str) -> dict[str, str]:
    """Low, middle or high: by the two values that split the items into thirds; equal values stand together."""
    import numpy as np

    numbers: dict[str, float] = {}
    for name, one in facts.items():
        try:
            number = float(one.get(fact) or "nan")
        except ValueError:
            number = float("nan")
        numbers[name] = number
    known = [number for number in numbers.values() if number == number]
    if not known:
        raise UsageError(f"the fact {fact!r} is no number in any item; stratify by another one")
    low, high = np.quantile(known, [1 / 3, 2 / 3])
    return {
        name: UNKNOWN if number != number else "low" if number <= low else "middle" if number <= high else "high"
        for name, number in numbers.items()
    }


def _shares(n: int, weights: Sequence[int], rng: Random) -> list[int]:
    """Whole numbers in proportion to the weights that add up to `n`: by the largest remainders, ties by lot."""
    total = sum(weights)
    found = [n * weight // total for weight in weights]
    lots = [(n * weight % total, rng.random()) for weight in weights]
    for number in sorted(range(len(weights)), key=lots.__getitem__, reverse=True)[: n - sum(found)]:
        found[number] += 1
    return found


def _within(n: int, wanted: Sequence[int], sizes: Sequence[int], rng: Random) -> list[int]:
    """What is wanted, as far as it is there; what is missing is spread over the kinds that have more, in turn."""
    taken = [min(want, have) for want, have in zip(wanted, sizes, strict=True)]
    lots = [rng.random() for _ in sizes]
    while sum(taken) < n:
        open_kinds = [number for number, have in enumerate(sizes) if taken[number] < have]
        number = min(open_kinds, key=lambda one: (taken[one] - wanted[one], lots[one]))
        taken[number] += 1
    return taken
