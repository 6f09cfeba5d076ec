"""`models.csv`: mixed models of each measure, with what they can't say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.study.analysis.nouns import table
from evals.study.analysis.settings import MANY
from evals.study.analysis.tables.estimating import crossed_of
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.study.analysis.measures import Measure
    from evals.study.analysis.nouns import Table
    from evals.study.analysis.settings import Settings
    from evals.study.analysis.statistics.models import Kind

_KINDS: dict[str, tuple[Kind, ...]] = {"accuracy": ("binomial",), "rating": ("cumulative", "linear"), "seconds": ("linear",)}
"""Which models each kind of measure has; times enter by their logarithms."""
_UNITS = {"binomial": "log odds", "cumulative": "log odds of a higher rating"}


def models_table(measures: Sequence[Measure], settings: Settings) -> tuple[Table, tuple[str, ...]]:
    """Conditions as fixed effects against the reference, participants and items as crossed random intercepts.

    Without a reference, the first condition stands in its place. Measures with one condition, participant or item have no
    model.

    Returns:
        the table, and the limits of its models in sentences.
    """
    rows: list[dict[str, Any]] = []
    limits: dict[str, None] = {}
    for one in measures:
        sizes = [len(set(names.tolist())) for names in (one.conditions, one.participants, one.items)]
        if one.kind not in _KINDS:
            continue
        if min(sizes) < 2:
            lacking = ("condition", "participant", "item")[sizes.index(min(sizes))]
            limits[f"There is no mixed model of {one.name}: there is only one {lacking}."] = None
            continue
        if sizes[0] > MANY:
            limits[
                f"{one.name} has {sizes[0]} conditions: with more than {MANY}, each is compared with the reference (or the "
                "first condition) alone, and there are only linear mixed models."
            ] = None
        for kind in _kinds(one, sizes[0]):
            found, said = _rows(one, kind, settings)
            rows += found
            limits |= dict.fromkeys(said)
    columns = (
        "measure", "model", "reference", "term", "estimate", "error", "low", "high", "statistic", "freedom", "p", "p_holm",
        "unit", "answers", "note",
    )  # fmt: skip
    note = (
        "Conditions against the reference, with participants and items as crossed random intercepts. Holm's correction goes "
        "over the conditions of a model."
    )
    return table("models", "Mixed models", columns, rows, note), tuple(limits)


def _kinds(measure: Measure, conditions: int) -> tuple[Kind, ...]:
    return tuple(kind for kind in _KINDS[measure.kind] if kind == "linear" or conditions <= MANY)


def _rows(measure: Measure, kind: Kind, settings: Settings) -> tuple[list[dict[str, Any]], list[str]]:
    from evals.study.analysis.statistics import mixed_model

    there = [name for name in settings.conditions if name in set(measure.conditions.tolist())]
    reference = _reference(there, settings)
    unit = _UNITS.get(kind, "log seconds" if measure.kind == "seconds" else "points")
    try:
        model = mixed_model(crossed_of(measure), kind, reference=reference, level=1 - settings.alpha)
    except UsageError as error:
        return [], [f"There is no {kind} mixed model of {measure.name}: {error}."]
    note = " ".join(model.notes)
    shared = {"measure": measure.name, "model": kind, "reference": model.reference, "answers": model.answers, "note": note}
    rows = [
        {
            **shared, "term": one.name, "estimate": one.estimate, "error": one.error, "low": one.low, "high": one.high,
            "statistic": one.statistic, "freedom": one.freedom, "p": one.p, "p_holm": one.p_holm, "unit": unit,
        }
        for one in model.coefficients
    ]  # fmt: skip
    rows += [
        {**shared, "term": f"standard deviation of {name}", "estimate": value, "unit": unit}
        for name, value in model.deviations.items()
    ]
    said = [f"{model.method} {model.limits}"]
    said += [f"{kind.capitalize()} mixed model of {measure.name}: {one}" for one in model.notes]
    return rows, said


def script_of(measures: Sequence[Measure], settings: Settings, people: bool) -> str:
    """The R script that computes the models again from `tidy.csv`; a comment where there is none to compute."""
    from evals.study.analysis.statistics import ScriptModel, r_script

    columns: dict[str, Any] = {"accuracy": "correct", "rating": "value", "seconds": "seconds"}
    models = []
    for one in measures:
        there = [name for name in settings.conditions if name in set(one.conditions.tolist())]
        if one.kind not in _KINDS or len(there) < 2:
            continue
        reference = _reference(there, settings)
        others = tuple(name for name in there if name != reference)
        task = "" if one.kind == "seconds" else one.name
        models += [
            ScriptModel(
                measure=one.name, kind=kind, column=columns[one.kind], reference=reference, task=task, conditions=others
            )
            for kind in _kinds(one, len(there))
        ]  # fmt: skip
    said = "" if people else "# Simulated participants gave these answers. Nothing here says anything about people.\n"
    if not models:
        return f"{said}# No measure has two conditions, so there is no model to compute.\n"
    return said + r_script(models, level=1 - settings.alpha)


def _reference(there: Sequence[str], settings: Settings) -> str:
    return settings.reference if settings.reference in there and settings.reference else there[0]
