"""Methods ranked over all metrics, and how far the metrics disagree (LATEC: Klein et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evals.faithfulness.intervals import mean_interval
from evals.tables import Table

if TYPE_CHECKING:
    from evals.faithfulness.comparing.comparison import Comparison
    from verbalize.saliency import Floats

_TIED = 1e-9  # values that differ by less than this share of the larger one share their ranks: rounding alone does that


@dataclass(frozen=True, eq=False)
class Ranking:
    """The ranks of M methods under Q metrics.

    Args:
        question: the kind of question.
        scale: "logits" or "probabilities".
        methods: M names.
        metrics: Q names; a metric that was measured with several fills stands once for each.
        ranks: (Q, M) mean ranks over inputs, 1 for the best. NaN where a method has no value.
        means: (M,) mean ranks over metrics and inputs.
        low: (M,) lower ends of their intervals over inputs.
        high: (M,) upper ends.
        concordance: Kendall's W of the metrics (Kendall and Babington Smith 1939): 1 if all rank the methods alike, 0 if their
            ranks cancel out. NaN with one metric or one method.
        taus: (Q, Q) Kendall's tau between the rankings of two metrics.
        inputs: how many inputs have a rank for every method.
    """

    question: str
    scale: str
    methods: tuple[str, ...]
    metrics: tuple[str, ...]
    ranks: Floats
    means: Floats
    low: Floats
    high: Floats
    concordance: float
    taus: Floats
    inputs: int

    def table(self) -> Table:
        """One row per method, best first: its mean rank with its interval, its rank under each metric, and their spread."""
        order = np.argsort(self.means, kind="stable")
        rows = [
            {
                "question": self.question, "scale": self.scale, "method": self.methods[one],
                "mean rank": _number(self.means[one]), "low": _number(self.low[one]), "high": _number(self.high[one]),
                **{name: _number(self.ranks[index, one]) for index, name in enumerate(self.metrics)},
                "best rank": _number(np.min(self.ranks[:, one], initial=np.inf)),
                "worst rank": _number(np.max(self.ranks[:, one], initial=-np.inf)),
            }
            for one in order
        ]  # fmt: skip
        return Table(tuple(rows[0]) if rows else ("method",), tuple(rows), {"Kendall's W": _number(self.concordance)})

    def sentences(self) -> list[str]:
        """The ranking in words: what is decided, what is not, and which metrics disagree."""
        if len(self.methods) < 2 or not self.inputs:
            return ["There is nothing to rank: fewer than two methods have values for the same inputs."]
        order = np.argsort(self.means, kind="stable")
        first, second = int(order[0]), int(order[1])
        over = f"Over {_count(len(self.metrics), 'metric')} and {_count(self.inputs, 'input')}"
        best, next_best = (f"{self.methods[one]}" for one in (first, second))
        said = [
            f"{over}, {best} has the best mean rank, {self._spelled(first)}, before {next_best} with {self._spelled(second)}."
        ]
        if not self.high[first] < self.low[second]:
            said.append("Their intervals overlap, so that this order may be chance.")
        firsts = [int(np.nanargmin(row)) for row in self.ranks]
        if len(set(firsts)) > 1:
            winners = "; ".join(
                f"{self.methods[one]} under {_listed([self.metrics[i] for i, b in enumerate(firsts) if b == one])}"
                for one in dict.fromkeys(firsts)
            )
            said.append(f"The metrics disagree about the best method: {winners}.")
        elif len(self.metrics) > 1:
            said.append(f"Every metric ranks {self.methods[firsts[0]]} first.")
        if np.isfinite(self.concordance):
            said.append(f"Kendall's W of the metrics is {self.concordance:.2f}, where 1 is full agreement and 0 is none.")
        return said

    def _spelled(self, one: int) -> str:
        if np.isnan(self.low[one]):
            return f"{self.means[one]:.2f}"
        return f"{self.means[one]:.2f} ({self.low[one]:.2f} to {self.high[one]:.2f})"


def rank(comparison: Comparison, question: str, *, scale: str = "logits") -> Ranking:
    """Rank the methods under each metric, input by input, and over all metrics.

    Ranks are taken within each input, so that metrics of different units can be averaged; equal values share the mean of
    their ranks. An input counts where every method has a value. The interval of a mean rank is over inputs: the ranks of an
    input are averaged over the metrics first. Metrics whose values do not depend on the scale are ranked in both.

    Args:
        comparison: what `compare` returned.
        question: one of its questions.
        scale: "logits" or "probabilities".
    """
    runs = comparison.of(question)
    methods = tuple(run.method for run in runs)
    by_metric: dict[str, list[tuple[Floats, bool]]] = {}
    for run in runs:
        for one in run.evaluation.outcomes if run.evaluation else ():
            if one.scale in (scale, "none"):
                by_metric.setdefault(f"{one.metric} ({one.by})" if one.by else one.metric, []).append(
                    (one.values, one.higher_is_better)
                )
    complete = {name: found for name, found in by_metric.items() if len(found) == len(runs)}
    per_input = [
        _ranks(np.stack([values for values, _ in found]), higher=found[0][1]) for found in complete.values()
    ]  # Q of (M, N)
    ranks = np.array([_mean(one, axis=1) for one in per_input]).reshape(len(per_input), len(runs))
    over_metrics = _mean(np.stack(per_input), axis=0) if per_input else np.full((len(runs), comparison.inputs), np.nan)
    bounds = (1, len(runs))
    ends = np.array([mean_interval(row, range(len(row)), comparison.level, bounds) for row in over_metrics]).reshape(-1, 3)
    counted = int((~np.isnan(over_metrics)).all(axis=0).sum()) if len(runs) else 0
    return Ranking(
        question, scale, methods, tuple(complete), ranks, ends[:, 0], ends[:, 1], ends[:, 2], _concordance(ranks), _taus(ranks),
        counted,
    )  # fmt: skip


def _ranks(values: Floats, *, higher: bool) -> Floats:
    """(M, N) ranks of M methods within each of N inputs, 1 for the best; NaN where a method has no value."""
    turned = -values if higher else values
    width = _TIED * np.maximum(np.abs(turned[:, None]), np.abs(turned[None]))
    differs = turned[:, None] - turned[None]  # (M, M, N): above 0 where the other method is better
    better, equal = differs > width, np.abs(differs) <= width
    found: Floats = 1 + better.sum(axis=1) + (equal.sum(axis=1) - 1) / 2
    return np.where(np.isnan(turned).any(axis=0), np.nan, found)


def _mean(values: Floats, axis: int) -> Floats:
    """The mean over an axis without NaN; NaN where there is nothing else."""
    there = ~np.isnan(values)
    count = there.sum(axis=axis)
    total = np.where(there, values, 0.0).sum(axis=axis)
    found: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return found


def _concordance(ranks: Floats) -> float:
    """Kendall's W of Q rankings of M methods, with the correction for ties."""
    from scipy.stats import rankdata

    complete = ranks[~np.isnan(ranks).any(axis=1)] if ranks.size else ranks
    if len(complete) < 2 or complete.shape[1] < 2:
        return float("nan")
    placed = rankdata(complete, axis=1)
    judges, things = placed.shape
    spread = float(((placed.sum(axis=0) - judges * (things + 1) / 2) ** 2).sum())
    ties = sum(float((count**3 - count).sum()) for count in (np.unique(row, return_counts=True)[1] for row in placed))
    most = judges**2 * (things**3 - things) - judges * ties
    return 12 * spread / most if most else float("nan")


def _taus(ranks: Floats) -> Floats:
    from scipy.stats import kendalltau

    count = len(ranks)
    found = np.full((count, count), np.nan)
    for one in range(count):
        for other in range(count):
            both = ~np.isnan(ranks[one]) & ~np.isnan(ranks[other])
            if both.sum() > 1:
                found[one, other] = 1.0 if one == other else kendalltau(ranks[one][both], ranks[other][both]).statistic
    return found


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
