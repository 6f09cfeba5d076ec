"""Attention over the instances of a multiple-instance model, such as the tiles of a slide, as a map with a region per tile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.errors import UsageError
from verbalize.adapters.boxes import boxes_in, checked_size, grid_boxes, owners_of, spread, vector
from verbalize.adapters.given import SHARED, check_fields, checked_list
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
    named: int = _MASKS,
    signed: bool = False,
    **fields: Any,
) -> PixelSaliency:
    """A map from the attention that a multiple-instance model pays to its tiles (Ilse et al. 2018, equation 8).

    Each tile is a region of the map, and the attention of a tile is spread evenly over its region: the sum of the scores in a
    region is the attention that its tile has, and a share in a sentence is a share of all attention. Where tiles overlap, a
    pixel belongs to the tile with the nearest centre, so that regions don't overlap.

    Args:
        attention: (T,) the weight of each tile, after the softmax.
        tiles: (T, 4) pixels (top, left, bottom, right) of each tile, bottom and right exclusive; or (rows, columns) of a grid
            that covers the picture, whose tiles come row by row. What hangs over the edge is cut off.
        image_size: (height, width) of the picture that the map is for. Boxes of a larger slide must be scaled to it.
        query: the question that the attention answers.
        names: one name per tile; "row 2, column 3" or "tile 7" by default, counted from 1.
        named: the most tiles that become regions: those with the greatest weights. The others only have scores.
        signed: whether a negative value speaks against the label, as the instance scores of an additive model do.
        **fields: other arguments of `PixelSaliency`, such as `image`, `prediction`, `id` and `method`.

    Raises:
        UsageError: the numbers of tiles and weights differ, a tile lies outside the picture or wholly under others, or a
            weight is negative and the map unsigned.
    """
    check_fields(fields, (*SHARED, "image"))
    size = checked_size(image_size)
    weights = vector(attention, "the attention of the tiles")
    grid = np.ndim(tiles) == 1 and len(tiles) == 2
    boxes = grid_boxes(int(tiles[0]), int(tiles[1]), size) if grid else boxes_in(tiles, size)
    if len(boxes) != len(weights):
        raise UsageError(f"there are {len(weights)} weights for {len(boxes)} tiles; give one weight for each tile")
    if named < 1:
        raise UsageError(f"named is how many tiles become regions, 1 or more, not {named!r}")
    if not signed and weights.min(initial=0.0) < 0:
        raise UsageError("a weight is negative: give the attention after the softmax, or signed=True for signed scores")
    told = None if names is None else checked_list(names, "the names of the tiles")
    if told is not None and len(told) != len(weights):
        raise UsageError(f"there are {len(told)} names for {len(weights)} tiles; give one name for each tile")
    if told is None:
        columns = int(tiles[1]) if grid else 0
        told = [
            f"row {index // columns + 1}, column {index % columns + 1}" if grid else f"tile {index + 1}"
            for index in range(len(weights))
        ]
    owners = owners_of(boxes, size)
    strongest = np.sort(np.argsort(-np.abs(weights), kind="stable")[:named])
    fields.setdefault("method", "instance attention")
    return PixelSaliency(
        spread(weights, owners),
        query,
        signed=signed,
        masks=owners == strongest[:, None, None],
        mask_names=tuple(told[index] for index in strongest),
        floor=None if signed else 0.0,
        **fields,
    )
