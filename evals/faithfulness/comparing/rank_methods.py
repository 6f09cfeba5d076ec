"""Ranks methods over all metrics, and finds how far the metrics disagree (LATEC: Klein et al. 2024)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from evals.faithfulness.answers import SCALES
from evals.faithfulness.comparing.comparison import RANDOM, input_names
from evals.faithfulness.comparing.ranking import Ranking
from evals.faithfulness.comparing.ranks import (
    concordance,
    leave_out_fixed,
    mean_of_known,
    once,
    over_inputs,
    ranks_within,
    taus,
)
from evals.faithfulness.intervals import mean_interval
from saywhy_core.errors import UsageError
from verbalize.write.naming import listed

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from evals.faithfulness.comparing.comparison import Comparison, Run
    from verbalize.saliency import Floats

    Values: TypeAlias = "dict[str, tuple[Floats, bool]]"  # metric -> (M, N) values, and whether higher is better

_MOST_NAMED = 3  # metrics that a reason lists
_HALF = 0.5  # a method without values under this share of the metrics is left out, instead of these metrics


def rank(comparison: Comparison, question: str, *, scale: str = "logits") -> Ranking:
    """Rank the methods under each metric, input by input, and over all metrics.

    Ranks are taken within each input, so that metrics of different units can be averaged; equal values share the mean of
    their ranks. An input counts under a metric where every method has a value; equal inputs count as one. The interval of a
    mean rank is over inputs: the ranks of an input are averaged over the metrics first. Metrics whose values do not depend on
    the scale are ranked in both.

    What says nothing more does not count. A value that is the same whatever the model (`Metric.fixed`), such as the class
    sensitivity of unsigned contrastive maps, has no rank; where all values of a method are such, the metric is left out. Of
    metrics of one family (`Metric.family`) that give every method the same rank on every input, only the first counts: `ccs`
    and `ccs_contrast` always do so.

    A method without any value under half of the metrics or more, such as one whose maps are all flat, is left out, and so is
    a metric under which no input has a value for every method. Shuffled maps can't explain inputs again: where a metric that
    does so was measured, the row "random" is left out.

    Args:
        comparison: what `compare` returned.
        question: one of its questions.
        scale: "logits" or "probabilities".

    Raises:
        UsageError: the comparison has no such question, or there is no such scale.
    """
    if question not in comparison.questions:
        raise UsageError(f"there was no question {question!r}; use one of {', '.join(comparison.questions)}")
    if scale not in SCALES:
        raise UsageError(f"there is no scale {scale!r}; use one of {', '.join(SCALES)}")
    runs = comparison.of(question)
    values, left_out = _values(runs, scale)
    leave_out_fixed(values, [run for run in runs if run.method not in left_out], left_out)
    runs = tuple(run for run in runs if run.method not in left_out)
    names = tuple(run.method for run in runs)
    kept = _kept(values, names, left_out)
    methods = tuple(name for name in names if name not in left_out)
    inputs: Sequence[Hashable] = input_names(runs[0].maps) if runs else ()
    rows = [names.index(one) for one in methods]
    within = once({name: ranks_within(found[rows], higher=higher) for name, (found, higher) in kept.items()}, left_out)
    per_metric = [over_inputs(one, inputs) for one in within.values()]  # Q of (M, D)
    stacked = np.stack(per_metric) if per_metric else np.full((0, len(methods), len(set(inputs))), np.nan)
    ranks = mean_of_known(stacked, axis=2)
    of_inputs = mean_of_known(stacked, axis=0)
    bounds = (1, max(len(methods), 1))
    ends = np.array([mean_interval(row, range(len(row)), comparison.level, bounds) for row in of_inputs]).reshape(-1, 3)
    counts = tuple(int((~np.isnan(one)).all(axis=0).sum()) for one in per_metric)
    return Ranking(
        question, scale, methods, tuple(within), ranks, of_inputs, ends[:, 0], ends[:, 1], ends[:, 2], concordance(ranks),
        taus(ranks), counts, comparison.level, left_out,
    )  # fmt: skip


def _values(runs: Sequence[Run], scale: str) -> tuple[Values, dict[str, str]]:
    """The values of each metric, NaN where a method lacks it; and the row "random" where it lacks one that others have."""
    found: dict[str, dict[str, Any]] = {}
    outcomes = [
        (run.method, one)
        for run in runs
        for one in (run.evaluation.outcomes if run.evaluation else ())
        if one.scale in (scale, "none")
    ]
    fills: dict[str, set[str]] = {}
    for _, one in outcomes:
        fills.setdefault(one.metric, set()).add(one.by)
    for method, one in outcomes:
        name = f"{one.metric} ({one.by})" if len(fills[one.metric]) > 1 else one.metric
        found.setdefault(name, {})[method] = one
    lacking = [name for name, own in found.items() if RANDOM not in own and len(own) == len(runs) - 1]
    left_out: dict[str, str] = {}
    if lacking and any(run.method == RANDOM for run in runs):
        left_out[RANDOM] = (
            f"shuffled maps can't explain inputs again, which {_shortly(lacking)} {'needs' if len(lacking) == 1 else 'need'}"
        )
    used = [run for run in runs if run.method not in left_out]
    values = {}
    for name, own in found.items():
        rows = [own[run.method].values if run.method in own else np.full(len(run.maps), np.nan) for run in used]
        values[name] = (np.stack(rows), next(iter(own.values())).higher_is_better)
    return values, left_out


def _kept(values: Values, names: Sequence[str], left_out: dict[str, str]) -> Values:
    """The metrics that rank the methods; what does not go into the ranking is added to `left_out`."""
    kept = {}
    for name, (found, higher) in values.items():
        if np.isnan(found).all():
            left_out[name] = "no method has a value"
        else:
            kept[name] = (found, higher)
    for row, method in enumerate(names):
        without = [name for name, (found, _) in kept.items() if np.isnan(found[row]).all()]
        if without and len(without) >= _HALF * len(kept):
            left_out[method] = f"it has no value under {_shortly(without)}"
    rows = [row for row, method in enumerate(names) if method not in left_out]
    for name in list(kept):
        if np.isnan(kept[name][0][rows]).any(axis=0).all():
            del kept[name]
            left_out[name] = "no input has a value for every method" if rows else "no method is left"
    return kept


def _shortly(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return listed([*names[:_MOST_NAMED], f"{more} more"] if more > 0 else list(names))
