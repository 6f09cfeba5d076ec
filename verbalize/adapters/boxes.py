"""Boxes in a picture: those of a grid, and scores that are spread over the pixels of boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.arrays import to_numpy
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from verbalize.saliency import Floats

NINE = tuple(
    "centre" if (row, column) == ("middle", "centre") else f"{row} {column}" if row != "middle" else column
    for row in ("upper", "middle", "lower")
    for column in ("left", "centre", "right")
)


def checked_size(image_size: Sequence[int]) -> tuple[int, int]:
    """Height and width of a picture.

    Raises:
        UsageError: these are not two whole numbers from 1 up.
    """
    sizes = tuple(int(side) for side in image_size)
    if len(sizes) != 2 or min(sizes) < 1 or any(side != given for side, given in zip(sizes, image_size, strict=True)):
        raise UsageError(f"image_size is (height, width) in pixels, such as (224, 224), not {tuple(image_size)!r:.60}")
    return sizes[0], sizes[1]


def vector(values: Any, what: str) -> Floats:
    """(N,) finite numbers, from an array, a tensor or a list of that shape; axes of length 1 are dropped.

    Raises:
        UsageError: they have another shape, or one is not finite.
    """
    found = np.asarray(to_numpy(values))
    if found.dtype.kind not in "biuf":
        raise UsageError(f"{what} must be numbers, not values of type {found.dtype}")
    longest = [side for side in found.shape if side != 1]
    if len(longest) > 1 or found.ndim == 0:
        raise UsageError(
            f"{what} must be one number each, of shape (N,), not {found.shape}; average over heads or classes first"
        )
    flat = found.astype(np.float64).reshape(-1)
    if not np.isfinite(flat).all():
        raise UsageError(f"{what} must be finite; number {int(np.isfinite(flat).argmin())} is not")
    return flat


def grid_boxes(rows: int, columns: int, size: tuple[int, int]) -> NDArray[np.int64]:
    """(rows * columns, 4) boxes (top, left, bottom, right) of a grid, row by row. Sides that don't divide differ by a pixel.

    Raises:
        UsageError: the picture has fewer pixels than the grid has rows or columns.
    """
    if min(rows, columns) < 1 or rows > size[0] or columns > size[1]:
        raise UsageError(f"a picture of {size[0]} x {size[1]} pixels can't be cut into {rows} rows and {columns} columns")
    down, across = (
        np.round(np.linspace(0, side, count + 1)).astype(np.int64) for side, count in zip(size, (rows, columns), strict=True)
    )
    top, left = (edges.ravel() for edges in np.meshgrid(down[:-1], across[:-1], indexing="ij"))
    bottom, right = (edges.ravel() for edges in np.meshgrid(down[1:], across[1:], indexing="ij"))
    return np.stack([top, left, bottom, right], axis=1)


def boxes_in(boxes: Any, size: tuple[int, int]) -> NDArray[np.int64]:
    """(T, 4) boxes (top, left, bottom, right), with what hangs over the edge of the picture cut off.

    Raises:
        UsageError: they have another shape, or one holds no pixel of the picture.
    """
    found = np.asarray(to_numpy(boxes))
    if found.ndim != 2 or found.shape[1] != 4 or found.dtype.kind not in "iuf":
        raise UsageError(f"boxes are (T, 4) pixels: top, left, bottom and right of each, not an array of shape {found.shape}")
    if not np.isfinite(found).all():
        raise UsageError("boxes must be finite numbers of pixels")
    edges = np.round(found).astype(np.int64)
    inside: NDArray[np.int64] = np.clip(edges, 0, np.array([*size, *size]))
    empty = (inside[:, 0] >= inside[:, 2]) | (inside[:, 1] >= inside[:, 3])
    if empty.any():
        index = int(empty.argmax())
        raise UsageError(
            f"box {index} is {tuple(edges[index].tolist())} and holds no pixel of the picture of {size[0]} x {size[1]}; "
            "boxes are (top, left, bottom, right), with bottom and right exclusive"
        )
    return inside


def spread(values: Floats, owners: NDArray[np.int64]) -> Floats:
    """(H, W) the value of the part that owns each pixel, spread evenly over its pixels; 0 where the owner is -1."""
    counts = np.bincount(owners[owners >= 0], minlength=len(values))
    each = np.append(values / np.maximum(counts, 1), 0.0)
    plane: Floats = each[owners]  # -1 is the last entry
    return plane


def owners_of(boxes: NDArray[np.int64], size: tuple[int, int]) -> NDArray[np.int64]:
    """(H, W) the number of the box that each pixel belongs to, or -1: of those that hold it, the one with the nearest centre.

    Of boxes whose centres are as near, it is the smaller one, else the first.

    Raises:
        UsageError: a box is left without a pixel, because others lie upon it.
    """
    owners = np.full(size, -1, dtype=np.int64)
    nearest = np.full(size, np.inf)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for index in np.argsort(areas, kind="stable").tolist():
        top, left, bottom, right = boxes[index].tolist()
        down = np.arange(top, bottom) - (top + bottom - 1) / 2
        across = np.arange(left, right) - (left + right - 1) / 2
        distance = down[:, None] ** 2 + across**2
        inside = np.s_[top:bottom, left:right]
        won = distance < nearest[inside]
        owners[inside][won], nearest[inside][won] = index, distance[won]
    lost = np.bincount(owners[owners >= 0], minlength=len(boxes)) == 0
    if lost.any():
        raise UsageError(
            f"tile {int(lost.argmax())} (counted from 0) has no pixel of its own in a picture of {size[0]} x {size[1]}, "
            "because others lie upon it; take a larger picture, or join tiles of one place"
        )
    return owners


def masks_of(boxes: NDArray[np.int64], size: tuple[int, int]) -> NDArray[np.bool_]:
    """(T, H, W) the pixels of each box."""
    masks = np.zeros((len(boxes), *size), dtype=bool)
    for mask, (top, left, bottom, right) in zip(masks, boxes.tolist(), strict=True):
        mask[top:bottom, left:right] = True
    return masks
