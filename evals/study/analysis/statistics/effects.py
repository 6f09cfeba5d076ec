"""Effect sizes, and correction for several tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from evals.study.analysis.statistics.crossed import Crossed


def cohen_h(first: float, second: float) -> float:
    """Cohen's h of two shares: 2 arcsin √first − 2 arcsin √second (Cohen 1988, equation 6.2.1)."""
    return float(2 * np.arcsin(np.sqrt(first)) - 2 * np.arcsin(np.sqrt(second)))


def cliff_delta(first: ArrayLike, second: ArrayLike) -> float:
    """Cliff's delta: how much more often a value of the first exceeds one of the second than the reverse (Cliff 1993).

    From -1 to 1; the probability of superiority, where ties count half, is (delta + 1) / 2. NaN where one is empty.
    """
    one, other = np.asarray(first, dtype=np.float64), np.sort(np.asarray(second, dtype=np.float64))
    if not one.size or not other.size:
        return float("nan")
    below = np.searchsorted(other, one, side="left").sum()
    above = other.size * one.size - np.searchsorted(other, one, side="right").sum()
    return float(below - above) / (one.size * other.size)


def standardized(first: ArrayLike, second: ArrayLike, difference: float) -> float:
    """A difference in units of the pooled standard deviation of answers under two conditions.

    This is the d of Westfall, Kenny and Judd 2014 (page 2022), whose standard deviation contains participants, items and
    remainder alike, so that it does not depend on the design. NaN where there is no spread.
    """
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    free = one.size + other.size - 2
    if free < 1 or not one.size or not other.size:
        return float("nan")
    pooled = np.sqrt((one.var() * one.size + other.var() * other.size) / free)
    return float(difference / pooled) if pooled > 0 else float("nan")


def paired_d(crossed: Crossed, first: int, second: int) -> float:
    """d_z: the mean of the participants' own differences by their standard deviation (Lakens 2013, equation 6).

    Only participants who answered under both conditions count; NaN where they are fewer than two, or don't differ.
    """
    size = len(crossed.participants)

    def means(place: int) -> NDArray[np.float64]:
        inside = crossed.condition == place
        counts = np.bincount(crossed.participant[inside], minlength=size)
        sums = np.bincount(crossed.participant[inside], crossed.values[inside], minlength=size)
        with np.errstate(invalid="ignore"):
            return np.asarray(sums / counts, dtype=np.float64)

    own = means(first) - means(second)
    own = own[np.isfinite(own)]
    spread = own.std(ddof=1) if own.size > 1 else 0.0
    return float(own.mean() / spread) if spread > 0 else float("nan")


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """p-values corrected for several tests (Holm 1979). NaN stays NaN and is no test."""
    given = np.asarray(p, dtype=np.float64)
    corrected = np.full(given.shape, np.nan)
    places = np.flatnonzero(np.isfinite(given))
    order = places[np.argsort(given[places], kind="stable")]
    steps = given[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected
