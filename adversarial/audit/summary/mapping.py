"""Where fragility sits over a whole set of images: mean maps, and words for maps that are checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from adversarial.audit.summary.nouns import MapText
from saywhy_core.errors import UsageError
from verbalize.saliency import PixelSaliency, Query
from verbalize.text_report import check_text
from verbalize.write import TemplateVerbalizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SIDE = 48
"""Pixels of the longer side of a map in a report: places in words need no more, and 5,000 of them stay small."""
SMOOTH = 24
"""The shorter side of a mean map is so many standard deviations of its smoothing."""
MIN_SIGMA = 0.3  # pixels; less would move nothing
_DIGITS = 4  # of a score in a report; the sentences are made of the rounded scores


class MeanMap:
    """The mean of maps of any sizes, each of the same weight, over the picture as a whole.

    All images count as one shape: that of the first, or a square once another comes.
    """

    def __init__(self) -> None:
        self.images = 0
        self._shape: tuple[int, int] | None = None
        self._sums: dict[tuple[int, int], Floats] = {}

    def add(self, values: NDArray[np.floating]) -> None:
        """Add a map of values of at least 0; one of zeros says nothing, and doesn't count."""
        map_ = shrunk(np.maximum(values.astype(np.float64), 0))
        total = float(map_.sum())
        if total <= 0 or not np.isfinite(total):
            return
        self.images += 1
        shape = (map_.shape[0], map_.shape[1])
        self._sums[shape] = self._sums.get(shape, 0.0) + map_ / total

    def mean(self) -> Floats | None:
        """(h, w) the mean, smoothed, and scaled to 1 at its highest; None of no maps.

        It is smoothed by a Gaussian whose standard deviation is a twenty-fourth of the shorter side: a few hundred images leave
        specks, which no sentence about places should name.
        """
        if not self._sums:
            return None
        if len(self._sums) == 1:
            (total,) = self._sums.values()
        else:
            total = np.sum([_resized(one, SIDE, SIDE) for one in self._sums.values()], axis=0)
        return rounded(smoothed(total))


def shrunk(values: Floats) -> Floats:
    """The map with its longer side brought down to `SIDE` by area means, so that its sums per place stay in proportion."""
    height, width = values.shape
    factor = max(height, width) / SIDE
    if factor <= 1:
        return values
    return _resized(values, max(1, round(height / factor)), max(1, round(width / factor)))


def rounded(values: Floats) -> Floats:
    """The map scaled to 1 at its highest, in the few digits in which a report holds it."""
    top = float(values.max())
    return np.round(values / top, _DIGITS) if top > 0 else np.zeros_like(values)


def map_in_words(values: Floats, query: Query, title: str, name: str, images: int) -> MapText | None:
    """The map with what the templates say of it, checked; None where nothing can be said.

    Args:
        values: (h, w) at least 0, `rounded`.
        query: the question that it answers.
        title: what it shows.
        name: its id.
        images: how many images it is made of.
    """
    try:
        map_ = PixelSaliency(values, query, signed=False, id=name)
        text = TemplateVerbalizer().verbalize(map_).text
        return MapText(title, map_, text, check_text(text, map_).status, images)
    except UsageError:  # a class name that no sentence can hold, such as an empty one
        return None


def change_map(original: NDArray[np.floating], adversarial: NDArray[np.floating]) -> Floats:
    """(H, W) how much of the change falls on each pixel: the sum over the channels of the absolute differences."""
    return np.asarray(np.abs(adversarial.astype(np.float64) - original).sum(axis=2))


def question_of(label: str | None, now: str | None) -> Query:
    """The question of the map of one image: why the new class rather than the old one."""
    if now is not None and label is not None and now != label:
        return Query(now, versus=(label,))
    return Query("another class")


def smoothed(values: Floats) -> Floats:
    """The map smoothed as `MeanMap.mean` says, so that neighbouring specks are one place."""
    import cv2

    sigma = min(values.shape) / SMOOTH
    blurred = cv2.GaussianBlur(np.ascontiguousarray(values), (0, 0), sigma) if sigma >= MIN_SIGMA else values
    return np.maximum(np.asarray(blurred, dtype=np.float64), 0)


def _resized(values: Floats, height: int, width: int) -> Floats:
    import cv2

    small: Sequence[object] = cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return np.maximum(np.asarray(small, dtype=np.float64), 0)
