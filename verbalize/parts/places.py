"""Where a part of a picture lies, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Box = tuple[int, int, int, int]

NOWHERE, WHOLE, ACROSS = "nowhere", "whole picture", "across the picture"
_GRID = (
    ("upper left", "top", "upper right"),
    ("left", "centre", "right"),
    ("lower left", "bottom", "lower right"),
)
_WHOLE_AREA = 0.75  # a part that fills at least this share of the picture is the whole picture
_WIDE = 0.8  # a part that extends over this share of an axis has no position along it
_HALF = 0.8  # a part with at least this intersection over union with a half of the picture is that half


def place_in_words(part: ArrayLike, shape: Sequence[int]) -> str:
    """Where a mask or a box lies in a picture: "upper left", "centre", "left half", "whole picture" and so on.

    A part that fills three quarters of the picture is the "whole picture". A part whose intersection over union with one half
    of the picture is 0.8 or more is that half. A part that extends over most of both axes without filling the picture is
    "across the picture". Any other part is named after the cell of a 3×3 grid that contains its centre. A part without pixels
    is "nowhere".

    Args:
        part: (H, W) booleans, or a box (top, left, bottom, right) in pixels, bottom and right exclusive.
        shape: the picture's (height, width).

    Raises:
        UsageError: the mask and the picture differ in shape, or the box is not four finite numbers in order.
    """
    height, width = int(shape[0]), int(shape[1])
    mask = np.asarray(part)
    if mask.ndim == 2:
        if mask.shape != (height, width):
            raise UsageError(f"the mask has shape {mask.shape}, the picture {(height, width)}; they must be the same")
        return _mask_place(mask.astype(bool))
    if mask.shape != (4,) or not np.isfinite(mask.astype(float)).all():
        raise UsageError(f"a part is a mask of shape (height, width) or a box (top, left, bottom, right), not {part!r}")
    top, left, bottom, right = (float(edge) for edge in mask)
    if top > bottom or left > right:
        raise UsageError(f"a box is (top, left, bottom, right) with top <= bottom and left <= right, not {mask.tolist()}")
    if not height or not width:
        return NOWHERE
    rows = (max(0.0, top / height), min(1.0, bottom / height))
    columns = (max(0.0, left / width), min(1.0, right / width))
    if rows[0] >= rows[1] or columns[0] >= columns[1]:
        return NOWHERE
    area = (rows[1] - rows[0]) * (columns[1] - columns[0])
    overlaps = tuple(
        max(0.0, min(y[1], rows[1]) - max(y[0], rows[0])) * max(0.0, min(x[1], columns[1]) - max(x[0], columns[0]))
        for y, x in (((0, 0.5), (0, 1)), ((0.5, 1), (0, 1)), ((0, 1), (0, 0.5)), ((0, 1), (0.5, 1)))
    )
    centre = ((rows[0] + rows[1]) / 2, (columns[0] + columns[1]) / 2)
    return _words(area, overlaps, centre, (rows[1] - rows[0], columns[1] - columns[0]))


def located(place: str) -> str:
    """The place as a phrase after a noun: "at the upper left", "in the centre", "in the left half", "across the picture"."""
    if place == ACROSS:
        return place
    if place == NOWHERE:
        return "without pixels"
    if place == WHOLE:
        return "all over the picture"
    return f"{'in' if place == 'centre' or place.endswith('half') else 'at'} the {place}"


def bounding_box(mask: NDArray[np.bool_]) -> Box:
    """(top, left, bottom, right) of a mask in pixels, bottom and right exclusive; zeros if the mask is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return (0, 0, 0, 0)
    return (int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def centre_of(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """(row, column) of the centroid of a mask, in pixels; (0, 0) is the middle of the first pixel, and of an empty mask."""
    by_row, by_column = mask.sum(axis=1, dtype=np.int64), mask.sum(axis=0, dtype=np.int64)
    pixels = int(by_row.sum())
    if not pixels:
        return (0.0, 0.0)
    return float(by_row @ np.arange(len(by_row)) / pixels), float(by_column @ np.arange(len(by_column)) / pixels)


def _mask_place(mask: NDArray[np.bool_]) -> str:
    height, width = mask.shape
    by_row, by_column = mask.sum(axis=1, dtype=np.int64), mask.sum(axis=0, dtype=np.int64)
    pixels = int(by_row.sum())
    if not pixels:
        return NOWHERE
    row, column = centre_of(mask)
    # if the number of rows or columns is odd, the middle one counts half for each side
    top, left = _first_half(by_row) / mask.size, _first_half(by_column) / mask.size
    area = pixels / mask.size
    extents = (_reach(by_row) / height, _reach(by_column) / width)
    return _words(area, (top, area - top, left, area - left), ((row + 0.5) / height, (column + 0.5) / width), extents)


def _first_half(counts: NDArray[np.int64]) -> float:
    middle = len(counts) // 2
    return float(counts[:middle].sum()) + (float(counts[middle]) / 2 if len(counts) % 2 else 0.0)


def _reach(counts: NDArray[np.int64]) -> int:
    """How many rows (or columns) hold the middle nine tenths of the pixels. A few distant pixels do not count."""
    cumulative = np.cumsum(counts) / counts.sum()
    first, last = (int(np.searchsorted(cumulative, share, side="left")) for share in (0.05, 0.95))
    return last - first + 1


def _words(area: float, halves: tuple[float, ...], centre: tuple[float, float], extents: tuple[float, float]) -> str:
    if area >= _WHOLE_AREA:
        return WHOLE
    for name, overlap in zip(("upper half", "lower half", "left half", "right half"), halves, strict=True):
        if overlap >= _HALF * (0.5 + area - overlap):
            return name
    if min(extents) >= _WIDE:
        return ACROSS
    row, column = (min(2, int(3 * position)) for position in centre)
    if extents[0] >= _WIDE:
        row = 1
    if extents[1] >= _WIDE:
        column = 1
    return _GRID[row][column]
