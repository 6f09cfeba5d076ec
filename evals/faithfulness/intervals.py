"""Means over inputs, with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from verbalize.saliency import Floats


def mean_interval(values: Floats, inputs: Sequence[Hashable], level: float = 0.95) -> tuple[float, float, float]:
    """The mean of values over inputs, and Student's t interval of it: (mean, low, high).

    Values of one input, such as those of maps for several queries, are averaged first, because they are no independent
    observations. NaN values are left out. The interval of fewer than two inputs is NaN.

    Args:
        values: (N,) values.
        inputs: N names of inputs; equal names are one input.
        level: how often the interval should cover the mean of all inputs that these were drawn from.

    Raises:
        UsageError: the level is not between 0 and 1.
    """
    from scipy.stats import t

    if not 0 < level < 1:
        raise UsageError(f"a level of {level} is impossible: give a share between 0 and 1, such as 0.95")
    of_input: dict[Hashable, list[float]] = {}
    for value, name in zip(values.tolist(), inputs, strict=True):
        if not np.isnan(value):
            of_input.setdefault(name, []).append(value)
    means = np.array([np.mean(some) for some in of_input.values()])
    if not len(means):
        return np.nan, np.nan, np.nan
    mean = float(means.mean())
    if len(means) < 2:
        return mean, np.nan, np.nan
    reach = float(t.ppf((1 + level) / 2, len(means) - 1) * means.std(ddof=1) / np.sqrt(len(means)))
    return mean, mean - reach, mean + reach
