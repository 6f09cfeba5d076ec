"""The hypotheses of `study.yaml`, answered one by one, and what counts as the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.study.analysis.measures import VERSUS
from evals.study.analysis.nouns import table
from evals.study.analysis.tables.estimating import adjusted, differences_of, equivalence_of, preferred_of
from evals.study.analysis.tables.tabling import UNITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.study.analysis.measures import Measure
    from evals.study.analysis.nouns import Table
    from evals.study.analysis.settings import Settings
    from evals.study.analysis.tables.estimating import Found
    from evals.study.design.file import HypothesisPart

SUPPORTED, NOT_SUPPORTED, UNDECIDED = "supported", "not supported", "undecided"


def hypotheses_tables(measures: Sequence[Measure], settings: Settings) -> tuple[Table, Table]:
    """`hypotheses.csv` and `equivalence.csv`.

    - "higher" and "lower" are supported where the difference lies that way and its p is below alpha, and not supported where
      it lies the other way as clearly.
    - "different" is supported where p is below alpha.
    - "same" is supported where both one-sided tests against the margin are below alpha (Schuirmann 1987), and not supported
      where the interval lies wholly beyond the margin. Without a margin it stays undecided: a difference that was not found is
      no sameness.
    - "higher", "lower" and "different" with a margin are not supported, too, where the difference is equivalent to none within
      it.
    - Everything else is undecided.

    Holm's correction goes over all hypotheses. In a preference, the difference is that from one half of the comparisons.
    """
    by_name = {one.name: one for one in measures}
    tested = [_tested(part, by_name, settings) for part in settings.hypotheses]
    corrected = adjusted([None if one is None else one[0].p for one in tested])
    rows, equal = [], []
    for number, (part, found, p) in enumerate(zip(settings.hypotheses, tested, corrected, strict=True), 1):
        row = _row(number, part)
        if found is None:
            rows.append(row | {"verdict": UNDECIDED, "why": _missing(part, by_name)})
            continue
        shown, band, unit = found
        row |= {"unit": unit, "difference": shown.value, "low": shown.low, "high": shown.high, "p": shown.p, "p_holm": p}
        verdict, why = _verdict(part, shown, band, p, settings.alpha, unit)
        rows.append(row | {"verdict": verdict, "why": why})
        if band is not None:
            equal.append(
                {
                    "measure": part.task, "condition": part.condition, "reference": part.reference, "unit": unit,
                    "margin": part.margin, "difference": band.value, "low": band.low, "high": band.high, "p": band.p,
                    "equivalent": "not tested" if band.p is None else "yes" if band.p < settings.alpha else "not shown",
                }
            )  # fmt: skip
    columns = (
        "number", "hypothesis", "measure", "condition", "reference", "claim", "margin", "unit", "difference", "low", "high",
        "p", "p_holm", "verdict", "why",
    )  # fmt: skip
    note = f"{settings.level:g} % intervals; Holm's correction goes over all hypotheses."
    of_margin = f"Two one-sided tests against the stated margin, with {100 * (1 - 2 * settings.alpha):g} % intervals."
    names = ("measure", "condition", "reference", "unit", "margin", "difference", "low", "high", "p", "equivalent")
    return table("hypotheses", "Hypotheses", columns, rows, note), table("equivalence", "Equivalence", names, equal, of_margin)


def _tested(part: HypothesisPart, by_name: dict[str, Measure], settings: Settings) -> tuple[Found, Found | None, str] | None:
    """The difference, its equivalence where a margin is stated, and their unit. The p of a "same" is the equivalence's."""
    measure = by_name.get(part.task)
    if measure is None or _missing(part, by_name):
        return None
    pair = (part.condition, part.reference)
    if measure.kind == "preference":
        found, band = preferred_of(measure, pair, part.margin, settings)
    else:
        (found,) = differences_of(measure, [pair], settings)
        band = None if part.margin is None else equivalence_of(measure, pair, part.margin, settings)
    if part.claim == "same":
        found = found.with_p(None if band is None else band.p)
    return found, band, UNITS[measure.kind]


def _missing(part: HypothesisPart, by_name: dict[str, Measure]) -> str:
    measure = by_name.get(part.task)
    if measure is None:
        return f"there are no answers to {part.task}"
    there = set(measure.conditions.tolist())
    if measure.kind == "preference":
        pair = VERSUS.join(sorted((part.condition, part.reference)))
        return "" if pair in there else "nobody compared the two"
    lacking = [name for name in (part.condition, part.reference) if name not in there]
    return f"there are no answers under {' and '.join(lacking)}" if lacking else ""


def _row(number: int, part: HypothesisPart) -> dict[str, Any]:
    said = {
        "higher": f"{part.task} is higher with {part.condition} than with {part.reference}",
        "lower": f"{part.task} is lower with {part.condition} than with {part.reference}",
        "different": f"{part.task} differs between {part.condition} and {part.reference}",
        "same": f"{part.task} is the same with {part.condition} and with {part.reference}",
    }[part.claim]
    return {
        "number": number, "hypothesis": said, "measure": part.task, "condition": part.condition, "reference": part.reference,
        "claim": part.claim, "margin": part.margin,
    }  # fmt: skip


def _verdict(
    part: HypothesisPart, found: Found, band: Found | None, p: float | None, alpha: float, unit: str
) -> tuple[str, str]:
    zero = 1.0 if unit == "ratio" else 0.0
    if found.value is None or (p is None and (part.claim != "same" or part.margin is not None)):
        return UNDECIDED, found.note or "the answers don't tell how uncertain the difference is"
    clear = p is not None and p < alpha
    if part.claim == "same":
        if part.margin is None:
            return UNDECIDED, "no margin is stated, and a difference that was not found is no sameness"
        low, high = (1 / (1 + part.margin), 1 + part.margin) if unit == "ratio" else (-part.margin, part.margin)
        if clear:
            return SUPPORTED, "both one-sided tests reject a difference as large as the margin"
        beyond = found.low is not None and found.high is not None and (found.low > high or found.high < low)
        return (
            (NOT_SUPPORTED, "the interval lies beyond the margin")
            if beyond
            else (UNDECIDED, "the interval reaches beyond the margin")
        )
    if clear and part.claim == "different":
        return SUPPORTED, "the difference is clear of none"
    if clear:
        agrees = (found.value > zero) == (part.claim == "higher")
        return (
            (SUPPORTED, "the difference is clear, and lies as claimed")
            if agrees
            else (NOT_SUPPORTED, "the difference is clear, and lies the other way")
        )
    if band is not None and band.p is not None and band.p < alpha:
        return NOT_SUPPORTED, "the difference is equivalent to none within the stated margin"
    return UNDECIDED, "the answers are compatible with no difference, and with one"
