"""The moves of player II at every pixel of an image, as arrays: the values that each pixel may take."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.tuning import STANDARD, Tuning
from adversarial.distances.levels import on_grid
from adversarial.manipulations import MOST_CORNERS, Manipulation, PlusMinusTau, differ, load_manipulation
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float32]

# a set of changes by their numbers, in ascending order, so that equal sets are equal keys
ChangeSet: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class MoveTable:
    """The J values that each of P pixels may take. A change is numbered pixel * J + value.

    Attributes:
        image: (H, W, C), the original.
        values: (P, J, C) in [0, 1].
        codes: (P, J, C) in [0, 1], where the values lie in the colour cube, or (J, C) where that is the same at all pixels:
            colours with near codes have similar effects.
        size: (P J,) mean absolute change per channel; 0 where the change is not allowed.
    """

    image: Array
    values: Array
    codes: Array
    size: Array

    @property
    def count(self) -> int:
        """Values per pixel, J."""
        return int(self.values.shape[1])

    @cached_property
    def closed(self) -> NDArray[np.bool_]:
        """(P J,) the changes that are not allowed."""
        return self.size <= 0

    @cached_property
    def open_pixels(self) -> NDArray[np.bool_]:
        """(P,) the pixels at which any change is allowed."""
        is_open = np.zeros(len(self.size) // self.count, dtype=bool)
        for value in range(self.count):  # a reduction over a short axis is slow
            is_open |= self.size[value :: self.count] > 0
        return is_open

    @cached_property
    def closed_by_value(self) -> NDArray[np.int64]:
        """The same changes by their places in tables (J, P) of a row for each value."""
        return np.flatnonzero(self.closed.reshape(-1, self.count).T)

    def fit(self, levels: int | None) -> bool:
        """Whether whatever is made of the image by these changes lies on the grid of the levels (see `on_grid`)."""
        values = self.values[:1] if self.values.strides[0] == 0 else self.values  # the same ones at all pixels
        return all(np.array_equal(on_grid(some, levels), some) for some in (self.image, values))

    def pixels(self, changes: NDArray[np.int64]) -> NDArray[np.int64]:
        """The pixel of each change."""
        return changes // self.count

    def render(self, sets: list[ChangeSet], space: Array | None = None) -> Array:
        """(N, H, W, C) images, each with the changes of a set made; written into a space (M, H, W, C) if one is given."""
        lengths = [len(changes) for changes in sets]
        rows = np.repeat(np.arange(len(sets)), lengths)
        changes = np.fromiter(chain.from_iterable(sets), dtype=np.int64, count=sum(lengths))
        if space is None:
            space = np.empty((len(sets), *self.image.shape), dtype=self.image.dtype)
        space[: len(sets)] = self.image
        images = space[: len(sets)].reshape(len(sets), -1, self.image.shape[-1])
        images[rows, changes // self.count] = self.values[changes // self.count, changes % self.count]
        return images.reshape(-1, *self.image.shape)

    def within(self, pixels: NDArray[np.bool_]) -> MoveTable:
        """The same table, with changes allowed only at the pixels of a (P,) mask."""
        return MoveTable(self.image, self.values, self.codes, np.where(np.repeat(pixels, self.count), self.size, 0))


def make_move_table(image: Array, manipulation: str | Manipulation, tuning: Tuning = STANDARD) -> MoveTable:
    """The moves of a manipulation at every pixel of an image.

    `plus_minus_tau` is played as one move that takes every channel up or down by tau: the corners of a small cube around
    the pixel's colour, which is where a player who changes few pixels ends.

    Changes that are tiny beside the largest one in the image are closed.

    Raises:
        UsageError: nothing in the image can be changed, or the manipulation does not fit its channels.
    """
    how = load_manipulation(manipulation)
    flat = np.ascontiguousarray(image, dtype=np.float32).reshape(-1, image.shape[-1])
    if isinstance(how, PlusMinusTau):
        codes = corners(flat.shape[1])
        values = np.clip(flat[:, None] + np.float32(how.tau) * (2 * codes - 1), 0, 1).astype(np.float32)
        legal = differ(values, flat[:, None])
    else:
        values, legal = how.moves(flat, flat)
        codes = np.ascontiguousarray(values, dtype=np.float32)
        if (codes == codes[0]).all():
            codes = codes[0]
    # channel by channel: a mean over a short axis is slow
    away = sum(np.abs(values[..., channel] - flat[:, None, channel]) for channel in range(flat.shape[1]))
    size = np.where(legal, away / np.float32(flat.shape[1]), 0).astype(np.float32)
    if not size.any():
        raise UsageError(f"the manipulation {how.spec!r} changes nothing in this image; choose another")
    size[size < tuning.tiny * size.max()] = 0
    return MoveTable(image, np.asarray(values), codes, size.ravel())


def corners(channels: int) -> Array:
    """(2 to the power of C, C): the corners of the colour cube; black and white alone where there are many channels."""
    if channels > MOST_CORNERS:
        return np.repeat(np.array([[0.0], [1.0]], dtype=np.float32), channels, axis=1)
    grid = np.meshgrid(*[[0, 1]] * channels, indexing="ij")
    return np.array(grid, dtype=np.float32).reshape(channels, -1).T.copy()
