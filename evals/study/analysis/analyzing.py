"""From answers to an analysis: who is analysed, all numbers, and the words about them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from evals.study.analysis.exclusions import apply_exclusions, check_sources
from evals.study.analysis.measures import measures_of, seconds_of
from evals.study.analysis.nouns import Analysis, table
from evals.study.analysis.settings import settings_of
from evals.study.analysis.tables.agreeing import agreement_table
from evals.study.analysis.tables.hypotheses import hypotheses_tables
from evals.study.analysis.tables.modelling import models_table, script_of
from evals.study.analysis.tables.tabling import (
    bootstrap_table,
    differences_table,
    estimates_table,
    exclusions_table,
    flow_table,
    preferences_table,
    subgroups_table,
    times_table,
    trust_table,
)
from evals.study.analysis.telling import paragraphs_of
from saywhy_core.errors import Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evals.study.analysis.exclusions import Flow
    from evals.study.analysis.measures import Measure
    from evals.study.analysis.nouns import Table
    from evals.study.analysis.settings import Settings
    from evals.study.answers import Answers
    from evals.study.folder import Study

UNNAMED = "(unnamed)"
"""The condition of trials whose answers name none."""
FEW = 10
"""Participants or items below which intervals and tests cover less often than they say."""


def analyze(
    answers: Answers,
    *,
    study: Study | None = None,
    alpha: float | None = None,
    bootstrap: int | None = None,
    reference: str | None = None,
    subgroups: Sequence[str] | None = None,
    rules: Mapping[str, Any] | None = None,
    seed: int | None = None,
    problems: list[Problem] | None = None,
) -> Analysis:
    """Analyse the answers of a study.

    Args:
        answers: all answers, of people or of simulated participants.
        study: the study, which states exclusions, hypotheses and more; None for answers from elsewhere.
        alpha: the level of tests, and one less that of intervals; 0.05 unless the study says otherwise.
        bootstrap: resamples of the bootstrap, from 200; 2,000 unless the study says otherwise.
        reference: the condition that the others are compared with, instead of the study's.
        subgroups: facts about items or participants whose values make subgroups, instead of the study's. By default the label,
            whether the model is right, coverage and length, where the answers hold them.
        rules: exclusion rules by name with their values, instead of the study's: `incomplete`, `failed_comprehension`,
            `failed_attention`, `median_seconds_below`, `same_answer_share_above`, `accuracy_below`, `trial_seconds_below`,
            `trial_seconds_above`. None or False turns one off.
        seed: of the bootstrap, instead of the study's.
        problems: where ratings beyond their scale are noted, which are not analysed. Without it, the first is an error.

    Raises:
        UsageError: answers of people and of simulated participants are mixed, there are none, a rating lies beyond the scale
            that the study states, or an argument is out of its range or names what is not there.
    """
    people = check_sources(answers)
    answers = _completed(answers, study)
    settings = settings_of(
        answers, study, alpha=alpha, bootstrap=bootstrap, reference=reference, subgroups=subgroups, rules=rules or {}, seed=seed
    )  # fmt: skip
    answers = _within_scales(answers, settings.points, problems)
    kept, flow = apply_exclusions(answers, settings.rules)
    tasks = measures_of(kept)
    seconds = seconds_of(kept, "seconds" if "seconds" not in {one.name for one in tasks} else "page-seconds")
    measures = (*tasks, seconds) if len(seconds) else tasks
    tables, limits = _tables(answers, kept, flow, measures, settings)
    kinds = {one.name: one.task_kind for one in measures}
    shown = {one.name: settings.points[one.name] for one in measures if one.name in settings.points}
    return Analysis(
        title=settings.title,
        people=people,
        settings={
            "level": settings.level,
            "alpha": settings.alpha,
            "bootstrap": settings.bootstrap,
            "seed": settings.seed,
            "reference": settings.reference,
            "conditions": list(settings.conditions),
            "exclusion rules": settings.rules.model_dump(),
            "chance": dict(settings.chance),
            "points": {name: list(ends) for name, ends in shown.items()},
            "margins": {one.task: one.margin for one in settings.hypotheses if one.margin is not None},
        },
        flow=flow,
        tables=tables,
        paragraphs=paragraphs_of(tables, kinds, settings.alpha, settings.reference),
        limits=limits,
        tidy=kept.to_csv(),
        script=script_of(measures, settings, people),
    )


def _completed(answers: Answers, study: Study | None) -> Answers:
    """With the study's facts about items, and a name for the condition of each trial."""
    items = {key: dict(facts) for key, facts in answers.items.items()}
    if study is not None:
        for key, item in study.items.items():
            items[key] = {**item.facts, **items.get(key, {})}
    rows = answers.rows
    if any(row.phase == "trial" and not row.condition for row in rows):
        rows = tuple(replace(row, condition=UNNAMED) if row.phase == "trial" and not row.condition else row for row in rows)
    return replace(answers, rows=rows, items=items)


