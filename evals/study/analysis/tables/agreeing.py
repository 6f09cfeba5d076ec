"""`agreement.csv`: how far participants gave the same answers to the same items, per condition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evals.study.analysis.nouns import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.study.analysis.measures import Measure
    from evals.study.analysis.nouns import Table
    from evals.study.analysis.settings import Settings
    from evals.study.analysis.statistics import Crossed
    from evals.study.answers import Answers

ALL = "all conditions"
"""All conditions together, where an item under each of them counts as an item of its own."""
_NAMES = {
    ("krippendorff", "nominal"): "Krippendorff's alpha",
    ("krippendorff", "ordinal"): "Krippendorff's alpha (ordinal)",
    ("fleiss", "nominal"): "Fleiss' kappa",
}


def agreement_table(answers: Answers, measures: Sequence[Measure], settings: Settings) -> Table:
    """Agreement about the responses themselves: which label was chosen, or which rating was given.

    Tasks with right answers have Krippendorff's alpha on the nominal scale and Fleiss' kappa; ratings have alpha on the ordinal
    scale. Where a participant answered an item under a condition more than once, the first answer counts.
    """
    rows: list[dict[str, Any]] = []
    for one in measures:
        if one.kind == "accuracy":
            crossed = _responses(answers, one.name, settings)
            for coefficient in ("krippendorff", "fleiss"):
                rows += _rows(one.name, crossed, coefficient, "nominal", settings)
        elif one.kind == "rating":
            rows += _rows(one.name, _responses(answers, one.name, settings, rated=True), "krippendorff", "ordinal", settings)
    note = (
        f"Of the responses, with {settings.level:g} % intervals by the bootstrap over participants and items. 1 is full "
        "agreement, and 0 what chance gives; values are low, too, where nearly everybody gives the same answer."
    )
    columns = ("condition", "measure", "statistic", "value", "low", "high", "participants", "items", "note")
    return table("agreement", "Agreement", columns, rows, note)


def _responses(answers: Answers, name: str, settings: Settings, *, rated: bool = False) -> Crossed:
    """What each participant answered, once per item and condition: ratings, or codes of texts."""
    from evals.study.analysis.statistics import Crossed

    first: dict[tuple[str, str, str], float | str] = {}
    for row in answers.of_phase("trial"):
        value = row.value if rated else row.response
        if row.task == name and value is not None and value != "":
            first.setdefault((row.participant, row.item, row.condition), value)
    values = list(first.values())
    numbers = np.array(values, dtype=float) if rated else np.unique(np.array(values, dtype=np.str_), return_inverse=True)[1]
    people, items, conditions = zip(*first, strict=True) if first else ((), (), ())
    order = [condition for condition in settings.conditions if condition in set(conditions)]
    return Crossed.of(numbers.astype(float), people, items, conditions, order=order)


def _rows(name: str, crossed: Crossed, coefficient: Any, scale: Any, settings: Settings) -> list[dict[str, Any]]:
    from evals.study.analysis.statistics import agreement

    if not len(crossed):
        return []
    found = agreement(
        crossed, coefficient=coefficient, scale=scale, level=1 - settings.alpha, draws=settings.bootstrap, seed=settings.seed
    )
    return [
        {
            "condition": one.condition or ALL, "measure": name, "statistic": _NAMES[(coefficient, scale)], "value": one.value,
            "low": one.low, "high": one.high, "participants": one.participants, "items": one.units, "note": one.note,
        }
        for one in found
    ]  # fmt: skip
