"""Compares two classifiers on the same images: accuracies, images fixed and broken, and a significance test."""

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
DRAWS = 10_000  # resamples of the bootstrap; with so many, the ends of a 95 % interval vary by less than a tenth of a per cent


@dataclass(frozen=True)
class Share:
    """A share of images (or a difference of two shares) with the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.1%} ({self.low:.1%} to {self.high:.1%})"


def wilson(successes: int, total: int) -> Share:
    """The share `successes` / `total` with its 95 % score interval (Wilson 1927).

    Raises:
        UsageError: `total` is 0.
    """
    if total < 1:
        raise UsageError("an accuracy needs at least one image")
    low, high = binomtest(successes, total).proportion_ci(method="wilson")
    return Share(successes / total, float(low), float(high))


def mcnemar(fixed: int, broken: int) -> float:
    """The exact two-sided p of McNemar's test.

    The null hypothesis is that an image is as likely to be fixed as to be broken.
    """
    return float(binomtest(fixed, fixed + broken).pvalue) if fixed + broken else 1.0


def holm(ps: Sequence[float]) -> list[float]:
    """P values of several tests, enlarged so that the chance of any false claim among them stays as stated (Holm 1979).

    Args:
        ps: m p values, from 0 to 1.

    Returns:
        m adjusted p values in the same order; the smallest is multiplied by m, the next by m - 1, and so on, never falling.
    """
    order = np.argsort(np.asarray(ps, dtype=float), kind="stable")
    factors = np.arange(len(ps), 0, -1)
    adjusted = np.empty(len(ps))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * np.asarray(ps, dtype=float)[order]))
    return [float(p) for p in adjusted]


@dataclass(frozen=True)
class ClassChange:
    """The number of images of one class, and how many of them are classified correctly before and after."""

    name: str
    images: int
    before: int
    after: int


@dataclass(frozen=True)
class Confusion:
    """How many images of one class (`true`) are taken for another (`decided`), before and after."""

    true: str
    decided: str
    before: int
    after: int


@dataclass(frozen=True)
class Comparison:
    """Two classifiers on the same images.

    Attributes:
        images: how many images.
        before: accuracy of the first classifier, with its 95 % interval.
        after: accuracy of the second classifier, with its 95 % interval.
        fixed: positions of the images that only the second classifier gets right.
        broken: positions of the images that only the first classifier gets right.
        difference: `after` minus `before`, with the 95 % interval of a bootstrap over images.
        p: the p value of the exact McNemar test.
        classes: per-class counts.
        confused: pairs of classes that are confused before or after, the most often confused first.
    """

    images: int
    before: Share
    after: Share
    fixed: tuple[int, ...]
    broken: tuple[int, ...]
    difference: Share
    p: float
    classes: tuple[ClassChange, ...]
    confused: tuple[Confusion, ...] = ()

    @property
    def inside_noise(self) -> bool:
        """Whether the change is not significant at the 5 % level, so that chance alone may explain it."""
        return self.p >= LEVEL

    @property
    def verdict(self) -> str:
        """The result in one sentence, which claims no more than the test allows."""
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

    Args:
        before: N class indices, the decisions of the first classifier.
        after: N class indices, the decisions of the second classifier.
        labels: N class indices, the true classes.
        class_names: the K classes.
        seed: seed of the bootstrap.

    Raises:
        UsageError: the three arrays differ in length, or are empty.
    """
    if not len(before) == len(after) == len(labels) or not len(labels):
        raise UsageError(f"{len(before)} and {len(after)} decisions for {len(labels)} labels; give one of each per image")
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
        confused=_confusions(np.asarray(before), np.asarray(after), np.asarray(labels), class_names),
    )


def _confusions(
    before: NDArray[np.integer], after: NDArray[np.integer], labels: NDArray[np.integer], class_names: Sequence[str]
) -> tuple[Confusion, ...]:
    classes = len(class_names)
    wrong = [(labels.astype(np.int64) * classes + decided)[decided != labels] for decided in (before, after)]
    keys = np.unique(np.concatenate(wrong))
    counts = [np.bincount(np.searchsorted(keys, one), minlength=len(keys)) for one in wrong]
    order = np.lexsort((keys, -(counts[0] + counts[1])))
    return tuple(
        Confusion(
            class_names[int(keys[at]) // classes], class_names[int(keys[at]) % classes], int(counts[0][at]), int(counts[1][at])
        )
        for at in order
    )
