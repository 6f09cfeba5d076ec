"""What a mixed model says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from evals.study.analysis.statistics.effects import holm
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Coefficient:
    """One fixed effect.

    Attributes:
        name: the condition, for its difference from the reference; "intercept"; or a threshold such as "3|4".
        estimate: in the unit of the values for a linear model, else in log odds; infinite where the condition is separated.
        error: standard error; NaN where there is none, and the notes of the table say why.
        low: lower end of the interval.
        high: upper end of the interval.
        statistic: the estimate by its standard error.
        freedom: degrees of freedom of Student's t; infinite where the normal distribution is used.
        p: two-sided p-value of an effect of 0; NaN for thresholds.
        p_holm: the p-value corrected for all conditions of the table (Holm 1979); NaN for the intercept and thresholds.
    """

    name: str
    estimate: float
    error: float
    low: float
    high: float
    statistic: float
    freedom: float
    p: float
    p_holm: float


@dataclass(frozen=True, kw_only=True)
class ModelTable:
    """The coefficients of a mixed model with crossed random intercepts of participants and items.

    Attributes:
        kind: "linear", "binomial" or "cumulative".
        reference: the condition that the others are compared with.
        coefficients: the intercept (or none for a cumulative model), the conditions, and thresholds (of a cumulative model).
        deviations: standard deviations of "participants", "items" and, in a linear model, of the "remainder".
        criterion: minus twice the log likelihood (restricted for a linear model, Laplace's approximation for the others).
        participants: how many participants are in the model.
        items: how many items are in the model.
        answers: how many answers are in the model.
        converged: whether the search ended in a minimum.
        method: what was computed, in a sentence.
        limits: where it is wrong, in a sentence.
        notes: what went wrong or is special about these data, a sentence each.
    """

    kind: str
    reference: str
    coefficients: tuple[Coefficient, ...]
    deviations: Mapping[str, float]
    criterion: float
    participants: int
    items: int
    answers: int
    converged: bool
    method: str
    limits: str
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Coefficient:
        """The coefficient of this name.

        Raises:
            UsageError: there is none.
        """
        for one in self.coefficients:
            if one.name == name:
                return one
        raise UsageError(f"there is no coefficient {name!r}: name one of {', '.join(one.name for one in self.coefficients)}")


Numbers = tuple[str, float, float, float]
"""Name, estimate, standard error and degrees of freedom of a coefficient."""


def coefficients(
    before: Sequence[Numbers], conditions: Sequence[Numbers], after: Sequence[Numbers], level: float
) -> tuple[Coefficient, ...]:
    """Coefficients with intervals and tests: an intercept, conditions (corrected together), and thresholds (not tested)."""
    tested = [_coefficient(one, level) for one in conditions]
    corrected = holm([one.p for one in tested])
    return (
        *(_coefficient(one, level) for one in before),
        *(replace(one, p_holm=float(p)) for one, p in zip(tested, corrected, strict=True)),
        *(replace(_coefficient(one, level), p=float("nan")) for one in after),
    )


def _coefficient(numbers: Numbers, level: float) -> Coefficient:
    from scipy.stats import t

    name, estimate, error, freedom = numbers
    reach = float(t.ppf((1 + level) / 2, freedom)) * error
    statistic = estimate / error if error > 0 else float("nan")
    p = float(2 * t.sf(abs(statistic), freedom))
    low, high = estimate - reach, estimate + reach
    return Coefficient(
        name=name, estimate=estimate, error=error, low=low, high=high, statistic=statistic, freedom=freedom, p=p,
        p_holm=float("nan"),
    )  # fmt: skip
