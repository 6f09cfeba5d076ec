"""Means of subgroups: of items by their facts, and of participants by theirs."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from evals.study.analysis.tables.estimating import means_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evals.study.analysis.measures import Measure
    from evals.study.analysis.settings import Settings
    from evals.study.answers import Answers

MOST_VALUES = 8
"""Values of a fact that make subgroups of their own; numbers with more are cut at their median, and texts make none."""


def subgroup_rows(
    answers: Answers, measures: Sequence[Measure], settings: Settings
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Rows of `subgroups.csv`, and sentences about facts that make no groups."""
    rows: list[dict[str, Any]] = []
    limits: list[str] = []
    for fact in settings.subgroups:
        of_items = any(fact in facts for facts in answers.items.values())
        known: Mapping[str, str] = (
            {key: facts[fact] for key, facts in answers.items.items() if facts.get(fact)}
            if of_items
            else {code: one.attributes[fact] for code, one in answers.participants.items() if one.attributes.get(fact)}
        )
        grouped = _groups(known)
        if isinstance(grouped, str):
            limits.append(f"No subgroups by {fact}: {grouped}.")
            continue
        for measure in measures:
            if measure.kind in ("accuracy", "rating"):
                rows += _rows(fact, grouped, measure, settings, of_items=of_items)
    return rows, tuple(limits)


def _rows(
    fact: str, groups: Mapping[str, set[str]], measure: Measure, settings: Settings, *, of_items: bool
) -> list[dict[str, Any]]:
    rows = []
    whose = measure.items if of_items else measure.participants
    for value, members in groups.items():
        part = measure.where(np.isin(whose, sorted(members)))
        for condition, found in means_of(part, settings).items():
            rows.append(
                {
                    "subgroup": fact, "value": value, "measure": measure.name, "condition": condition,
                    "unit": "percent" if measure.kind == "accuracy" else "rating", "mean": found.value, "low": found.low,
                    "high": found.high, "participants": found.participants, "items": found.items,
                }
            )  # fmt: skip
    return rows


def _groups(known: Mapping[str, str]) -> dict[str, set[str]] | str:
    """The members of each group, or why there are none."""
    values = list(dict.fromkeys(known.values()))
    if len(values) < 2:
        return f"all have the value {values[0]!r}" if values else "no value is known"
    if len(values) <= MOST_VALUES:
        return {value: {key for key, one in known.items() if one == value} for value in sorted(values, key=_natural)}
    try:
        numbers = {key: float(value) for key, value in known.items()}
    except ValueError:
        return f"it has {len(values)} different values, more than {MOST_VALUES}"
    middle = median(numbers.values())
    low = {key for key, number in numbers.items() if number <= middle}
    high = set(numbers) - low
    if not high:
        return "more than half have its greatest value"
    return {f"up to {middle:g}": low, f"above {middle:g}": high}


def _natural(value: str) -> tuple[int, float, str]:
    try:
        return (0, float(value), value)
    except ValueError:
        return (1, 0.0, value)
