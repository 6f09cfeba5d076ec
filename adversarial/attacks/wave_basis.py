"""Waves, the moves that a linear model of the scores is learned from, and the images that they make of another one."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.large_pictures.wave_images import Factors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Array: TypeAlias = NDArray[np.float32]
    Space: TypeAlias = tuple[Array, Floats]

SURE = 1e-9  # of a sum of squares: more than the order in which it is summed up can change
BLOCK = 16  # space comes for multiples of so many images
BYTES = 4 + 8  # per number of an image and of its move
MOST = 2**26  # bytes of space that wait for the next search
ROWS = 8  # waves at a time that stay in the processor's cache


class Waves:
    """The functions of the two-dimensional discrete cosine transform (DCT-II), each in one channel, lowest frequencies first.

    They are orthogonal, so no query repeats what another one told, and most of what a network reacts to lies in the low
    frequencies (Guo et al. 2019, "Low frequency adversarial perturbation").

    Args:
        shape: (H, W, C) of the image.
        length: Euclidean length of each wave.
        room: numbers that all the waves together may have; after the last one, the first comes again.
        allowed: (H W C,) factors, 0 where nothing may change, or None. Masked waves are no longer orthogonal.
    """

    def __init__(self, shape: tuple[int, ...], length: float, room: int, allowed: Array | None = None) -> None:
        self.shape, self.length, self.allowed = shape, length, allowed
        height, width, channels = shape
        size = height * width * channels
        count = max(8, min(size, room // size))
        frequencies = np.add.outer(np.arange(height) / height, np.arange(width) / width).ravel()
        order = frequencies.argsort(kind="stable")
        self._order = np.repeat(order[: -(-count // channels)], channels)[:count]
        self._channel = np.tile(np.arange(channels), -(-count // channels))[:count]
        self._next = 0
        self._lengths = _lengths(shape, count) if allowed is None else np.full(count, np.nan)

    def take(self, count: int) -> Floats:
        """The next waves, (count, H W C)."""
        waves = self.next(count)
        return _spread(waves.values, waves.channels, self.shape)

    def next(self, count: int) -> WaveBlock:
        """The next waves, each in its channel."""
        numbers = (self._next + np.arange(count)) % len(self._order)
        self._next = (self._next + count) % len(self._order)
        channels = self._channel[numbers]
        values = self._cosines(numbers, channels)
        unknown = np.unique(numbers[np.isnan(self._lengths[numbers])])
        for start in range(0, len(unknown), ROWS):
            some = unknown[start : start + ROWS]
            flat = _spread(self._cosines(some, self._channel[some]), self._channel[some], self.shape)
            self._lengths[some] = np.sqrt(np.square(flat, out=flat).sum(axis=1))
        values *= self.length
        values /= np.maximum(self._lengths[numbers], 1e-9)[:, None]
        return WaveBlock(values, channels, self.shape)

    def factors(self, count: int, signs: Floats) -> Factors:
        """The next waves, times (n,) signs, as products of waves down and across, which are masked when they are multiplied."""
        height, width, _ = self.shape
        numbers = (self._next + np.arange(count)) % len(self._order)
        self._next = (self._next + count) % len(self._order)
        rows, columns = np.divmod(self._order[numbers], width)
        down = np.cos(np.pi * (np.arange(height) + 0.5) * rows[:, None] / height)
        across = np.cos(np.pi * (np.arange(width) + 0.5) * columns[:, None] / width)
        if self.allowed is None:
            squares = np.square(down).sum(axis=1) * np.square(across).sum(axis=1)
        else:  # the same in all channels
            allowed = self.allowed.reshape(height, width, -1)[..., 0]
            squares = (np.square(down) @ np.square(allowed) * np.square(across)).sum(axis=1)
        down *= (signs * self.length / np.maximum(np.sqrt(squares), 1e-9))[:, None]
        return Factors(down.astype(np.float32), across.astype(np.float32), self._channel[numbers])

    def _cosines(self, numbers: NDArray[np.int64], channels: NDArray[np.int64]) -> Floats:
        """(n, H W) the waves of these numbers before they get their length."""
        height, width, _ = self.shape
        rows, columns = np.divmod(self._order[numbers], width)
        down = np.cos(np.pi * (np.arange(height) + 0.5) * rows[:, None] / height)
        across = np.cos(np.pi * (np.arange(width) + 0.5) * columns[:, None] / width)
        values = (down[:, :, None] * across[:, None, :]).reshape(len(numbers), -1)
        if self.allowed is not None:
            values *= self.allowed.reshape(height * width, -1).T[channels]
        return values


_given_back: dict[tuple[int, int], list[Space]] = {}


@dataclass(frozen=True, eq=False)
class WaveBlock:
    """Waves (n, H W) of images of a shape (H, W, C), each in one channel.

    Attributes:
        values: (n, H W).
        channels: (n,) the channel of each wave.
        shape: (H, W, C).
    """

    values: Floats
    channels: NDArray[np.int64]
    shape: tuple[int, ...]

    def around(
        self, here: Floats, signs: Floats, low: Floats, high: Floats, image: Floats, space: Space | None = None
    ) -> tuple[Array, Floats]:
        """The images (n, H, W, C) with the move `here` and a wave added, and the moves from `here`, (n, H W C).

        Only the channel of the wave is computed for each of them; the others are the same for all.

        Args:
            here: (H W C,) a move from the image.
            signs: (n,) factors of the waves.
            low: (H W C,) the least move that is allowed.
            high: (H W C,) the greatest one.
            image: (H, W, C) the original.
            space: where they are written; None for new arrays.
        """
        count, channels = len(self.values), self.shape[-1]
        space = space or borrow(count, len(here))
        images = space[0].reshape(len(space[0]), -1, channels)[:count]
        moves = space[1].reshape(len(space[1]), -1, channels)[:count]
        room, apart = (np.empty((ROWS, moves.shape[1])) for _ in range(2))
        if channels > 1:
            point = between(here.copy(), low, high)
            moves[:] = (point - here).reshape(moves.shape[1:])
            point += image.ravel()
            images[:] = between(point, 0.0, 1.0).reshape(moves.shape[1:])
        for channel in range(channels):
            start, least, most, original = (
                np.ascontiguousarray(array.reshape(-1, channels)[:, channel]) for array in (here, low, high, image)
            )
            for some in _slices(np.flatnonzero(self.channels == channel)):
                these = self.values[some]
                values = np.multiply(these, signs[some, None], out=room[: len(these)])
                values += start
                between(values, least, most)
                moves[some, :, channel] = np.subtract(values, start, out=apart[: len(these)])
                values += original
                images[some, :, channel] = between(values, 0.0, 1.0)
        return images.reshape(count, *self.shape), moves.reshape(count, -1)


def _slices(rows: NDArray[np.int64]) -> Iterator[slice]:
    """Rows as slices of at most `ROWS`: mostly every third one, and numpy is slower with a list of them."""
    steps = np.diff(rows)
    for part in np.split(rows, np.flatnonzero(steps != (steps[0] if len(steps) else 1)) + 1):
        step = int(part[1] - part[0]) if len(part) > 1 else 1
        for first in range(0, len(part), ROWS):
            some = part[first : first + ROWS]
            yield slice(int(some[0]), int(some[-1]) + 1, step)


@lru_cache(maxsize=8)
def _lengths(shape: tuple[int, ...], count: int) -> Floats:
    """(count,) Euclidean lengths of the cosines of images of a shape, for those that were computed; NaN for the others."""
    del shape
    return np.full(count, np.nan)


def borrow(count: int, size: int) -> Space:
    """Space for at least so many images and moves of a size: some that was given back, or new one.

    New memory has to be cleared by the system, which takes longer than what is computed in it.
    """
    rows = -(-count // BLOCK) * BLOCK
    with suppress(IndexError, KeyError):
        return _given_back[rows, size].pop()
    return np.empty((rows, size), dtype=np.float32), np.empty((rows, size))


def give_back(space: Space) -> None:
    """Let another search have the space. Nothing that lies in it may be used any more."""
    rows, size = space[0].shape
    kept = _given_back.setdefault((rows, size), [])
    if sum(len(spaces) * math.prod(shape) for shape, spaces in list(_given_back.items())) * BYTES <= MOST:
        kept.append(space)


def longer(moves: NDArray[np.floating], length: float) -> NDArray[np.bool_]:
    """(n,) whether moves (n, S) are longer."""
    least = length**2
    squares = np.einsum("ij,ij->i", moves, moves)
    long = squares > least
    for row in np.flatnonzero(np.abs(squares - least) <= SURE * least):
        long[row] = (moves[row] ** 2).sum() > least
    return np.asarray(long)


def between(values: Floats, low: Floats | float, high: Floats | float) -> Floats:
    """The values themselves, clipped; faster than `np.clip`, which makes a copy."""
    np.maximum(values, low, out=values)
    return np.minimum(values, high, out=values)


def _spread(values: Floats, channels: NDArray[np.int64], shape: tuple[int, ...]) -> Floats:
    """(n, H W C) waves (n, H W) in their channels, and 0 in the others."""
    waves = np.zeros((len(values), shape[0] * shape[1], shape[2]))
    waves[np.arange(len(values)), :, channels] = values
    return waves.reshape(len(values), -1)
