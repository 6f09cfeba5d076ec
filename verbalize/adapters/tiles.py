"""Attention over the instances of a multiple-instance model, such as the tiles of a slide, as a map with a region per tile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from saywhy_core.errors import UsageError
from verbalize.adapters.boxes import boxes_in, checked_size, grid_boxes, masks_of, spread, vector
from verbalize.saliency import PixelSaliency, Query

if TYPE_CHECKING:
    from collections.abc import Sequence

_MASKS = 64  # tiles with a mask; a mask takes a byte per pixel, and sentences name a handful of tiles


def tiles_to_map(
    attention: Any,
    tiles: Any,
    image_size: Sequence[int],
    query: Query,
    *,
    names: Sequence[str] | None = None,
    overlap: Literal["sum", "mean"] = "sum",
    named: int = _MASKS,
    signed: bool = False,
    **fields: Any,
) -> PixelSaliency:
    """A map from the attention that a multiple-instance model pays to its tiles (Ilse et al. 2018, equation 8).

    The attention of a tile is spread evenly over its pixels, so that the scores of the map have the same sum as the attention.
    Each tile is a region of the map. Where tiles overlap, a pixel belongs to several regions: with "sum" it has the scores of
    all of them, with "mean" their mean, so that densely tiled places don't count more.

    Args:
        attention: (T,) the weight of each tile, after the softmax.
        tiles: (T, 4) pixels (top, left, bottom, right) of each tile, bottom and right exclusive; or (rows, columns) of a grid
            that covers the picture, whose tiles come row by row. What hangs over the edge is cut off.
        image_size: (height, width) of the picture that the map is for. Boxes of a larger slide must be scaled to it.
        query: the question that the attention answers.
        names: one name per tile; "row 2, column 3" or "tile 7" by default, counted from 1.
        overlap: "sum" or "mean".
        named: the most tiles that become regions: those with the greatest sums in the map. The others only have scores.
        signed: whether a negative value speaks against the label, as the instance scores of an additive model do.
        **fields: other arguments of `PixelSaliency`, such as `image`, `prediction`, `id` and `method`.

    Raises:
        UsageError: the numbers of tiles and weights differ, a tile lies outside the picture, or a weight is negative and the
            map unsigned.
    """
    size = checked_size(image_size)
    weights = vector(attention, "the attention of the tiles")
    grid = np.ndim(tiles) == 1 and len(tiles) == 2
    boxes = grid_boxes(int(tiles[0]), int(tiles[1]), size) if grid else boxes_in(tiles, size)
    if len(boxes) != len(weights):
        raise UsageError(f"there are {len(weights)} weights for {len(boxes)} tiles; give one weight for each tile")
    if overlap not in ("sum", "mean"):
        raise UsageError(f"overlap must be 'sum' or 'mean', not {overlap!r}")
    if named < 1:
        raise UsageError(f"named is how many tiles become regions, 1 or more, not {named!r}")
    if not signed and weights.min(initial=0.0) < 0:
        raise UsageError("a weight is negative: give the attention after the softmax, or signed=True for signed scores")
    if names is not None and len(names) != len(weights):
        raise UsageError(f"there are {len(names)} names for {len(weights)} tiles; give one name for each tile")
    if names is None:
        columns = int(tiles[1]) if grid else 0
        names = [
            f"row {index // columns + 1}, column {index % columns + 1}" if grid else f"tile {index + 1}"
            for index in range(len(weights))
        ]
    plane, counts = spread(weights, boxes, size)
    if overlap == "mean":
        plane /= np.maximum(counts, 1)
    held = np.array([plane[top:bottom, left:right].sum() for top, left, bottom, right in boxes.tolist()])
    strongest = np.sort(np.argsort(-np.abs(held), kind="stable")[:named])
    fields.setdefault("method", "instance attention")
    return PixelSaliency(
        plane,
        query,
        signed=signed,
        masks=masks_of(boxes[strongest], size),
        mask_names=tuple(names[index] for index in strongest),
        **fields,
    )
