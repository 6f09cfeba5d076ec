"""Two classifiers on the same images: accuracies, images fixed and broken, and whether chance explains the change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binomtest

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LEVEL = 0.05  # the usual level of significance
DRAWS = 10_000  # of the bootstrap: the ends of a 95 % interval then vary by less than a tenth of a per cent


@dataclass(frozen=True)
class Share:
    """A share of images with its 95 % interval (Wilson 1927)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.1%} ({self.low:.1%} to {self.high:.1%})"


def wilson(successes: int, total: int) -> Share:
    """The 95 % Wilson score interval of a share.

    Raises:
        UsageError: `total` is 0.
    """
    if total < 1:
        raise UsageError("an accuracy needs at least one image")
    low, high = binomtest(successes, total).proportion_ci(method="wilson")
    return Share(successes / total, float(low), float(high))


def mcnemar(fixed: int, broken: int) -> float:
    """Exact two-sided p of McNemar's test: as many fixed as broken, were the change without effect."""
    return float(binomtest(fixed, fixed + broken).pvalue) if fixed + broken else 1.0


@dataclass(frozen=True)
class ClassChange:
    """How one class fared: images, and those classified rightly before and after."""

    name: str
    images: int
    before: int
    after: int


@dataclass(frozen=True)
class Comparison:
    """Two classifiers on the same images.

    Attributes:
        images: how many images.
        before, after: accuracies with 95 % intervals.
        fixed, broken: positions of images that only the second, or only the first, gets right.
        difference: accuracy after less before, with the 95 % interval of a bootstrap over images.
        p: of the exact McNemar test.
        classes: per-class counts.
    """

    images: int
    before: Share
    after: Share
    fixed: tuple[int, ...]
    broken: tuple[int, ...]
    difference: Share
    p: float
    classes: tuple[ClassChange, ...]

    @property
    def inside_noise(self) -> bool:
        """Whether chance alone may explain the change, at the 5 % level."""
        return self.p >= LEVEL

    @property
    def verdict(self) -> str:
        """One sentence that claims no more than the test allows."""
        counts = f"{len(self.fixed)} images fixed, {len(self.broken)} broken, p = {self.p:.3g}"
        if not self.fixed and not self.broken:
            return "No image is classified rightly or wrongly by one only: nothing changed."
        if self.inside_noise:
            return f"The change of {self.difference.value:+.1%} is inside the noise ({counts})."
        way = "rises" if self.difference.value > 0 else "falls"
        return f"Accuracy {way} by {abs(self.difference.value):.1%} ({counts})."


def compare(
    before: NDArray[np.integer],
    after: NDArray[np.integer],
    labels: NDArray[np.integer],
    class_names: Sequence[str],
    *,
    seed: int = 0,
) -> Comparison:
    """Compare two classifiers' decisions on the same labelled images.

    Raises:
        UsageError: the three arrays differ in length, or are empty.
    """
    if not len(before) == len(after) == len(labels) or not len(labels):
        raise UsageError(f"{len(before)} and {len(after)} decisions for {len(labels)} labels; give one of each an image")
    right_before, right_after = np.asarray(before) == labels, np.asarray(after) == labels
    fixed, broken = np.flatnonzero(right_after & ~right_before), np.flatnonzero(right_before & ~right_after)
    count = len(labels)
    # Resampling n images with replacement draws the counts of fixed, broken and unchanged from a multinomial.
    odds = [len(fixed) / count, len(broken) / count, 1 - (len(fixed) + len(broken)) / count]
    draws = np.random.default_rng(seed).multinomial(count, odds, size=DRAWS)
    low, high = np.quantile((draws[:, 0] - draws[:, 1]) / count, [0.025, 0.975])
    classes = tuple(
        ClassChange(name, int(own.sum()), int((right_before & own).sum()), int((right_after & own).sum()))
        for index, name in enumerate(class_names)
        if (own := np.asarray(labels) == index).any()
    )
    return Comparison(
        images=count,
        before=wilson(int(right_before.sum()), count),
        after=wilson(int(right_after.sum()), count),
        fixed=tuple(int(index) for index in fixed),
        broken=tuple(int(index) for index in broken),
        difference=Share((len(fixed) - len(broken)) / count, float(low), float(high)),
        p=mcnemar(len(fixed), len(broken)),
        classes=classes,
    )
