"""Superpixels: patches of a picture that follow its edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Labels = NDArray[np.int32]

_COUNT = 150  # tiles or superpixels per picture


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
