"""Paired differences with their intervals, and the exact test of whether chance alone explains them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEVEL = 0.05  # the usual level of significance; the intervals have 95 %
Z = 1.959963984540054  # the quantile of the normal distribution for intervals of 95 %
DRAWS = 2000  # resamples of the bootstrap: the ends of an interval vary by a hundredth of its width or two
FEW = 200  # different values up to which drawing their numbers is sooner than drawing images
CELLS = 4_000_000  # numbers that are resampled at once; 32 MB

NEWCOMBE = "Newcombe's score interval for paired shares (1998, method 10)"
BOOTSTRAP = f"percentile bootstrap over images, {DRAWS:,} resamples"
SIGN_TEST = "exact sign test over images (for shares, McNemar's exact test)"


@dataclass(frozen=True)
class Interval:
    """A number with the ends of its 95 % interval.

    Attributes:
        value: the number; None where it is beyond what was searched.
        low: the lower end; None where it is unknown.
        high: the upper end; None where it is unknown.
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    def to_list(self) -> list[float | None]:
        """[value, low, high], for JSON."""
        return [self.value, self.low, self.high]


def wilson(count: int, of: int) -> Interval:
    """A share with its score interval (Wilson 1927)."""
    from scipy.stats import binomtest

    ends = binomtest(count, of).proportion_ci(0.95, method="wilson")
    return Interval(count / of, float(ends.low), float(ends.high))


def sign_test(before: NDArray[Any], after: NDArray[Any]) -> float:
    """The exact two-sided p of the sign test: is an image as likely to rise as to fall? Images without a change don't count.

    For values 0 and 1 this is McNemar's exact test. Infinite values are larger than all others, and equal to each other.
    """
    from scipy.stats import binomtest

    rises, falls = int((after > before).sum()), int((after < before).sum())
    return float(binomtest(rises, rises + falls).pvalue) if rises + falls else 1.0


def share_difference(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> Interval:
    """The share after minus the share before, of the same images.

    Source: Newcombe (1998), "Improved confidence intervals for the difference between binomial proportions based on paired
    data", Statistics in Medicine 17, 2635-2650, method 10. It stays sensible where few images or none have changed, where a
    bootstrap would give no width at all.
    """
    total = len(before)
    both, lost = int((before & after).sum()), int((before & ~after).sum())
    won = int((~before & after).sum())
    neither = total - both - lost - won
    old, new = wilson(both + lost, total), wilson(both + won, total)
    difference = (won - lost) / total
    product = math.sqrt(float(both + lost) * (won + neither) * (both + won) * (lost + neither))
    covered = float(both * neither - lost * won)
    if covered > 0:  # continuity correction of the method
        covered = max(covered - total / 2, 0)
    phi = covered / product if product else 0.0
    ends = []
    for one, other in (((new, "low"), (old, "high")), ((new, "high"), (old, "low"))):
        first = abs((new.value or 0) - (getattr(one[0], one[1]) or 0))
        second = abs((old.value or 0) - (getattr(other[0], other[1]) or 0))
        ends.append(math.sqrt(max(first * first - 2 * phi * first * second + second * second, 0)))
    return Interval(difference, max(difference - ends[0], -1.0), min(difference + ends[1], 1.0))


def mean_difference(before: Floats, after: Floats, seed: int) -> Interval:
    """The mean after minus the mean before, of the same images, with the interval of a bootstrap over images."""
    return mean(after - before, seed)


def median_difference(before: Floats, after: Floats, seed: int) -> Interval:
    """The median after minus the median before, of the same images, with the interval of a bootstrap over images.

    Values may be infinite: a median that lies among them is beyond what was searched, and so is a difference from it. Resamples
    in which both medians are infinite say nothing about the difference, and leave the ends of the interval unknown.
    """
    old, new = lower_median(before), lower_median(after)
    value = new - old if math.isfinite(old) or math.isfinite(new) else math.nan

    def differences(rows: NDArray[np.int64]) -> Floats:
        with np.errstate(invalid="ignore"):
            return np.asarray(lower_median(after[rows]) - lower_median(before[rows]))

    return _bootstrapped(value, differences, len(before), seed)


def lower_median(values: Floats) -> Any:
    """The smallest value that at least half of the values (along the last axis) don't exceed."""
    place = (values.shape[-1] + 1) // 2 - 1
    found = np.partition(values, place, axis=-1)[..., place]
    return float(found) if found.ndim == 0 else found


def mean(values: Floats, seed: int) -> Interval:
    """A mean with the interval of a bootstrap over images."""
    known, counts = np.unique(values, return_counts=True)
    if len(known) <= FEW:  # how often each value is drawn has a multinomial distribution: the same bootstrap, far sooner
        draws = np.random.default_rng(seed).multinomial(len(values), counts / len(values), size=DRAWS) @ known
        return _between(float(values.mean()), draws / len(values))
    return _bootstrapped(float(values.mean()), lambda rows: values[rows].mean(axis=1), len(values), seed)


def median(values: Floats, seed: int) -> Interval:
    """A median with the interval of a bootstrap over images; ends that are infinite are None."""
    return _bootstrapped(lower_median(values), lambda rows: lower_median(values[rows]), len(values), seed)


def _bootstrapped(value: float, statistic: Any, images: int, seed: int) -> Interval:
    rng = np.random.default_rng(seed)
    step = max(1, CELLS // images)
    found = np.concatenate(
        [np.asarray(statistic(rng.integers(0, images, (min(step, DRAWS - start), images)))) for start in range(0, DRAWS, step)]
    )
    return _between(value, found)


def _between(value: float, found: Floats) -> Interval:
    if np.isnan(found).any():
        return Interval(_finite(value))
    with np.errstate(invalid="ignore"):  # between two infinite values there is nothing to interpolate
        low, high = np.quantile(found, [0.025, 0.975], method="inverted_cdf")
    return Interval(_finite(value), _finite(float(low)), _finite(float(high)))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def holm(values: Mapping[str, float]) -> dict[str, float]:
    """The p of several tests, so large that the chance of any false alarm among all of them is at most the level.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979). It
    holds however the tests depend on each other.
    """
    corrected: dict[str, float] = {}
    largest = 0.0
    for place, (name, value) in enumerate(sorted(values.items(), key=lambda item: item[1])):
        largest = max(largest, min(1.0, (len(values) - place) * value))
        corrected[name] = largest
    return corrected
