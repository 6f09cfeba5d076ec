"""The tables of an analysis, each made of the measures alone."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from evals.study.analysis.measures import VERSUS, said_right
from evals.study.analysis.nouns import table
from evals.study.analysis.settings import MANY
from evals.study.analysis.tables.estimating import adjusted, differences_of, means_of
from evals.study.analysis.tables.subgrouping import subgroup_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from evals.study.analysis.exclusions import Flow
    from evals.study.analysis.measures import Measure
    from evals.study.analysis.nouns import Table
    from evals.study.analysis.settings import Settings
    from evals.study.analysis.tables.estimating import Found
    from evals.study.answers import Answers

ESTIMATES = ("condition", "measure", "mean", "low", "high", "participants", "items")
"""The columns of `accuracy.csv` and `ratings.csv`, which other programs rely on."""
EFFECTS = {"cohen_h": "Cohen's h", "d": "d (in standard deviations of answers)"}
UNITS = {"accuracy": "points", "preference": "points", "rating": "rating", "seconds": "ratio"}
"""What differences of each kind of measure are counted in: shares, points of the rating, or ratios of geometric means."""


def estimates_table(name: str, measures: Sequence[Measure], settings: Settings) -> Table:
    """`accuracy.csv` or `ratings.csv`: means per condition and task with intervals."""
    kind, title = ("accuracy", "Right answers") if name == "accuracy" else ("rating", "Ratings")
    rows = [
        {"condition": condition, "measure": one.name, "mean": found.value, **_ends(found)}
        for one in measures
        if one.kind == kind
        for condition, found in means_of(one, settings).items()
    ]
    note = f"Means of the participants' means, with {settings.level:g} % intervals over participants and items."
    return table(name, title, ESTIMATES, rows, note)


def bootstrap_table(measures: Sequence[Measure], settings: Settings) -> Table:
    """`bootstrap.csv`: the same means with intervals by the bootstrap over participants and items, as a second opinion."""
    rows = [
        {"condition": condition, "measure": one.name, "mean": found.value, **_ends(found), "note": found.note}
        for one in measures
        if one.kind in ("accuracy", "rating")
        for condition, found in means_of(one, settings, resampled=True).items()
    ]
    note = (
        f"The same means with {settings.level:g} % intervals by the bootstrap over participants and items, "
        f"{settings.bootstrap:,} resamples. Where both intervals tell a different story, trust neither."
    )
    return table("bootstrap", "Intervals by the bootstrap", (*ESTIMATES, "note"), rows, note)


def _ends(found: Found) -> dict[str, Any]:
    return {"low": found.low, "high": found.high, "participants": found.participants, "items": found.items}


def times_table(measures: Sequence[Measure], settings: Settings) -> Table:
    """`times.csv`: geometric means and medians of the time on a trial."""
    rows = []
    for one in measures:
        if one.kind == "seconds":
            for condition, found in means_of(one, settings).items():
                middle = float(np.median(one.under(condition).values))
                rows.append(
                    {"condition": condition, "measure": one.name, "mean": found.value, **_ends(found), "median": middle}
                )
    note = f"Geometric means of the time on a trial, with {settings.level:g} % intervals over participants and items; medians."
    columns = ("condition", "measure", "mean", "low", "high", "median", "participants", "items")
    return table("times", "Time on a trial", columns, rows, note)


def preferences_table(measures: Sequence[Measure], settings: Settings) -> Table:
    """`preferences.csv`: how often a condition was preferred over another, in the order of `differences.csv`."""
    rows: list[dict[str, Any]] = []
    ordered = pairs(settings.conditions, settings.reference)
    for one in measures:
        if one.kind == "preference":
            for pair, found in means_of(one, settings).items():
                first, second = pair.split(VERSUS, 1)
                if (first, second) not in ordered:  # the same from the other side
                    first, second, found = second, first, found.mirrored()
                row = {"condition": first, "reference": second, "measure": one.name, "share": found.value, "p": found.p}
                rows.append(row | _ends(found))
    for row, p in zip(rows, adjusted([row["p"] for row in rows]), strict=True):
        row["p_holm"] = p
    note = (
        f"Shares with {settings.level:g} % intervals over participants and items; p for a share of one half. "
        "Who prefers neither counts half for each."
    )
    columns = ("condition", "reference", "measure", "share", "low", "high", "p", "p_holm", "participants", "items")
    return table("preferences", "Preferred of two", columns, rows, note)


def trust_table(answers: Answers, measures: Sequence[Measure], settings: Settings) -> Table:
    """`trust.csv`: how often participants said that the model is right, where it is and where it isn't."""
    rows = []
    for one in measures:
        parts = said_right(answers, one.name) if one.task_kind == "trust" else None
        for model, part in zip(("right", "wrong"), parts or (), strict=False):
            for condition, found in means_of(part, settings).items():
                row = {"condition": condition, "measure": one.name, "model": model, "said_right": found.value}
                rows.append(row | _ends(found))
    note = (
        "How often participants said that the model is right. Where it is wrong, each such answer is too much trust; where it "
        "is right, each answer that it is wrong is too little."
    )
    columns = ("condition", "measure", "model", "said_right", "low", "high", "participants", "items")
    return table("trust", "Trust", columns, rows, note)


def differences_table(measures: Iterable[Measure], settings: Settings) -> Table:
    """`differences.csv`: all pairs of conditions in each measure; with a reference, those with it come first."""
    rows: list[dict[str, Any]] = []
    for one in measures:
        if one.kind == "preference":
            continue
        there = _of(one, settings)
        wanted = pairs(there, settings.reference)
        if len(there) > MANY:
            base = settings.reference if settings.reference in there else there[0]
            wanted = [pair for pair in wanted if pair[1] == base]
        found = differences_of(one, wanted, settings)
        own = [_difference_row(one, *pair, result) for pair, result in zip(wanted, found, strict=True)]
        for row, p in zip(own, adjusted([row["p"] for row in own]), strict=True):
            row["p_holm_all"] = row["p_holm"] = p
        to_reference = [row for row in own if row["reference"] == settings.reference]
        for row, p in zip(to_reference, adjusted([row["p"] for row in to_reference]), strict=True):
            row["p_holm"] = p
        rows += own
    family = "the comparisons with the reference, and over all pairs for the others" if settings.reference else "all pairs"
    note = (
        f"With {settings.level:g} % intervals over participants and items. Holm's correction goes over {family}, within each "
        "measure. Times are compared by ratios."
    )
    columns = (
        "measure", "condition", "reference", "unit", "difference", "low", "high", "p", "p_holm", "p_holm_all", "effect",
        "effect_name", "d_z", "cliff_delta", "participants", "items", "note",
    )  # fmt: skip
    return table("differences", "Differences", columns, rows, note)


def _difference_row(measure: Measure, condition: str, reference: str, found: Found) -> dict[str, Any]:
    effects = found.effects or {}
    name = next(iter(effects), "")
    return {
        "measure": measure.name, "condition": condition, "reference": reference, "unit": UNITS[measure.kind],
        "difference": found.value, "p": found.p, "effect": effects.get(name), "effect_name": EFFECTS.get(name, name),
        "d_z": effects.get("d_z"), "cliff_delta": effects.get("cliff_delta"), **_ends(found), "note": found.note,
    }  # fmt: skip


def pairs(conditions: Sequence[str], reference: str | None) -> list[tuple[str, str]]:
    """All pairs (condition, reference): those with the reference first."""
    first = [(one, reference) for one in conditions if reference in conditions and one != reference and reference]
    rest = [(b, a) for a, b in combinations([one for one in conditions if one != reference], 2)]
    return first + rest


def subgroups_table(answers: Answers, measures: Sequence[Measure], settings: Settings) -> tuple[Table, tuple[str, ...]]:
    """`subgroups.csv`: means per value of a fact about items or participants, and which facts made no groups."""
    rows, limits = subgroup_rows(answers, measures, settings)
    columns = ("subgroup", "value", "measure", "condition", "unit", "mean", "low", "high", "participants", "items")
    return table("subgroups", "Subgroups", columns, rows, "Described, not tested: few answers stand behind each."), limits


def flow_table(flow: Flow) -> Table:
    """`flow.csv`: the boxes of the flow chart."""
    rows = [{"stage": one.name, "participants": one.participants, "kept": "yes" if one.kept else "no"} for one in flow.stages]
    return table("flow", "From those who joined to those who are analysed", ("stage", "participants", "kept"), rows)


def exclusions_table(answers: Answers, flow: Flow) -> Table:
    """`exclusions.csv`: each participant, whether they are analysed, and why not."""
    left_out = {one.participant: one for one in flow.exclusions}
    rows = [
        {
            "participant": code, "source": one.source, "status": one.status, "cell": one.cell,
            "analysed": "no" if code in left_out else "yes",
            "rule": left_out[code].rule if code in left_out else "",
            "detail": left_out[code].detail if code in left_out else "",
        }
        for code, one in answers.participants.items()
    ]  # fmt: skip
    columns = ("participant", "source", "status", "cell", "analysed", "rule", "detail")
    return table("exclusions", "Who is analysed", columns, rows)


def _of(measure: Measure, settings: Settings) -> tuple[str, ...]:
    """The conditions of a measure in the order of the results."""
    there = set(measure.conditions.tolist())
    return tuple(name for name in settings.conditions if name in there)
