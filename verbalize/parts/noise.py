"""Whether anything stands out in a pixel map: the map is compared with noise that is as fine as the map."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import cv2
import numpy as np

from verbalize.parts.floor import above_floor

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from verbalize.saliency import Floats, PixelSaliency

_MAPS = 199  # maps of noise, so that p is a multiple of 0.005
_LEVEL = 0.02  # against noise of unknown fineness; some kinds of it pass more often than the level says
_GRID_LEVEL = 0.05  # against noise on the own grid of the map, where the test is exact
_SIDE = 64  # cells; maps with more than 64 * 64 cells are reduced to this, so that the test takes a few milliseconds
_LONGEST = 4 * _SIDE  # cells along the longer side of a narrow map
_FEWEST = 16  # cells; noise with fewer cells often has one area that stands out, so no test could tell
_WIDTHS = (
    1 / 24,
    1 / 12,
    1 / 6,
)  # standard deviations of the windows, as shares of the side: from a face to half of the picture
_NARROWEST = 0.7  # cells; narrower windows see single cells
_SMOOTHEST = 1 / 16  # standard deviation as a share of the side; a map that is smoother than noise of this kind is structure
_FINEST = 0.3  # cells; a smoothing below it changes nothing
_STEPS = (0.0, 0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.2, 3.0, 4.0)  # cells; between them the smoothness of noise is interpolated
_ROUGH_MAPS = 40  # maps per step; their mean roughness is exact to a few per cent
_KINK = 1e-5  # share of the range; single precision gives kinks of 1e-7 where there are none
_CLEAR = 2.5  # a bend is a kink if it is this many times as sharp as the usual one
_SEEN = 0.25  # share of the kinks of a grid that must be seen; half of a class activation map is often cut off at 0
_SHARP = 3  # pixels; a kink shows at one or two, the curve of a smooth map at more
_CELL = 2.5  # pixels; kinks of finer cells can't be told from one another
_LONE, _ZERO = 5, 1e-9  # the most pixels that stand out wherever they lie, where all others are 0; what counts as 0
_TOPS = (0.1, 0.25)  # shares of the pixels, those with the largest magnitudes, whose connected pieces are counted

_cache: WeakKeyDictionary[PixelSaliency, bool] = WeakKeyDictionary()


def stands_out(saliency: PixelSaliency) -> bool:
    """Whether any area of a pixel map stands out from what noise would show.

    The test compares the map with 199 maps of noise. For both, two numbers are taken in Gaussian windows of
    1/24, 1/12 and 1/6 of the side (the square root of the area): how concentrated the means of the windows are (their mean
    square over their squared mean magnitude), and which share of the variance they keep. The largest of the six, in standard
    deviations of the noise, must be one that noise reaches in at most 5 % of the maps (own grid) or 2 % (other noise).

    The noise is as fine as the map. If the map was enlarged from a coarse grid (a class activation map), its bends or blocks
    show that grid, and the noise is its values in random order. Otherwise the map must stand out from its own pixels
    in random order, whatever their distribution, and from white noise that is blurred until it is as smooth as the map, by at
    most a sixteenth of the side. Against blurred noise four more numbers count: how concentrated the pixels are, how little of
    the variance the widest windows keep, and into how few connected pieces the strongest 10 % and 25 % of the pixels fall.
    An unsigned map is compared with noise without its negative half.

    Equal scores never stand out. A map always does if at most five of its pixels differ from 0, or if it is not flat and has
    fewer than 16 cells. Unsigned maps are compared above their floor. The noise has a fixed seed, so that the answer is always
    the same.
    """
    if saliency not in _cache:
        _cache[saliency] = _stands_out(above_floor(saliency), saliency.signed)
    return _cache[saliency]


def _stands_out(scores: Floats, signed: bool) -> bool:
    largest = float(np.abs(scores).max()) if scores.size else 0.0
    if largest == 0.0 or (scores.size > 1 and np.ptp(scores / largest) <= 1e-9):
        return False
    scaled = scores / largest
    if np.count_nonzero(np.abs(scaled) > _ZERO) <= _LONE:
        return True
    cells = _grid(scaled)
    if cells is not None:
        return cells.size < _FEWEST or _p(cells, _statistics(_shuffled(cells))) <= _GRID_LEVEL
    cells = _reduced(scaled)
    if cells.size < _FEWEST:
        return True
    if _p(cells, _statistics(_shuffled(cells))) > _LEVEL:
        return False
    return _p(cells, _blurred_noise(cells.shape, _smoothing(cells, signed), signed), _shapes) <= _LEVEL


def _p(cells: Floats, noise: Floats, measure: Callable[[Floats], Floats] | None = None) -> float:
    """The share of noise maps, this map among them, whose largest standardized statistic is at least that of this map."""
    middle, spread = noise.mean(axis=1, keepdims=True), noise.std(axis=1, keepdims=True) + 1e-9
    reached = float((((measure or _statistics)(cells[None]) - middle) / spread).max())
    return float((1 + np.count_nonzero(((noise - middle) / spread).max(axis=0) >= reached)) / (noise.shape[1] + 1))


def _statistics(maps: Floats) -> Floats:
    """(6, N) logarithms of concentration and of kept variance in windows of each width, for N maps of shape (H, W)."""
    variance = maps.var(axis=(1, 2)) + 1e-300
    rows: list[Floats] = []
    for down, across in _windows(*maps.shape[1:]):
        means = (down @ maps @ across.T).reshape(len(maps), -1)
        square = (means**2).mean(axis=1) + 1e-300
        rows += [np.log(square / (np.abs(means).mean(axis=1) ** 2 + 1e-300)), np.log(means.var(axis=1) / variance + 1e-300)]
    return np.stack(rows)


def _shapes(maps: Floats) -> Floats:
    """(10, N) the six of `_statistics`, then four by which the shapes of a smooth map differ from those of smooth noise.

    These are how little of the variance the widest windows keep (shapes at even distances leave out the slow changes of noise),
    how concentrated the pixels are, and how few pieces the strongest pixels form.
    """
    magnitudes = np.abs(maps)
    concentration = np.log((maps**2).mean(axis=(1, 2)) / (magnitudes.mean(axis=(1, 2)) ** 2 + 1e-300) + 1e-300)
    few = [[-np.log(_pieces(one, share)) for one in magnitudes] for share in _TOPS]
    usual = _statistics(maps)
    return np.concatenate([usual, -usual[-1:], concentration[None], np.array(few)])


def _pieces(magnitudes: Floats, share: float) -> int:
    """How many connected pieces the strongest pixels form; there are at least as many as the share says, if none is 0."""
    place = int((1.0 - share) * (magnitudes.size - 1))
    level = float(np.partition(magnitudes, place, axis=None)[place])
    kept = (magnitudes >= level) & (magnitudes > 0.0)
    return max(1, cv2.connectedComponents(kept.astype(np.uint8), connectivity=8)[0] - 1)


@lru_cache(64)
def _windows(height: int, width: int) -> tuple[tuple[Floats, Floats], ...]:
    side = float(np.sqrt(height * width))

    def matrix(length: int, deviation: float) -> Floats:
        places = np.arange(length)
        weights = np.exp(-((places[:, None] - places) ** 2) / (2 * deviation**2))
        return weights / weights.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]

    return tuple((matrix(height, wide), matrix(width, wide)) for wide in (max(share * side, _NARROWEST) for share in _WIDTHS))


def _shuffled(cells: Floats) -> Floats:
    copies = np.broadcast_to(cells.ravel(), (_MAPS, cells.size))
    return np.random.default_rng(0).permuted(copies, axis=1).reshape(_MAPS, *cells.shape)


def _reduced(scaled: Floats) -> Floats:
    """The means of square blocks of pixels. Equal blocks keep independent pixels independent, whatever their distribution.

    The rows and columns that are left over, fewer than one block, are cut off at both ends.
    """
    height, width = scaled.shape
    block = max(1, math.ceil(math.sqrt(height * width) / _SIDE), math.ceil(max(height, width) / _LONGEST))
    down, across = min(block, height), min(block, width)
    rows, columns = height // down, width // across
    top, left = (height - rows * down) // 2, (width - columns * across) // 2
    kept = scaled[top : top + rows * down, left : left + columns * across]
    return kept.reshape(rows, down, columns, across).mean(axis=(1, 3))  # type: ignore[no-any-return]


def _roughness(maps: Floats) -> Floats:
    """(N,) mean squared differences between neighbours as shares of the variance, for N maps of shape (H, W)."""
    steps = [np.diff(maps, axis=axis) ** 2 for axis in (1, 2) if maps.shape[axis] > 1]
    return np.asarray(sum(step.mean(axis=(1, 2)) for step in steps) / (maps.var(axis=(1, 2)) + 1e-300), dtype=np.float64)


def _smoothing(cells: Floats, signed: bool) -> float:
    """The standard deviation, in cells, of the blur that makes white noise as smooth as this map; it is rounded to twelfths."""
    steps, roughness = _curve(cells.shape, signed)
    own = np.log(float(_roughness(cells[None])[0]) + 1e-12)
    smoothing = min(_SMOOTHEST * math.sqrt(cells.size), float(np.interp(-own, -roughness, steps)))
    return 0.0 if smoothing < _FINEST else float(np.exp(np.round(12 * np.log(smoothing)) / 12))


@lru_cache(64)
def _curve(shape: tuple[int, int], signed: bool) -> tuple[Floats, Floats]:
    logs = [np.log(_roughness(_noise(shape, step, signed, _ROUGH_MAPS)) + 1e-12).mean() for step in _STEPS]
    return np.array(_STEPS), np.minimum.accumulate(logs)


@lru_cache(64)
def _blurred_noise(shape: tuple[int, int], smoothing: float, signed: bool) -> Floats:
    return _shapes(_noise(shape, smoothing, signed, _MAPS))


def _noise(shape: tuple[int, int], smoothing: float, signed: bool, count: int) -> Floats:
    edge = int(3 * smoothing) + 1  # so that the noise is as smooth at the border as inside
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(count, shape[0] + 2 * edge, shape[1] + 2 * edge))
    if smoothing:
        maps = np.stack([cv2.GaussianBlur(noise, (0, 0), smoothing) for noise in maps])
    inner = maps[:, edge:-edge, edge:-edge]
    return inner if signed else np.maximum(inner, 0.0)


def _grid(scaled: Floats) -> Floats | None:
    """The values of the coarse grid that a map was enlarged from; `None` if it was not, or not by linear or nearest pixels."""
    rows, columns = _changes(scaled), _changes(scaled.T)
    if rows is not None and columns is not None and len(rows) * len(columns) * 4 <= scaled.size:
        return scaled[np.ix_(rows, columns)] if max(len(rows), len(columns)) <= _SIDE else None
    down, across = _kinks(scaled.T), _kinks(scaled)
    if down is None or across is None or max(len(down), len(across)) > _SIDE:
        return None
    return _at(_at(scaled.T, down).T, across)


def _changes(scaled: Floats) -> NDArray[np.intp] | None:
    """The first row of each block of equal rows; `None` if the blocks differ in height by more than one row."""
    first = np.flatnonzero(np.concatenate([[True], np.abs(np.diff(scaled, axis=0)).max(axis=1) > 1e-9]))
    heights = np.diff([*first, len(scaled)])
    return first if np.ptp(heights) <= 1 else None


def _kinks(scaled: Floats) -> Floats | None:
    """The places along the columns at which a map that is linear between them bends; `None` if it bends everywhere.

    A bend between two pixels shows at both, more at the nearer one. Bends beside pixels with the lowest score are left out: a
    map whose negative values were set to 0 bends there, too.
    """
    width = scaled.shape[1]
    if width < 4 * _CELL:
        return None
    live = scaled > scaled.min()
    bends = np.abs(np.diff(scaled, n=2, axis=1)) * (live[:, 2:] & live[:, 1:-1] & live[:, :-2])
    sharpness = bends.mean(axis=0)
    rounding = float(np.quantile(sharpness, 0.4))  # a map of 256 levels bends a little everywhere
    sharpness = np.where(bends.max(axis=0) > _KINK * float(np.ptp(scaled)), sharpness - _CLEAR * rounding, 0.0)
    bent = np.pad(sharpness > 0, 2)
    starts, stops = np.flatnonzero(bent[1:] & ~bent[:-1]), np.flatnonzero(~bent[1:] & bent[:-1])
    if not 3 <= len(starts) <= width / _CELL or np.count_nonzero(bent) > 0.6 * width or np.median(stops - starts) > _SHARP:
        return None
    weights = np.pad(np.maximum(bends.mean(axis=0) - rounding, 0.0), 1)
    moments = weights * np.arange(width)
    sums = [np.array([row[start:stop].sum() for start, stop in zip(starts, stops, strict=True)]) for row in (moments, weights)]
    return _even(np.asarray(sums[0] / sums[1], dtype=np.float64), width)


def _even(places: Floats, width: int) -> Floats | None:
    """The places and those that are missing between and beside them; `None` if they are not evenly spaced."""
    spaces = np.diff(places)
    unit = float(spaces.min())
    counts = np.round(spaces / unit)
    unit = float((places[-1] - places[0]) / counts.sum())
    before, after = int((places[0] + 0.5) // unit), int((width - 0.5 - places[-1]) // unit)
    if unit < _CELL or np.abs(spaces - counts * unit).max() > 1.0 or len(places) < _SEEN * (before + counts.sum() + after + 1):
        return None
    return np.asarray(places[0] + unit * np.arange(-before, counts.sum() + after + 1), dtype=np.float64)


def _at(scaled: Floats, places: Floats) -> Floats:
    """The values at places along the columns, continued from the two columns on the left of each."""
    left = np.clip(np.floor(places + 1e-6).astype(int), 1, scaled.shape[1] - 1)
    return scaled[:, left] + (places - left) * (scaled[:, left] - scaled[:, left - 1])  # type: ignore[no-any-return]
