"""The ranking of methods over all metrics: its numbers and its words, which are true of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from evals.faithfulness.intervals import mean_interval
from evals.tables import Table
from verbalize.write.naming import capital, listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verbalize.saliency import Floats

_TIED = 1e-9  # mean ranks that differ by less are equal: rounding alone does that
_MOST_DIGITS = 8


@dataclass(frozen=True, eq=False)
class Ranking:
    """The ranks of M methods under Q metrics.

    Args:
        question: the kind of question.
        scale: "logits" or "probabilities".
        methods: M names.
        metrics: Q names; a metric that was measured with several fills stands once for each.
        ranks: (Q, M) mean ranks over inputs, 1 for the best.
        of_inputs: (M, D) mean ranks over metrics, for each of D distinct inputs; NaN where an input counts under no metric.
        means: (M,) mean ranks over metrics and inputs.
        low: (M,) lower ends of their intervals over inputs; NaN where there is none.
        high: (M,) upper ends.
        concordance: Kendall's W of the metrics (Kendall and Babington Smith 1939): 1 if all rank the methods alike, 0 if their
            ranks cancel out. NaN with one metric or one method.
        taus: (Q, Q) Kendall's tau between the rankings of two metrics; NaN where one of them ties all methods.
        counts: for each metric, how many distinct inputs have a value for every method.
        level: how often the intervals should cover the mean.
        left_out: the methods and metrics that are not ranked, with the reason.
    """

    question: str
    scale: str
    methods: tuple[str, ...]
    metrics: tuple[str, ...]
    ranks: Floats
    of_inputs: Floats
    means: Floats
    low: Floats
    high: Floats
    concordance: float
    taus: Floats
    counts: tuple[int, ...]
    level: float = 0.95
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def inputs(self) -> int:
        """How many distinct inputs have a rank for every method under one metric or more."""
        return int((~np.isnan(self.of_inputs)).all(axis=0).sum()) if len(self.methods) else 0

    @property
    def all_inputs(self) -> int:
        """How many distinct inputs there are."""
        return int(self.of_inputs.shape[1])

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
        """The ranking in words: what is decided, what is not, which metrics disagree, and what is left out."""
        return _sentences(self)


def _sentences(found: Ranking) -> list[str]:
    """The sentences of a ranking."""
    if len(found.methods) < 2 or not found.metrics:
        said = ["There is nothing to rank: fewer than two methods have values for the same inputs."]
        return said + _left_out(found)
    first, second = _places(found.means)
    said = [_best(found, first, second)]
    if second:
        said.append(_lead(found, first, second))
    if len(found.metrics) > 1:
        said += _by_metric(found)
    if np.isfinite(found.concordance):
        said.append(f"Kendall's W of the metrics is {found.concordance:.2f}, where 1 is full agreement and 0 is none.")
    return said + _fewer(found) + _left_out(found)


def _places(means: Floats) -> tuple[list[int], list[int]]:
    """The methods that share the best mean rank, and those that share the next one."""
    first = np.flatnonzero(means <= means.min() + _TIED).tolist()
    rest = np.delete(means, first)
    second = np.flatnonzero((means > means.min() + _TIED) & (means <= rest.min() + _TIED)).tolist() if rest.size else []
    return first, second


def _best(found: Ranking, first: list[int], second: list[int]) -> str:
    over = f"Over {_count(len(found.metrics), 'metric')} and {_count(found.inputs, 'input')}"
    spelled = _apart([float(found.means[group[0]]) for group in (first, second) if group])
    names = listed([found.methods[one] for one in first])
    if not second:
        return f"{over}, {names} have the same mean rank, {spelled[0]}."
    if len(first) > 1:
        start = f"{over}, {names} share the best mean rank, {spelled[0]}"
    else:
        start = f"{over}, {names} has the best mean rank, {spelled[0]}{_ends(found, first[0])}"
    each = f"{spelled[1]}{_ends(found, second[0])}" if len(second) == 1 else f"{spelled[1]} each"
    return f"{start}, before {listed([found.methods[one] for one in second])} with {each}."


def _lead(found: Ranking, first: list[int], second: list[int]) -> str:
    """Whether the lead of the first over the second is more than chance."""
    lead = found.of_inputs[second].mean(axis=0) - found.of_inputs[first].mean(axis=0)
    lead = lead[~np.isnan(lead)]
    if len(lead) < 2:
        return "One input gives no interval, so that this order may be chance."
    mean, low, high = mean_interval(lead, range(len(lead)), found.level)
    if np.isnan(low):
        return f"This lead of {mean:.2f} is the same in each of the {len(lead)} inputs, so that there is no interval."
    ends = f"the {100 * found.level:.4g}% interval of this lead, from {low:.2g} to {high:.2g}"
    if low > 0:
        return f"{capital(ends)}, lies above 0."
    return f"{capital(ends)}, holds 0, so that this order may be chance."


def _by_metric(found: Ranking) -> list[str]:
    """Which methods are first under which metrics."""
    firsts = {
        name: tuple(np.flatnonzero(row <= row.min() + _TIED).tolist())
        for name, row in zip(found.metrics, found.ranks, strict=True)
    }
    tied = [name for name, best in firsts.items() if len(best) == len(found.methods)]
    rest = {name: best for name, best in firsts.items() if name not in tied}
    said = [f"Under {listed(tied)}, all methods have the same mean rank."] if tied and rest else []
    if not rest:
        return ["Each metric gives all methods the same mean rank."]
    common = set.intersection(*(set(best) for best in rest.values()))
    if common:
        every = f"The metric {next(iter(rest))}" if len(rest) == 1 else "Every other metric" if tied else "Every metric"
        whole = f"{every} gives {listed([found.methods[one] for one in sorted(common)])} the best mean rank"
        besides: dict[str, list[str]] = {}  # metrics by the other methods that are first, too, so that these are named once
        for name, best in rest.items():
            if set(best) != common:
                besides.setdefault(listed([found.methods[one] for one in best if one not in common]), []).append(name)
        shared = [f"together with {others} under {listed(names)}" for others, names in besides.items()]
        said.append(f"{whole}{', ' + ', and '.join(shared) if shared else ''}.")
        return said
    winners = []
    for best in dict.fromkeys(rest.values()):
        names = listed([found.methods[one] for one in best])
        under = listed([name for name, own in rest.items() if own == best])
        winners.append(f"{names} {'together ' if len(best) > 1 else ''}under {under}")
    said.append(f"The metrics disagree about the best method: {'; '.join(winners)}.")
    return said


def _fewer(found: Ranking) -> list[str]:
    """Which inputs count nowhere, or under some metrics only."""
    said = []
    if found.inputs < found.all_inputs:
        missing = found.all_inputs - found.inputs
        said.append(
            f"{missing} of {found.all_inputs} inputs {'is' if missing == 1 else 'are'} left out: under no metric does every "
            "method have a value there."
        )
    few = [
        f"{name} ({count})"
        for name, count in zip(found.metrics, found.counts, strict=True)
        if count < found.inputs
    ]  # fmt: skip
    if few:
        said.append(f"Fewer inputs have a value for every method under {listed(few)}.")
    return said


def _left_out(found: Ranking) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for name, reason in found.left_out.items():
        by_reason.setdefault(reason, []).append(name)
    return [f"Left out of the ranking: {listed(names)} ({reason})." for reason, names in by_reason.items()]


def _ends(found: Ranking, one: int) -> str:
    return "" if np.isnan(found.low[one]) else f" ({found.low[one]:.2f} to {found.high[one]:.2f})"


def _apart(values: Sequence[float]) -> list[str]:
    """The values with two digits behind the point, or with as many as show that they differ."""
    for digits in range(2, _MOST_DIGITS):
        spelled = [f"{value:.{digits}f}" for value in values]
        if len(set(spelled)) == len(spelled):
            break
    return spelled


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
