"""Cells of a large picture: squares of pixels in which a change of one pixel is taken to do the same as that of another."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

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

    @cached_property
    def of_changes(self) -> NDArray[np.int32]:
        """(P J,) the place of every change."""
        if self._kinds is None:
            return _places(self.shape, self.side, self.values)
        area = self.grid[0] * self.grid[1]
        return np.asarray((self._kinds.astype(np.int32) * np.int32(area) + self.of_pixels[:, None]).ravel())

    def place(self, changes: Indices) -> NDArray[np.int32]:
        """(n,) the place of each of the changes."""
        return np.asarray(self.of_changes[changes])

    def by_value(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """(J, P) of numbers (kinds h w,), one for each place, that of each value at each pixel: an array of its own."""
        if self._kinds is not None:
            return np.ascontiguousarray(numbers[self.of_changes].reshape(-1, self.values).T)
        (height, width), side = self.shape, self.side
        rows = np.repeat(numbers.reshape(self.values, *self.grid), side, axis=2)[:, :, :width]
        return np.ascontiguousarray(np.repeat(rows, side, axis=1)[:, :height]).reshape(self.values, -1)

    def sums(self, numbers: NDArray[np.integer] | NDArray[np.floating]) -> Array:
        """(h w,) the sums of numbers (P,) in each cell."""
        return np.bincount(self.of_pixels, numbers, minlength=self.grid[0] * self.grid[1]).astype(np.float32)

    def one_each(self, rng: np.random.Generator) -> Indices:
        """(h w J,) a change of every value in every cell, each at a pixel that is drawn."""
        (height, width), side = self.shape, self.side
        down = np.minimum(side, height - side * np.arange(self.grid[0]))
        across = np.minimum(side, width - side * np.arange(self.grid[1]))
        drawn = rng.random((2, *self.grid, self.values), dtype=np.float32)
        changes = (drawn[0] * down[:, None, None]).astype(np.int64)
        changes += side * np.arange(self.grid[0])[:, None, None]
        changes *= width
        changes += (drawn[1] * across[:, None]).astype(np.int64)
        changes += side * np.arange(self.grid[1])[:, None]
        changes *= self.values
        changes += np.arange(self.values)
        return np.asarray(changes.ravel())

    def highest_noise(self, numbers: NDArray[np.float64]) -> Array:
        """(n,) each the highest of as many standard normal numbers as a cell has pixels, from evenly drawn numbers (n,).

        A draw for the best change of a cell, made at once instead of pixel by pixel.
        """
        return ndtri(np.maximum(numbers, 1e-30) ** (1 / self.side**2)).astype(np.float32)

    def spread(self, sums: Array, colours: Array, down: Array, across: Array) -> Array:
        """Sums (n, kinds h w) shared between kinds by `colours`, between rows by `down`, and between columns by `across`.

        Each of these is a symmetric matrix of weights.
        """
        (height, width), number = self.grid, len(sums)
        by_colour = np.matmul(colours, sums.reshape(number, self.count, -1))
        by_row = np.matmul(down, by_colour.reshape(number * self.count, height, width))
        return np.asarray((by_row.reshape(-1, width) @ across).reshape(number, -1))


@lru_cache(maxsize=2)
def _places(shape: tuple[int, int], side: int, values: int) -> NDArray[np.int32]:
    """(P J,) see `Cells.of_changes`; of pictures of one size they are the same, and take a while to number."""
    cells = Cells(shape, side, values, None, values)
    area = cells.grid[0] * cells.grid[1]
    places = (np.arange(values, dtype=np.int32) * np.int32(area) + cells.of_pixels[:, None]).ravel()
    places.setflags(write=False)
    return places


def cell_side(deviation: float, per_deviation: float) -> int:
    """Pixels per side of the cells by the kernel's standard deviation: some cells per deviation, and one pixel at least."""
    return max(1, int(deviation / per_deviation))
