"""Mixed models with crossed random intercepts of participants and items."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from evals.study.analysis.statistics.estimates import check_level
from evals.study.analysis.statistics.models.crossing import Pair
from evals.study.analysis.statistics.models.laplace import Laplace
from evals.study.analysis.statistics.models.likelihoods import Binomial, Cumulative
from evals.study.analysis.statistics.models.linear import Linear
from evals.study.analysis.statistics.models.tables import ModelTable, coefficients
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evals.study.analysis.statistics.crossed import Crossed

Kind = Literal["linear", "binomial", "cumulative"]

MOST_LEVELS = 20  # of a cumulative model: each is a parameter, and no rating scale has more points

NEARLY = 7.0  # log odds: between 3 % and 97 %, the widest effect that studies can tell, lie 7

METHODS = {
    "linear": "Linear mixed model with crossed random intercepts of participants and items, by restricted maximum likelihood, "
    "with Satterthwaite's degrees of freedom.",
    "binomial": "Logistic mixed model with crossed random intercepts of participants and items, by Laplace's approximation, "
    "with Wald intervals.",
    "cumulative": "Cumulative logit mixed model (proportional odds) with crossed random intercepts of participants and items, "
    "by Laplace's approximation, with Wald intervals.",
}
ALIKE = (
    "It takes participants and items to respond to the conditions alike; where they do not, its intervals are too narrow, and "
    "the differences with two-way standard errors are the ones to trust (in simulated studies within participants, whose "
    "responses differed by 0.3 log odds, linear and binomial ones raised 12 to 18 % false alarms, the differences 4 to 5 %)."
)
LIMITS = {
    "linear": f"{ALIKE} It treats the steps of a rating scale as equal.",
    "binomial": f"{ALIKE} Its coefficients are log odds for one participant and item, not differences of the population's "
    "accuracy, and its standard deviations are somewhat too small where participants or items have few answers.",
    "cumulative": f"{ALIKE} It takes a condition to shift all thresholds by the same log odds, and its standard deviations are "
    "somewhat too small where participants or items have few answers.",
}


def mixed_model(crossed: Crossed, kind: Kind, *, reference: str | None = None, level: float = 0.95) -> ModelTable:
    """A mixed model of the answers: conditions as fixed effects, participants and items as crossed random intercepts.

    - "linear": for ratings and times; what `lme4::lmer(value ~ condition + (1 | participant) + (1 | item))` fits (Bates et al.
      2015), with the degrees of freedom of `lmerTest`.
    - "binomial": for answers that are 0 or 1; what `lme4::glmer(..., family = binomial)` fits with `nAGQ = 1`.
    - "cumulative": for ratings on few levels; what `ordinal::clmm` fits (Christensen 2019).

    These are our own because statsmodels 0.15 has no cumulative model with random effects, fits the binomial one only by a
    variational approximation with too narrow intervals, and the linear one with crossed effects only as one group with a dense
    matrix over all answers. The tests hold all three against R.

    A condition whose answers are all 1 (all 0; all at one end of a scale) is separated: its coefficient is infinite and has no
    error. It is reported so, and the others are those of the model without it, which is the limit of maximum likelihood.

    Args:
        crossed: the values.
        kind: "linear", "binomial" or "cumulative".
        reference: the condition that the others are compared with; the first one by default.
        level: how often the intervals should cover the truth.

    Raises:
        UsageError: an argument is out of its range, or the values do not fit the kind of model.
    """
    check_level(level)
    base, levels = _checked(crossed, kind, reference)
    answered = [place for place in range(len(crossed.conditions)) if (crossed.condition == place).any()]
    ends = {} if kind == "linear" else _separated(crossed, answered, levels)
    rows = crossed.where(np.isin(crossed.condition, [place for place in answered if place not in ends]))
    pair = Pair.of(rows.participant, rows.item)
    notes = [f"There are no answers under {name}." for n, name in enumerate(crossed.conditions) if n not in answered]
    notes += [
        f"All answers under {crossed.conditions[place]} are {levels[0 if sign < 0 else -1]:g}: its difference is infinite and "
        "has no standard error."
        for place, sign in ends.items()
    ]
    solved = None
    if len(np.unique(rows.values)) < 2:
        notes.append("All answers that are left are equal, so there is nothing to estimate.")
    elif min(pair.sizes) < 2:
        notes.append(f"{pair.sizes[0]} participants and {pair.sizes[1]} items are too few for their variances.")
    elif base not in ends:
        inside = [place for place in answered if place != base and place not in ends]
        dummies = np.column_stack([np.zeros((len(rows), 0)), *((rows.condition == place).astype(float) for place in inside)])
        solved = (_linear if kind == "linear" else _generalized)(rows, kind, dummies, pair)
    found = {}
    if solved is not None:
        found = {place: solved.numbers[n + solved.intercept] for n, place in enumerate(inside)}
        notes += _notes(solved)
    shown = [place for place in answered if place != base]
    conditions = [
        (crossed.conditions[place], *found.get(place, (_apart(ends.get(place, 0.0), ends.get(base, 0.0)), np.nan, np.inf)))
        for place in shown
    ]
    before = [("intercept", *solved.numbers[0])] if solved is not None and solved.intercept else []
    after = [] if solved is None else solved.thresholds
    return ModelTable(
        kind=kind,
        reference=crossed.conditions[base],
        coefficients=coefficients(before, conditions, after, level),
        deviations={} if solved is None else solved.deviations,
        criterion=float("nan") if solved is None else solved.criterion,
        participants=pair.sizes[0],
        items=pair.sizes[1],
        answers=len(rows),
        converged=solved is not None and solved.converged,
        method=METHODS[kind],
        limits=LIMITS[kind],
        notes=tuple(notes),
    )


@dataclass(frozen=True, eq=False)
class _Solved:
    """A fitted model: per column of the design, and per threshold, an estimate, its error and its degrees of freedom."""

    numbers: list[tuple[float, float, float]]
    intercept: bool
    thresholds: list[tuple[str, float, float, float]]
    deviations: dict[str, float]
    criterion: float
    converged: bool


def _checked(crossed: Crossed, kind: Kind, reference: str | None) -> tuple[int, NDArray[np.float64]]:
    """The place of the reference, and the values that occur."""
    if kind not in METHODS:
        raise UsageError(f"there is no model {kind!r}: name one of {', '.join(METHODS)}")
    if kind == "binomial" and not crossed.binary:
        raise UsageError("a binomial model takes answers that are 0 or 1: use a linear or cumulative model for other numbers")
    levels = np.unique(crossed.values)
    if kind == "cumulative" and len(levels) > MOST_LEVELS:
        raise UsageError(f"a cumulative model of {len(levels)} different values is not sensible: use a linear model")
    base = 0 if reference is None else crossed.place(reference)
    if not (crossed.condition == base).any():
        name = crossed.conditions[base] if crossed.conditions else "(none)"
        raise UsageError(f"there are no answers under the reference {name!r}: name a condition that has some")
    return base, levels


def _separated(crossed: Crossed, answered: list[int], levels: NDArray[np.float64]) -> dict[int, float]:
    """The conditions all of whose answers lie at one end of the scale, with the sign of their infinite effect."""
    found = {}
    for place in answered:
        own = crossed.values[crossed.condition == place]
        if len(levels) > 1 and (own == own[0]).all() and own[0] in (levels[0], levels[-1]):
            found[place] = -1.0 if own[0] == levels[0] else 1.0
    return found


def _apart(sign: float, base: float) -> float:
    """The difference of a condition from the reference, where either may be infinite."""
    return float("nan") if sign == base else float((sign - base) * np.inf)


def _linear(rows: Crossed, kind: Kind, dummies: NDArray[np.float64], pair: Pair) -> _Solved:
    del kind
    fit = Linear(rows.values, np.column_stack([np.ones(len(rows)), dummies]), pair).fit()
    numbers = list(zip(fit.effects.tolist(), np.sqrt(np.diag(fit.covariance)).tolist(), fit.freedoms.tolist(), strict=True))
    deviations = dict(zip(("participants", "items", "remainder"), fit.deviations, strict=True))
    return _Solved(numbers, True, [], deviations, fit.criterion, fit.converged)


def _generalized(rows: Crossed, kind: Kind, dummies: NDArray[np.float64], pair: Pair) -> _Solved:
    names: list[str] = []
    if kind == "binomial":
        share = float(rows.values.mean())
        design = np.column_stack([np.ones(len(rows)), dummies])
        fit = Laplace(Binomial(rows.values), design, pair).fit(
            np.array([np.log(share / (1 - share)), *np.zeros(dummies.shape[1])])
        )
        extra: NDArray[np.float64] = np.zeros(0)
        covariance = fit.covariance
    else:
        levels, codes = np.unique(rows.values, return_inverse=True)
        names = [f"{one:g}|{other:g}" for one, other in pairwise(levels)]
        fit = Laplace(Cumulative(codes, len(levels)), dummies, pair).fit(np.zeros(dummies.shape[1]))
        extra = Cumulative.thresholds(fit.extra)
        turn = np.eye(len(fit.covariance))  # from the logarithms of steps to thresholds
        wide = dummies.shape[1]
        turn[wide:, wide:] = np.tril(np.ones((len(extra), len(extra)))) * np.concatenate([[1.0], np.exp(fit.extra[1:])])
        covariance = turn @ fit.covariance @ turn.T
    errors = np.sqrt(np.diag(covariance))
    values = np.concatenate([fit.effects, extra])
    numbers = [(float(value), float(error), float("inf")) for value, error in zip(values, errors, strict=True)]
    split = len(fit.effects)
    thresholds = [(name, *one) for name, one in zip(names, numbers[split:], strict=True)]
    deviations = dict(zip(("participants", "items"), fit.deviations, strict=True))
    return _Solved(numbers[:split], kind == "binomial", thresholds, deviations, fit.criterion, fit.converged)


def _notes(solved: _Solved) -> list[str]:
    notes = [
        f"The standard deviation of {name} is estimated as zero: the model is that without them."
        for name, one in solved.deviations.items()
        if one == 0 and name != "remainder"
    ]
    if any(np.isnan(error) for _, error, _ in solved.numbers) and solved.deviations.get("remainder") is not None:
        notes.append("Participants, items and conditions explain the answers without a remainder, so there are no errors.")
    elif not solved.converged:
        notes.append("The search did not end in a minimum: do not use these numbers.")
    if "remainder" not in solved.deviations:
        largest = max(
            [*(abs(one) for one, _, _ in solved.numbers[solved.intercept :]), *solved.deviations.values()], default=0.0
        )
        if largest > NEARLY:
            notes.append(
                f"An effect or a standard deviation of {largest:.1f} log odds means that the answers are nearly separated: "
                "errors and p-values of this model are not to be trusted."
            )
    return notes