def _within_scales(answers: Answers, points: Mapping[str, tuple[float, float]], problems: list[Problem] | None) -> Answers:
    """The answers without the ratings that lie beyond their scales."""
    beyond = [
        row
        for row in answers.of_phase("trial")
        if row.value is not None and row.task in points and not points[row.task][0] <= row.value <= points[row.task][1]
    ]
    found = []
    for row in beyond:
        low, high = points[row.task]
        place = f", trial {row.trial}" if row.trial is not None else ""
        found.append(
            Problem(
                f"participant {row.participant!r}{place}, item {row.item!r} under {row.condition!r}",
                f"the rating {row.task!r} is {row.value:g}, and its points are {low:g} to {high:g}",
            )
        )
    if found and problems is None:
        raise UsageError(str(found[0]))
    if problems is not None:
        problems += found
    left_out = {id(row) for row in beyond}
    return replace(answers, rows=tuple(row for row in answers.rows if id(row) not in left_out)) if found else answers


def _tables(
    answers: Answers, kept: Answers, flow: Flow, measures: Sequence[Measure], settings: Settings
) -> tuple[dict[str, Table], tuple[str, ...]]:
    models, of_models = models_table(measures, settings)
    subgroups, of_subgroups = subgroups_table(kept, measures, settings)
    hypotheses, equivalence = hypotheses_tables(measures, settings)
    tables = [
        _settings_table(flow, settings),
        _measures_table(measures),
        estimates_table("accuracy", measures, settings),
        estimates_table("ratings", measures, settings),
        times_table(measures, settings),
        preferences_table(measures, settings),
        trust_table(kept, measures, settings),
        differences_table(measures, settings),
        hypotheses,
        equivalence,
        agreement_table(kept, measures, settings),
        models,
        subgroups,
        bootstrap_table(measures, settings),
        flow_table(flow),
        exclusions_table(answers, flow),
    ]
    return {one.name: one for one in tables}, (*_limits(measures, settings), *of_models, *of_subgroups)


def _settings_table(flow: Flow, settings: Settings) -> Table:
    people = flow.noun == "participants"
    rows: list[dict[str, Any]] = [
        {"setting": "answers by", "value": "people" if people else "simulated participants"},
        {"setting": "level of intervals, %", "value": settings.level},
        {"setting": "alpha of tests", "value": settings.alpha},
        {"setting": "resamples", "value": settings.bootstrap},
        {"setting": "seed", "value": settings.seed},
        {"setting": "reference", "value": settings.reference or "(not given)"},
    ]
    rows += [
        {"setting": f"exclusion rule {name}", "value": _said(value)} for name, value in settings.rules.model_dump().items()
    ]
    return table("settings", "Settings", ("setting", "value"), rows)


def _said(value: object) -> float | str:
    if value is None or isinstance(value, bool):
        return "on" if value else "off"
    return float(value) if isinstance(value, (int, float)) else str(value)


def _measures_table(measures: Sequence[Measure]) -> Table:
    rows = [
        {
            "measure": one.name, "kind": one.kind, "task_kind": one.task_kind,
            "conditions": len(set(one.conditions.tolist())), "participants": len(set(one.participants.tolist())),
            "items": len(set(one.items.tolist())), "answers": len(one), "blanks": one.blanks,
        }
        for one in measures
    ]  # fmt: skip
    note = "Questions without an answer count as wrong where there is a right answer; elsewhere they are left out."
    columns = ("measure", "kind", "task_kind", "conditions", "participants", "items", "answers", "blanks")
    return table("measures", "What was measured", columns, rows, note)


def _limits(measures: Sequence[Measure], settings: Settings) -> list[str]:
    said: dict[str, None] = {}
    for one in measures:
        people, items = len(set(one.participants.tolist())), len(set(one.items.tolist()))
        if people < FEW or items < FEW:
            said[
                f"{_counted(people, 'participant')} and {_counted(items, 'item')} stand behind {one.name}; with fewer than "
                f"{FEW} of either, intervals and tests are less sure than they say, and one alone tells nothing about others."
            ] = None
        if UNNAMED in one.conditions.tolist():
            said[f"Some answers to {one.name} name no condition; they stand together as {UNNAMED}."] = None
        if one.kind == "rating" and one.name not in settings.points:
            low, high = (f"{end:g}" for end in (one.values.min(), one.values.max()))
            said[
                f"The scale of {one.name} is stated nowhere; its answers run from {low} to {high}, and none was left out for "
                "lying beyond it."
            ] = None
        if one.blanks:
            counted = "counts as wrong" if one.kind == "accuracy" else "is left out"
            if one.blanks > 1:
                counted = "count as wrong" if one.kind == "accuracy" else "are left out"
            said[f"Without an answer: {_counted(one.blanks, 'question')} of {one.name}, which {counted}."] = None
    fewer = _asked_less(measures)
    if fewer and any(one.kind == "seconds" for one in measures):
        said[
            f"Trials with {', '.join(fewer)} ask fewer questions than others, so that they take less time for that alone; "
            "differences in time do not tell that the explanation was read faster."
        ] = None
    if not any(one.claim == "same" and one.margin is not None for one in settings.hypotheses):
        said[
            "No hypothesis states a margin within which two conditions count as the same, so nothing here says that two "
            "conditions do not differ: a difference that was not found may still be there."
        ] = None
    return list(said)


def _asked_less(measures: Sequence[Measure]) -> list[str]:
    """The conditions under which some question is not asked that is asked under others."""
    asked: dict[str, set[str]] = {}
    for one in measures:
        for condition in dict.fromkeys(one.conditions.tolist()):
            if one.kind != "seconds" and " vs " not in condition:
                asked.setdefault(condition, set()).add(one.name)
    most = max(map(len, asked.values()), default=0)
    return [condition for condition, names in asked.items() if len(names) < most]


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
