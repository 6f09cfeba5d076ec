"""Large pictures with waves added, and a linear model of the scores that learns from them, channel by channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.tuning import STANDARD, LargePictureTuning
from adversarial.distances.levels import on_grid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.floating]
    Rows: TypeAlias = slice | NDArray[np.int64]

ROWS = 8  # waves at a time that stay in the processor's cache


def is_large(size: int, tuning: LargePictureTuning = STANDARD.large_pictures) -> bool:
    """Whether images of so many numbers are searched in single precision."""
    return size > tuning.single


@dataclass(frozen=True, eq=False)
class Factors:
    """Waves that are products of a wave down and one across, each in one channel.

    Attributes:
        down: (n, H) single precision, with the length of the wave.
        across: (n, W) single precision.
        channels: (n,) the channel of each wave.
    """

    down: Array
    across: Array
    channels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.channels)


class WaveImages:
    """Makes images of a large picture, and keeps the space where they lie: new memory takes the system longer than the images.

    Args:
        shape: (H, W, C) of the picture.
        levels: the images keep to the grid of so many levels; None for any numbers.
        allowed: (H, W) factors, 0 where nothing may change, or None.
    """

    def __init__(
        self, shape: tuple[int, ...], levels: int | None, allowed: Array | None = None,
        tuning: LargePictureTuning = STANDARD.large_pictures,
    ) -> None:  # fmt: skip
        self.shape, self.levels, self.allowed = shape, levels, allowed
        height, width, channels = shape
        self.together = max(tuning.least_together, tuning.together // (height * width * channels))
        self._images = np.empty((0, *shape), dtype=np.float32)
        self._moves = np.empty((0, height * width), dtype=np.float32)
        self._point = np.zeros(shape, dtype=np.float32)
        self._apart: list[Array] = []

    def begin(self, point: Floats, count: int) -> Array:
        """Go to a point (H, W, C), from which the images of at most `count` waves are made; returns it as it is on the grid."""
        inside = np.clip(point, 0, 1).astype(np.float32)
        self._point = on_grid(inside, self.levels)
        self._apart = [np.ascontiguousarray(self._point[..., channel]) for channel in range(self.shape[-1])]
        if len(self._moves) < count:
            self._moves = np.empty((count, self._moves.shape[1]), dtype=np.float32)
        return self._point

    def around(self, waves: Factors, first: int) -> tuple[Array, Array]:
        """Images (n, H, W, C) of the point with a wave added, from the wave `first` on, and moves (n, H W) in its channel.

        There are as many as are asked about together. The next call writes where the images lie; the moves stay until `begin`,
        and are those before the images are rounded to the grid.
        """
        last = min(first + self.together, len(waves))
        images = self._room(last - first)
        written = np.empty((ROWS, *self.shape[:2]), dtype=np.float32)
        steps = np.float32(1 if self.levels is None else self.levels - 1)
        for start in range(first, last, ROWS):
            end = min(start + ROWS, last)
            images[start - first : end - first] = self._point
            for channel, point in enumerate(self._apart):
                for rows in _evenly(start + np.flatnonzero(waves.channels[start:end] == channel)):
                    moves = self._moves[rows].reshape(-1, *point.shape)
                    np.multiply(waves.down[rows, :, None], waves.across[rows, None, :], out=moves)
                    if self.allowed is not None:
                        moves *= self.allowed
                    moves += point
                    np.clip(moves, 0, 1, out=moves)
                    held = moves
                    if self.levels is not None:  # the moves stay smooth: the model would take rounding for what was told
                        held = np.multiply(moves, steps, out=written[: len(moves)])
                        np.rint(held, out=held)
                        held /= steps
                    images[rows.start - first : rows.stop - first : rows.step, :, :, channel] = held
                    moves -= point
        return images, self._moves[first:last]

    def with_values(self, places: NDArray[np.int64], values: Floats) -> Array:
        """Images (n, H, W, C) of the point with values (n, m) at m of its H W C places; the next call writes where they lie."""
        images = self._room(len(values))
        images[:] = self._point
        held = on_grid(np.clip(values, 0, 1).astype(np.float32)[:, :, None, None], self.levels)
        images.reshape(len(values), -1)[:, places] = held[:, :, 0, 0]
        return images

    def _room(self, count: int) -> Array:
        if len(self._images) < count:
            self._images = np.empty((count, *self.shape), dtype=np.float32)
        return self._images[:count]


def expected(model: Floats, moves: Array, channels: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """(n, A) what a linear model (H W C, A) says of moves (n, H W), each in one of `count` channels."""
    told = np.empty((len(moves), model.shape[1]))
    for rows, slopes in _channels(model, channels, count):
        told[rows] = moves[rows] @ slopes
    return told


def correct(
    model: Floats, moves: Array, channels: NDArray[np.int64], wrong: NDArray[np.float64], ridge: float, count: int
) -> None:
    """Correct a model (H W C, A) by what moves (n, H W) in one channel each erred by, (n, A), up to the ridge.

    That is the block of Kaczmarz projections of moves of all values (see `WaveSearch.correction`): moves in different channels
    are orthogonal, so that each channel is projected by itself.
    """
    for rows, slopes in _channels(model, channels, count):
        some = moves[rows]
        gram = (some @ some.T).astype(np.float64)
        gram[np.diag_indices_from(gram)] += ridge
        slopes += some.T @ np.linalg.solve(gram, wrong[rows]).astype(np.float32)


def _channels(model: Floats, channels: NDArray[np.int64], count: int) -> Iterator[tuple[Rows, Floats]]:
    """The rows of each channel that has any, and the slopes (H W, A) of its values, a view of the model."""
    by_channel = model.reshape(-1, count, model.shape[1])
    for channel in range(count):
        rows = np.flatnonzero(channels == channel)
        if len(rows):
            evenly = list(_evenly(rows))
            yield (evenly[0] if len(evenly) == 1 else rows), by_channel[:, channel]


def _evenly(rows: NDArray[np.int64]) -> Iterator[slice]:
    """Ascending rows as slices: mostly every third one, and numpy is slower with a list of them."""
    steps = np.diff(rows)
    for part in np.split(rows, np.flatnonzero(steps != (steps[0] if len(steps) else 1)) + 1):
        if len(part):
            step = int(part[1] - part[0]) if len(part) > 1 else 1
            yield slice(int(part[0]), int(part[-1]) + 1, step)
