"""Means over inputs, with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evals.faithfulness.settings import is_number
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from verbalize.saliency import Floats

_ROUNDING = 1e-9  # a spread of this share of the greatest magnitude is rounding
_SYMMETRIC = 1e-6  # below this skewness, the transformation is the identity but for rounding


def mean_interval(
    values: Floats,
    inputs: Sequence[Hashable],
    level: float = 0.95,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> tuple[float, float, float]:
    """The mean of values over inputs, and an interval of it: (mean, low, high).

    The interval is Student's t interval with Hall's correction for skewness (Hall 1992, "On the removal of skewness by
    transformation", equation 2.5 with the quantiles of Student's t). It is Student's own where the values are symmetric, and
    reaches further on the side where values are rare and large. Of a skewed metric and few inputs, it still covers less
    often than `level` says: `benchmarks/evaluation/coverage.py` prints how often, beside Student's interval.

    Values of one input, such as those of maps for several queries, are averaged first, because they are no independent
    observations. NaN values are left out. The interval of fewer than two inputs, or of values without
    any spread, is NaN: such values do not determine one.

    Args:
        values: (N,) values.
        inputs: N names of inputs; equal names are one input.
        level: how often the interval should cover the mean of all inputs that these were drawn from.
        bounds: the least and the greatest value that there can be; the interval is cut there.

    Raises:
        UsageError: the level is not between 0 and 1.
    """
    if not is_number(level) or not 0 < level < 1:
        raise UsageError(f"a level of {level!r:.40} is impossible: give a share between 0 and 1, such as 0.95")
    of_input: dict[Hashable, list[float]] = {}
    for value, name in zip(values.tolist(), inputs, strict=True):
        if not np.isnan(value):
            of_input.setdefault(name, []).append(value)
    means = np.array([np.mean(some) for some in of_input.values()])
    if not len(means):
        return np.nan, np.nan, np.nan
    mean = float(means.mean())
    if len(means) < 2 or means.std(ddof=1) <= _ROUNDING * np.abs(means).max():
        return mean, np.nan, np.nan
    low, high = skewed_interval(means, float(level))
    return mean, max(low, bounds[0]), min(high, bounds[1])


def skewed_interval(values: Floats, level: float) -> tuple[float, float]:
    """Student's t interval of the mean of two or more values that are not all equal, with Hall's correction for skewness."""
    from scipy.special import stdtrit  # the quantiles of Student's t, without what `scipy.stats` checks around them

    count, mean, spread = len(values), float(values.mean()), float(values.std(ddof=1))
    reach = float(stdtrit(count - 1, (1 + level) / 2)) / count**0.5
    skewness = float((((values - mean) / spread) ** 3).mean())
    ends = [_untransformed(one, skewness, count) for one in (reach, -reach)]
    return mean - spread * ends[0], mean - spread * ends[1]


def _untransformed(end: float, skewness: float, count: int) -> float:
    """The w for which w + γw²/3 + γ²w³/27 + γ/6n is `end`: the inverse of Hall's transformation."""
    if abs(skewness) < _SYMMETRIC:
        return end
    return float(3 / skewness * (np.cbrt(1 + skewness * (end - skewness / (6 * count))) - 1))
