"""What follows from all cells of a grid: how near an adversarial example can be at most."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.bounds.radii.grid import Cells, Grid, norm_of
from adversarial.distances.distance import DISTANCES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from adversarial.bounds.radii.lipschitz import LipschitzConstant

    Floats: TypeAlias = NDArray[np.float64]
    Predict: TypeAlias = Callable[[NDArray[np.float32]], ArrayLike]

# Relative error of the scores below which a slope does not refute the constant: networks compute in float32, and a sum over a
# layer loses a few digits more than one operation.
ROUNDING = 64 * float(np.finfo(np.float32).eps)


class Judge:
    """Gathers what the evaluated cells show: how near an adversarial example can be, and whether the constant is refuted.

    Args:
        norm: the distance of the radius.
        constant: the Lipschitz constant, or None.
        constant_norm: the distance of the constant.
        start: the margin at the original.
        grid: the grid.
        original: (H, W, C) the image.
        places: (P, 2) the chosen pixels, (y, x) each.
        step: the step of the grid.

    Attributes:
        refuted: the largest slope seen that exceeds the constant, or None.
        upper: the distance of the nearest adversarial grid image; infinite where there is none.
        example: that image, or None.
    """

    def __init__(
        self, norm: str, constant: LipschitzConstant | None, constant_norm: str, start: float, grid: Grid,
        original: NDArray[np.float32], places: NDArray[np.int64], step: float,
    ) -> None:  # fmt: skip
        self.norm, self.constant, self.constant_norm, self.start, self.grid = norm, constant, constant_norm, start, grid
        self.original, self.places = original, places
        self.step = step
        self.centre = original[places[:, 0], places[:, 1]].astype(np.float64)
        self.refuted: float | None = None
        self.upper = math.inf
        self.example: NDArray[np.float32] | None = None
        self._nearest = math.inf  # the nearest cell that may contain an adversarial example, if the constant is right
        self._rest: list[Floats] = []  # (2, B) each: distance of a cell, and the largest constant for which it is free
        self._zero = np.array([[axis.reach[0] for axis in pixel] for pixel in grid.axes])

    def add(self, cells: Cells, margins: NDArray[np.floating], scale: float) -> None:
        """Take in B evaluated cells with their (B,) margins; `scale` is the size of the scores."""
        gaps = margins.astype(np.float64)
        moved = cells.values.astype(np.float64) - self.centre
        self.see(gaps, norm_of(moved, self.constant_norm), scale)
        flipped = np.flatnonzero(gaps < 0)
        if len(flipped):
            distances = DISTANCES.get(self.norm).measure(moved[flipped, :, None])
            best = int(np.argmin(distances))
            if distances[best] < self.upper:
                self.upper = float(distances[best])
                example = self.original.copy()
                example[self.places[:, 0], self.places[:, 1]] = cells.values[flipped[best]]
                self.example = example
        for distance, reach in self._levels(cells):
            with np.errstate(divide="ignore", invalid="ignore"):
                allowed = np.where(reach > 0, gaps / reach, np.where(gaps > 0, np.inf, 0.0))
            if self.constant is not None:
                unsafe = gaps <= self.constant.value * reach
                self._nearest = min(self._nearest, float(np.min(distance, where=unsafe, initial=math.inf)))
            self._rest.append(np.stack([distance, allowed]))

    def _levels(self, cells: Cells) -> list[tuple[Floats, Floats]]:
        """Pairs of (B,): the smallest distance of images in the cell, and their greatest distance from the grid image.

        In L0 there is a pair for each number of pixels: the more pixels an image changes, the farther it lies from the grid
        image.
        """
        if self.norm != "l0":
            return [(norm_of(cells.gap, self.norm), norm_of(cells.reach, self.constant_norm))]
        own = np.where((cells.gap > 0).any(axis=2, keepdims=True), cells.reach, 0.0)
        # any of the other pixels may be changed a little; the widest cells around unchanged values stand for them
        widths = np.sort(norm_of(self._zero, self.constant_norm))[::-1]
        most = int(min(self.grid.radius, len(self.places)))
        levels = []
        for extra in range(most + 1):
            others = np.broadcast_to(widths[:extra], (len(own), extra))
            joined = np.concatenate([own.reshape(len(own), -1), others], axis=1)
            within = cells.touched + extra <= most
            reach = norm_of(joined, self.constant_norm)
            levels.append((np.where(within, cells.touched + extra, math.inf), reach))
        return levels

    def see(self, gaps: Floats, distances: Floats, scale: float) -> None:
        """Compare the slopes from the original with the constant, up to the rounding of scores of size `scale`."""
        if self.constant is None:
            return
        moved = distances > 0
        changes = np.maximum(np.abs(gaps[moved] - self.start) - ROUNDING * scale, 0.0)
        slope = float(np.max(changes / distances[moved], initial=0.0))
        if slope > self.constant.value and slope > (self.refuted or 0.0):
            self.refuted = slope

    def _ended(self, distance: float) -> float:
        """A distance, cut off where the grid ended: nothing is known beyond."""
        if self.norm != "l0":
            return min(distance, self.grid.radius)
        most = min(self.grid.radius, len(self.places))
        return distance if distance <= most else (math.inf if most == len(self.places) else most + 1)

    def radius(self) -> float:
        """The radius that follows from the constant; 0 where nothing follows."""
        if self.constant is None or self.start <= 0:
            return 0.0
        lower = self._ended(self._nearest)
        if self.constant_norm == self.norm:
            at_once = self.start / self.constant.value if self.constant.value > 0 else math.inf
            lower = max(lower, at_once)
        return lower

    def best_pair(self) -> tuple[float, float]:
        """A radius, and the largest constant for which everything nearer is free.

        A larger radius needs a smaller constant. Of all pairs, the one with the greatest product is taken: near a flip the
        constant goes to 0, and near the original the radius does.
        """
        if self.start <= 0:
            return 0.0, 0.0
        distance, allowed = np.concatenate(self._rest, axis=1)
        kept = np.isfinite(distance)
        distance, allowed = distance[kept], allowed[kept]
        order = np.argsort(distance, kind="stable")
        distance, allowed = distance[order], allowed[order]
        least = np.minimum.accumulate(allowed)  # over all cells up to this one
        ends = np.append(np.flatnonzero(np.diff(distance) > 0), len(distance) - 1)
        radii = np.append(distance[ends[:-1] + 1], self._ended(math.inf))
        # for the product only, an infinite radius counts as the distance of the farthest cell and one step more
        sizes = np.where(np.isfinite(radii), radii, distance[-1] + (1.0 if self.norm == "l0" else self.step))
        # a radius of one pixel says only that the image itself is not adversarial, which needs no constant
        sizes[radii <= (1.0 if self.norm == "l0" else 0.0)] = 0.0
        best = int(np.argmax(sizes * np.minimum(least[ends], np.finfo(np.float64).max / 1e9)))
        constant = float(least[ends[best]])
        return (float(radii[best]), constant) if constant > 0 and sizes[best] > 0 else (0.0, 0.0)
