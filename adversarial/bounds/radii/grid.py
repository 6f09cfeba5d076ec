"""The τ-grid over chosen pixels, in cells: every image near the original lies in the cell of some grid image."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.distances.distance import DISTANCES
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Indices: TypeAlias = NDArray[np.int64]

CHUNK = 4096  # cells per batch: bounds the memory, whatever the size of the grid


@dataclass(frozen=True, eq=False)
class Axis:
    """The values of the grid along one coordinate, with the original's own among them, the nearest to it first.

    Attributes:
        values: (m,) float32; the first is the original's.
        reach: (m,) the greatest distance from the value to a point of its cell.
        gap: (m,) the smallest distance from the original's value to a point of the cell; 0 for the first cell only.
    """

    values: NDArray[np.float32]
    reach: Floats
    gap: Floats

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, eq=False)
class Cells:
    """A batch of B cells: the values of their grid images, and the distances by which they are judged.

    Attributes:
        values: (B, P, C) float32.
        reach: (B, P, C) the greatest distance from the grid image to a point of its cell, per coordinate.
        gap: (B, P, C) the smallest distance from the original to a point of the cell, per coordinate.
        touched: (B,) number of pixels in which no point of the cell equals the original.
    """

    values: NDArray[np.float32]
    reach: Floats
    gap: Floats
    touched: Indices


def norm_of(values: Floats, norm: str) -> Floats:
    """(B,) the p-norm of each of (B, ...) differences; `norm` names a distance with a power."""
    return np.asarray(np.linalg.norm(values.reshape(len(values), -1), ord=power_of(norm), axis=1))


def power_of(norm: str) -> float:
    """The p of a distance that is a p-norm.

    Raises:
        UsageError: there is no such distance, or it is no p-norm.
    """
    power = DISTANCES.get(norm).power
    if power is None:
        known = ", ".join(name for name, one in DISTANCES.usable() if one.power is not None)
        raise UsageError(f"a Lipschitz constant needs a distance that is a p-norm ({known}), not {norm!r}")
    return power


def make_axis(value: float, tau: float, radius: float) -> Axis:
    """The grid values `value` + k τ within the radius and [0, 1].

    An end of the range becomes a grid value as well where it is more than τ/2 from the last one. The cell of a grid value
    reaches half-way to its neighbours, and the outermost cells reach to the ends of the range.
    """
    origin = np.float32(value)
    low, high = max(0.0, float(origin) - radius), min(1.0, float(origin) + radius)
    up = _steps(float(origin), high, tau)
    down = 2 * float(origin) - _steps(float(origin), 2 * float(origin) - low, tau)
    # what is evaluated is float32, so the cells are drawn around the values as rounded
    values = np.unique(np.clip(np.concatenate([down, up]), 0, 1).astype(np.float32))
    exact = values.astype(np.float64)
    middles = (exact[1:] + exact[:-1]) / 2
    left = np.concatenate([[min(low, exact[0])], middles])
    right = np.concatenate([middles, [max(high, exact[-1])]])
    reach = np.maximum(exact - left, right - exact)
    gap = np.maximum(0.0, np.maximum(left - float(origin), float(origin) - right))
    order = np.argsort(np.abs(exact - float(origin)), kind="stable")
    return Axis(values[order], reach[order], gap[order])


def _steps(start: float, end: float, tau: float) -> Floats:
    count = math.floor((end - start) / tau + 1e-9)
    values = start + tau * np.arange(count + 1)
    return np.asarray(np.append(values, end) if end - values[-1] > tau / 2 else values, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Grid:
    """The τ-grid over P pixels of C channels, within a radius of the original.

    `radius` is a distance, or a number of pixels where `norm` is "l0"; it may be infinite.
    """

    axes: tuple[tuple[Axis, ...], ...]
    norm: str
    radius: float

    @property
    def size(self) -> int:
        """Number of grid images: in L0 all within the radius, in the other norms those of the cube around the ball."""
        states = [math.prod(len(axis) for axis in pixel) for pixel in self.axes]
        if self.norm != "l0":
            return math.prod(states)
        # elementary symmetric polynomials: entry s sums, over all sets of s pixels, the number of ways to change all of them
        ways = [1] + [0] * len(states)
        for state in states:
            for s in range(len(states), 0, -1):
                ways[s] += ways[s - 1] * (state - 1)
        return sum(ways[: int(min(self.radius, len(states))) + 1])

    def cells(self) -> Iterator[Cells]:
        """All cells that contain an image at a distance below the radius (in L0: at most the radius), in batches."""
        for indices in self._indices():
            cells = self._cells(indices)
            if self.norm != "l0" and math.isfinite(self.radius):
                near = norm_of(cells.gap, self.norm) < self.radius
                cells = Cells(cells.values[near], cells.reach[near], cells.gap[near], cells.touched[near])
            if len(cells.values):
                yield cells

    def _indices(self) -> Iterator[Indices]:
        """(B, P, C) positions along the axes."""
        lengths = [[len(axis) for axis in pixel] for pixel in self.axes]
        shape = (len(lengths), len(lengths[0]))
        if self.norm != "l0":
            flat = [count for pixel in lengths for count in pixel]
            for start in range(0, math.prod(flat), CHUNK):
                numbers = np.arange(start, min(start + CHUNK, math.prod(flat)))
                yield np.stack(np.unravel_index(numbers, flat), axis=1).reshape(-1, *shape)
            return
        states = [math.prod(pixel) for pixel in lengths]
        for count in range(int(min(self.radius, shape[0])) + 1):
            for support in itertools.combinations(range(shape[0]), count):
                if any(states[p] == 1 for p in support):
                    continue
                free = [states[p] - 1 for p in support]
                for start in range(0, math.prod(free), CHUNK):
                    numbers = np.arange(start, min(start + CHUNK, math.prod(free)))
                    indices = np.zeros((len(numbers), *shape), dtype=np.int64)
                    for p, state in zip(support, np.unravel_index(numbers, free) if free else (), strict=True):
                        indices[:, p] = np.stack(np.unravel_index(state + 1, lengths[p]), axis=1)
                    yield indices

    def _cells(self, indices: Indices) -> Cells:
        def look_up(name: str) -> Floats:
            out = np.empty(indices.shape)
            for p, pixel in enumerate(self.axes):
                for c, axis in enumerate(pixel):
                    out[:, p, c] = getattr(axis, name)[indices[:, p, c]]
            return out

        touched = (indices > 0).any(axis=2).sum(axis=1)
        return Cells(look_up("values").astype(np.float32), look_up("reach"), look_up("gap"), touched)
