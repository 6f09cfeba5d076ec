"""Compares two classifiers on the same images: accuracies, images fixed and broken, and a significance test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binomtest, norm

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LEVEL = 0.05  # the usual level of significance


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


def paired_difference(fixed: int, broken: int, total: int) -> Share:
    """The difference of two accuracies on the same images, with its 95 % interval.

    It is the score interval for paired proportions (Tango 1998, eq. 6), which has a width also where no image changes. Where
    the exact McNemar test finds nothing and that interval leaves 0 out, as it may with few changed images, it is widened by the
    exact interval given the number of changed images (Clopper-Pearson), so that the two never contradict each other.

    Args:
        fixed: images that only the second classifier gets right.
        broken: images that only the first classifier gets right.
        total: images in all.

    Raises:
        UsageError: `total` is 0, or below `fixed` + `broken`.
    """
    if total < 1 or fixed + broken > total:
        raise UsageError(f"{fixed} images fixed and {broken} broken do not fit {total} images")
    value = (fixed - broken) / total

    def beyond(delta: float) -> float:
        """The score statistic at this difference, at most the 97.5 % point within the interval."""
        linear = -fixed - broken + (2 * total - fixed + broken) * delta
        constant = -broken * delta * (1 - delta)
        share = (np.sqrt(max(linear**2 - 8 * total * constant, 0.0)) - linear) / (4 * total)
        spread = total * (2 * share + delta * (1 - delta))
        return float(abs(fixed - broken - total * delta) / np.sqrt(max(spread, 1e-12)) - norm.ppf(0.975))

    low, high = (end if beyond(end) <= 0 else float(brentq(beyond, value, end, xtol=1e-9)) for end in (-1.0 + 1e-9, 1.0 - 1e-9))
    if mcnemar(fixed, broken) >= LEVEL and not low <= 0 <= high:
        ends = binomtest(fixed, fixed + broken).proportion_ci(method="exact")
        exact = [(2 * end - 1) * (fixed + broken) / total for end in (ends.low, ends.high)]
        low, high = min(low, *exact, 0.0), max(high, *exact, 0.0)
    return Share(value, float(low), float(high))


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
        difference: `after` minus `before`, with its 95 % interval (`paired_difference`).
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
        many = "image" if len(self.fixed) == 1 else "images"
        counts = f"{len(self.fixed)} {many} fixed, {len(self.broken)} broken, p = {self.p:.3g}"
        if not self.fixed and not self.broken:
            return "No image is classified rightly or wrongly by one only: nothing changed."
        if self.inside_noise:
            return f"The change of {_points(self.difference.value, '+')} is inside the noise ({counts})."
        way = "rises" if self.difference.value > 0 else "falls"
        return f"Accuracy {way} by {_points(abs(self.difference.value))} ({counts})."


def compare(
    before: NDArray[np.integer],
    after: NDArray[np.integer],
    labels: NDArray[np.integer],
    class_names: Sequence[str],
) -> Comparison:
    """Compare two classifiers' decisions on the same labelled images.

    Args:
        before: N class indices, the decisions of the first classifier.
        after: N class indices, the decisions of the second classifier.
        labels: N class indices, the true classes.
        class_names: the K classes.

    Raises:
        UsageError: the three arrays differ in length, or are empty.
    """
    if not len(before) == len(after) == len(labels) or not len(labels):
        raise UsageError(f"{len(before)} and {len(after)} decisions for {len(labels)} labels; give one of each per image")
    right_before, right_after = np.asarray(before) == labels, np.asarray(after) == labels
    fixed, broken = np.flatnonzero(right_after & ~right_before), np.flatnonzero(right_before & ~right_after)
    count = len(labels)
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
        difference=paired_difference(len(fixed), len(broken), count),
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


def _points(difference: float, sign: str = "") -> str:
    """A difference of two percentages, which is no percentage itself."""
    return f"{100 * difference:{sign}.1f} points"
