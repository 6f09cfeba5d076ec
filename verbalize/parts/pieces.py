"""Pieces of a picture: the hills of a field of scores, and superpixels, which follow the edges of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Labels = NDArray[np.int32]

_COUNT = 150  # tiles or superpixels per picture


def find_hills(field: NDArray[Any], ground: float, deepest: float) -> Labels:
    """(H, W) the number of the hill to which each pixel above `ground` belongs, from 1 up; 0 for the other pixels.

    Each pixel belongs to the peak that it leads to by steps to the highest of its four neighbours. A peak is a hill of its own
    if its highest saddle to a higher peak is below `deepest` times its height; otherwise it is part of the hill across that
    saddle. This is the clustering by prominence of Chazal et al. (2013, ToMATo), with prominence relative to height.

    Args:
        field: (H, W) heights, not negative.
        ground: heights up to this are no part of a hill.
        deepest: the height of a saddle, as a share of the height of the lower peak, from which two peaks are one hill.
    """
    height, width = field.shape
    numbers = np.arange(field.size).reshape(field.shape)
    pairs = [
        np.stack([numbers[:, :-1].ravel(), numbers[:, 1:].ravel()]),
        np.stack([numbers[:-1].ravel(), numbers[1:].ravel()]),
    ]
    values = field.ravel()
    joined = np.concatenate(pairs, axis=1)
    joined = joined[:, (values[joined] > ground).all(axis=0)]
    basins = _basins(np.pad(field, 1, constant_values=-np.inf), height, width, values > ground)
    count = int(basins.max()) + 1
    peaks = np.zeros(count)
    np.maximum.at(peaks, basins, values)
    owner = _merged(peaks, *_saddles(basins, values, joined), deepest)
    hills = np.unique(owner[basins[values > ground]])
    renumbered = np.zeros(count, dtype=np.int32)
    renumbered[hills] = np.arange(1, len(hills) + 1)
    return np.where(values > ground, renumbered[owner[basins]], 0).reshape(field.shape).astype(np.int32)


def _basins(framed: NDArray[Any], height: int, width: int, inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(H * W,) the number of the peak or plateau that each pixel leads to by steps to its highest neighbour."""
    moves = (-width, width, -1, 1)
    neighbours = np.stack([framed[:-2, 1:-1], framed[2:, 1:-1], framed[1:-1, :-2], framed[1:-1, 2:]]).reshape(4, -1)
    best = neighbours.argmax(axis=0)
    numbers = np.arange(height * width)
    # equal neighbours are joined, so that a plateau is one peak
    climbs = inside & (neighbours[best, numbers] >= framed[1:-1, 1:-1].ravel())
    start = numbers[climbs]
    stop = start + np.array(moves)[best[climbs]]
    steps = sparse.coo_array((np.ones(len(start), dtype=np.int8), (start, stop)), shape=(height * width,) * 2)
    return csgraph.connected_components(steps, directed=False)[1].astype(np.int64)


def _saddles(
    basins: NDArray[np.int64], values: NDArray[Any], joined: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """(2, S) the pairs of neighbouring basins, and (S,) the heights of their highest saddles, the highest first."""
    ends = np.sort(basins[joined], axis=0)
    heights = values[joined].min(axis=0)
    between = ends[0] != ends[1]
    ends, heights = ends[:, between], heights[between]
    order = np.argsort(-heights, kind="stable")
    keys = ends[0][order] * (int(basins.max(initial=0)) + 1) + ends[1][order]
    first = np.sort(np.unique(keys, return_index=True)[1])
    return ends[:, order[first]], heights[order[first]]


def _merged(peaks: NDArray[Any], ends: NDArray[np.int64], heights: NDArray[Any], deepest: float) -> NDArray[np.int64]:
    """(B,) the basin whose peak is the peak of the hill of each basin."""
    owner = list(range(len(peaks)))

    def top(basin: int) -> int:
        while owner[basin] != basin:
            owner[basin] = owner[owner[basin]]
            basin = owner[basin]
        return basin

    tall = peaks.tolist()
    for one, other, saddle in zip(*ends.tolist(), heights.tolist(), strict=True):
        low, high = sorted((top(one), top(other)), key=lambda basin: (tall[basin], -basin))
        if low != high and saddle >= deepest * tall[low]:
            owner[low] = high
    return np.array([top(basin) for basin in owner], dtype=np.int64)


def tiles(shape: tuple[int, ...]) -> Labels:
    """(H, W) indices of about `_COUNT` square tiles, numbered without gaps."""
    side = max(1.0, float(np.sqrt(shape[0] * shape[1] / _COUNT)))
    rows, columns = ((np.arange(length) / side).astype(np.int32) for length in shape)
    return (rows[:, None] * (columns[-1] + 1) + columns[None, :]).astype(np.int32)  # type: ignore[no-any-return]


def waterpixels(image: NDArray[np.float32]) -> Labels:
    """(H, W) indices of superpixels: a watershed of the picture, grown from the flattest pixel of each tile."""
    height, width = image.shape[:2]
    colour = image[:, :, :3] if image.shape[2] >= 3 else np.repeat(image[:, :, :1], 3, axis=2)
    picture = cv2.GaussianBlur((colour * 255).astype(np.uint8), (3, 3), 0)
    edges = cv2.morphologyEx(picture, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).sum(axis=2, dtype=np.float64)
    cells = tiles((height, width))
    # one marker per tile: its pixel with the weakest edge, and among equals the one nearest to the middle of the tile
    rows, columns = np.mgrid[:height, :width]
    counts = np.bincount(cells.ravel())
    middle = [np.bincount(cells.ravel(), weights=axis.ravel()) / counts for axis in (rows, columns)]
    off = (rows - middle[0][cells]) ** 2 + (columns - middle[1][cells]) ** 2
    order = np.lexsort((off.ravel(), edges.ravel(), cells.ravel()))
    first = order[np.searchsorted(cells.ravel()[order], np.arange(len(counts)))]
    markers = np.zeros((height, width), dtype=np.int32)
    markers.ravel()[first] = np.arange(len(counts)) + 1
    # cv2.watershed overwrites the outermost pixels, markers included: a frame around the picture takes their place
    framed = cv2.watershed(cv2.copyMakeBorder(picture, 1, 1, 1, 1, cv2.BORDER_REPLICATE), np.pad(markers, 1))
    labels = framed[1:-1, 1:-1]
    while (labels <= 0).any():  # the watershed leaves lines between basins: adjacent labels grow over them
        grown = cv2.dilate(np.maximum(labels, 0).astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
        labels = np.where(labels > 0, labels, grown)
    return (labels - 1).astype(np.int32)
