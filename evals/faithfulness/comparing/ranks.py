"""The numbers of a ranking: ranks within inputs, what does not count among them, and how far several rankings agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evals.faithfulness.metric import METRICS
from verbalize.write.naming import listed

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from evals.faithfulness.comparing.comparison import Run
    from evals.faithfulness.metric import Metric
    from verbalize.saliency import Floats

_TIED = 1e-9  # values that differ by less than this share of the larger one share their ranks: rounding alone does that
_DIGITS = 9  # of a mean rank that are no rounding


def ranks_within(values: Floats, *, higher: bool) -> Floats:
    """(M, N) ranks of M methods within each of N inputs, 1 for the best; NaN where a method has no value."""
    turned = -values if higher else values
    width = _TIED * np.maximum(np.abs(turned[:, None]), np.abs(turned[None]))
    differs = turned[:, None] - turned[None]  # (M, M, N): above 0 where the other method is better
    better, equal = differs > width, np.abs(differs) <= width
    found: Floats = 1 + better.sum(axis=1) + (equal.sum(axis=1) - 1) / 2
    return np.where(np.isnan(turned).any(axis=0), np.nan, found)


def over_inputs(values: Floats, inputs: Sequence[Hashable]) -> Floats:
    """(..., D) means of (..., N) values over each of D distinct inputs, in the order in which they first come."""
    rows: dict[Hashable, list[int]] = {}
    for row, name in enumerate(inputs):
        rows.setdefault(name, []).append(row)
    if not rows:
        return values
    return np.stack([mean_of_known(values[..., some], axis=-1) for some in rows.values()], axis=-1)


def mean_of_known(values: Floats, axis: int) -> Floats:
    """The mean over an axis without NaN; NaN where there is nothing else."""
    there = ~np.isnan(values)
    count = there.sum(axis=axis)
    total = np.where(there, values, 0.0).sum(axis=axis)
    found: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return found


def concordance(ranks: Floats) -> float:
    """Kendall's W of Q rankings of M methods, with the correction for ties; NaN for one ranking or one method."""
    from scipy.stats import rankdata

    if len(ranks) < 2 or ranks.shape[1] < 2:
        return float("nan")
    placed = rankdata(ranks.round(_DIGITS), axis=1)
    judges, things = placed.shape
    spread = float(((placed.sum(axis=0) - judges * (things + 1) / 2) ** 2).sum())
    ties = sum(float((count**3 - count).sum()) for count in (np.unique(row, return_counts=True)[1] for row in placed))
    most = judges**2 * (things**3 - things) - judges * ties
    return 12 * spread / most if most else float("nan")


def taus(ranks: Floats) -> Floats:
    """(Q, Q) Kendall's τ-b of any two of Q rankings; NaN where one of them ties all methods."""
    from scipy.stats import kendalltau

    placed = ranks.round(_DIGITS)
    found = np.full((len(placed), len(placed)), np.nan)
    if placed.size and placed.shape[1] > 1:
        for one, own in enumerate(placed):
            for other, theirs in enumerate(placed):
                if np.ptp(own) > 0 and np.ptp(theirs) > 0:
                    found[one, other] = 1.0 if one == other else kendalltau(own, theirs).statistic
    return found


def leave_out_fixed(values: dict[str, tuple[Floats, bool]], runs: Sequence[Run], left_out: dict[str, str]) -> None:
    """Take out what is the same whatever the model (`Metric.fixed`): values, and metrics of which a method has no other ones.

    Args:
        values: of each metric (M, N) values, and whether higher is better; is changed.
        runs: the M methods.
        left_out: what is not ranked, with the reason; is added to.
    """
    for name, (found, higher) in list(values.items()):
        metric = _metric(name)
        if metric is None or metric.fixed is None:
            continue
        reasons = [
            [metric.fixed(one, float(value)) for one, value in zip(run.maps, row, strict=True)]
            for run, row in zip(runs, found, strict=True)
        ]
        said = np.array([[bool(reason) for reason in row] for row in reasons], dtype=bool).reshape(found.shape)
        emptied = np.asarray(said.any(axis=1) & (said | np.isnan(found)).all(axis=1))
        if emptied.any():
            first = next(reason for reason in reasons[int(np.flatnonzero(emptied)[0])] if reason)
            methods = [run.method for run, whole in zip(runs, emptied.tolist(), strict=True) if whole]
            left_out[name] = f"of {listed(methods)}, {first}"
            del values[name]
        else:
            values[name] = (np.where(said, np.nan, found), higher)


def once(ranks: dict[str, Floats], left_out: dict[str, str]) -> dict[str, Floats]:
    """The (M, N) ranks of each metric, without those that repeat an earlier metric of their family; see `leave_out_fixed`."""
    kept: dict[str, Floats] = {}
    for name, own in ranks.items():
        twin = next((other for other, theirs in kept.items() if _related(name, other) and _alike(own, theirs)), None)
        if twin is None:
            kept[name] = own
        else:
            left_out[name] = f"under {twin}, every method has the same rank on every input"
    return kept


def _related(name: str, other: str) -> bool:
    """Whether two metrics are of one family, and measured with the same fill."""
    first, second = _metric(name), _metric(other)
    family = "" if first is None else first.family
    return (
        bool(family) and second is not None and second.family == family and name.partition(" (")[2] == other.partition(" (")[2]
    )


def _alike(ranks: Floats, others: Floats) -> bool:
    return np.array_equal(ranks, others, equal_nan=True)


def _metric(name: str) -> Metric | None:
    """The metric of a name in a ranking, which may have its fill behind it; None for one that is not registered."""
    own = name.partition(" (")[0]
    return METRICS.get(own) if own in METRICS else None
