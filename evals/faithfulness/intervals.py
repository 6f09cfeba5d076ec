"""Means over inputs, with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from verbalize.saliency import Floats

_ROUNDING = 1e-9  # a spread of this share of the mean is rounding


def mean_interval(
    values: Floats,
    inputs: Sequence[Hashable],
    level: float = 0.95,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> tuple[float, float, float]:
    """The mean of values over inputs, and Student's t interval of it: (mean, low, high).

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
    spread = float(means.std(ddof=1))
    if spread <= _ROUNDING * max(1.0, abs(mean)):
        return mean, np.nan, np.nan
    reach = float(t.ppf((1 + level) / 2, len(means) - 1)) * spread / len(means) ** 0.5
    return mean, max(mean - reach, bounds[0]), min(mean + reach, bounds[1])
