"""Cells of a large picture: squares of pixels in which a change of one pixel is taken to do the same as that of another."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.special import ndtri

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float32]
    Indices: TypeAlias = NDArray[np.int64]


class Cells:
    """The cells of an image, and where its changes lie in them.

    A change is a pixel and one of J values, numbered pixel * J + value. Changes of one cell whose values are of one kind share
    a place; places are numbered kind by kind, and row by row within each.

    Args:
        shape: (H, W) of the image.
        side: pixels per side of a cell; those at the lower and right edges may be smaller.
        values: J.
        kinds: (P, J) the kind of each value at each pixel, or None where a value is of the same kind at all pixels.
        count: how many kinds there are.

    Attributes:
        grid: (h, w) rows and columns of cells.
    """

    def __init__(self, shape: tuple[int, int], side: int, values: int, kinds: Indices | None, count: int) -> None:
        self.shape, self.side, self.values, self.count = shape, side, values, count
        self.grid = -(-shape[0] // side), -(-shape[1] // side)
        self._kinds = kinds

    @cached_property
    def of_pixels(self) -> NDArray[np.int32]:
        """(P,) the cell of each pixel, row by row."""
        (height, width), side = self.shape, self.side
        cells = np.arange(height, dtype=np.int32)[:, None] // side * self.grid[1] + np.arange(width, dtype=np.int32) // side
        return cells.ravel()

    @property
    def of_changes(self) -> NDArray[np.int32]:
        """(P J,) the place of every change."""
        area = self.grid[0] * self.grid[1]
        kinds = np.arange(self.values, dtype=np.int32) if self._kinds is None else self._kinds.astype(np.int32)
        return np.asarray((kinds * np.int32(area) + self.of_pixels[:, None]).ravel())

    def place(self, changes: Indices) -> Indices:
        """(n,) the place of each of the changes."""
        pixels, values = np.divmod(changes, self.values)
        kinds = values if self._kinds is None else self._kinds[pixels, values]
        return np.asarray(kinds * (self.grid[0] * self.grid[1]) + self.of_pixels[pixels])

    def sums(self, numbers: NDArray[np.integer] | NDArray[np.floating]) -> Array:
        """(h w,) the sums of numbers (P,) in each cell."""
        return np.bincount(self.of_pixels, numbers, minlength=self.grid[0] * self.grid[1]).astype(np.float32)

    def one_each(self, rng: np.random.Generator) -> Indices:
        """(h w J,) a change of every value in every cell, each at a pixel that is drawn."""
        (height, width), side = self.shape, self.side
        down = np.minimum(side, height - side * np.arange(self.grid[0]))
        across = np.minimum(side, width - side * np.arange(self.grid[1]))
        drawn = rng.random((2, *self.grid, self.values), dtype=np.float32)
        rows = side * np.arange(self.grid[0])[:, None, None] + (drawn[0] * down[:, None, None]).astype(np.int64)
        columns = side * np.arange(self.grid[1])[:, None] + (drawn[1] * across[:, None]).astype(np.int64)
        return np.asarray(((rows * width + columns) * self.values + np.arange(self.values)).ravel())

    def highest_noise(self, rng: np.random.Generator, count: int) -> Array:
        """(count,) each the highest of as many standard normal numbers as a cell has pixels.

        A draw for the best change of a cell, made at once instead of pixel by pixel.
        """
        return ndtri(np.maximum(rng.random(count), 1e-30) ** (1 / self.side**2)).astype(np.float32)

    def spread(self, sums: Array, colours: Array, down: Array, across: Array) -> Array:
        """Sums (n, kinds h w) shared between kinds by `colours`, between rows by `down`, and between columns by `across`.

        Each of these is a symmetric matrix of weights.
        """
        (height, width), number = self.grid, len(sums)
        by_colour = np.matmul(colours, sums.reshape(number, self.count, -1))
        by_row = np.matmul(down, by_colour.reshape(number * self.count, height, width))
        return np.asarray((by_row.reshape(-1, width) @ across).reshape(number, -1))


def cell_side(deviation: float, per_deviation: float) -> int:
    """Pixels per side of the cells by the kernel's standard deviation: some cells per deviation, and one pixel at least."""
    return max(1, int(deviation / per_deviation))
