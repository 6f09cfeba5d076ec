"""Items (a pixel and a box of values each) and what they do, kept without the zeros and laid out for a batch of blocks."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np
import torch

from adversarial.bounds.proving.forward import Blocks
from adversarial.bounds.proving.nearby import Parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from adversarial.bounds.proving.blocks import Block
    from adversarial.bounds.proving.deviations import Deviations
    from adversarial.bounds.proving.nearby import Nearby

MOST_AT_ONCE = 1024  # items that are computed in one go


class Items:
    """All items of a proof: first each pixel with all its values, and then what these are split into.

    Args:
        deviations: the network around the image.

    Attributes:
        pixel: (N,) numbers of pixels, row by row.
        low, high: (N, C) the boxes.
    """

    def __init__(self, deviations: Deviations) -> None:
        self.deviations = deviations
        count, channels = deviations.image[..., 0].numel(), deviations.channels
        self.pixel = np.arange(count)
        self.low = np.zeros((count, channels))
        self.high = np.ones((count, channels))
        self._reach = _Sparse(deviations.width, 2**channels + 1, deviations.image)
        self._read = _Sparse(len(deviations.read), 2, deviations.image)
        self._known = 0
        self.parts = Parts(deviations)

    def add(self, pixel: NDArray[np.int64], low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.int32]:
        """Make new items; their numbers."""
        start = len(self.pixel)
        self.pixel = np.concatenate([self.pixel, pixel])
        self.low, self.high = np.concatenate([self.low, low]), np.concatenate([self.high, high])
        return np.arange(start, len(self.pixel), dtype=np.int32)

    def cut(self, item: int, channel: int, number: int = 2) -> list[NDArray[np.int32]]:
        """Cut an item's box in equal parts along one channel; one new item each."""
        low, high = np.repeat(self.low[item][None], number, 0), np.repeat(self.high[item][None], number, 0)
        edges = np.linspace(low[0, channel], high[0, channel], number + 1)
        low[:, channel], high[:, channel] = edges[:-1], edges[1:]
        made = self.add(np.repeat(self.pixel[item], number), low, high)
        return [made[place : place + 1] for place in range(number)]

    def corner_values(self, items: NDArray[np.int32]) -> NDArray[np.float64]:
        """(N, V, C) the values in the corners of items."""
        device = self.deviations.image.device
        low, high = (torch.as_tensor(part[items], device=device) for part in (self.low, self.high))
        return np.asarray(self.deviations.values(low, high).cpu().numpy())

    def span(self) -> tuple[Tensor, Tensor]:
        """(R,) each: between what the input of the first ReLUs deviates where any one pixel has any values."""
        self.compute()
        return self._read.extremes()

    def laid_out(self, blocks: Sequence[Block], part: Nearby | None = None) -> tuple[Blocks, NDArray[np.int32]]:
        """A batch of blocks at the frontier, and the items in it, (B, G, M); the first is repeated where a slot has fewer.

        Where all blocks have one slot, the frontier may be that of a part of the network that all of their pixels lie in.
        """
        self.compute()
        slots, most = len(blocks[0].slots), max(block.size for block in blocks)
        number = np.repeat(np.array([[slot[:1] for slot in block.slots] for block in blocks], dtype=np.int32), most, axis=2)
        lengths = np.array([[len(slot) for slot in block.slots] for block in blocks])
        number[np.arange(most) < lengths[..., None]] = np.concatenate([slot for block in blocks for slot in block.slots])
        if part is not None and not part.holds(self.pixel[number]):
            raise AssertionError("a pixel outside of a part of the network would be left out of its bounds")
        device = self.deviations.image.device
        chosen = torch.as_tensor(number, device=device).long()
        at, values = self._reach.take(chosen)  # (B, G, M, w), (B, G, M, V + 1, w)
        if part is None:
            dense, radius = _spread(at, values, self.deviations.width)
        else:
            places = [self._inverse(columns)[at] for columns in part.frontier()]
            sides = [_spread(place, values, size + 1) for place, size in zip(places, part.deviations.sizes, strict=True)]
            dense, radius = (torch.cat([pair[side][..., :-1] for pair in sides], dim=-1) for side in (0, 1))
        if slots == 1 or not self.deviations.first:  # deviations then just add up
            return Blocks(dense, torch.zeros_like(radius), radius), number
        at, values = self._read.take(chosen)
        batch = len(blocks)
        flat, size = at.reshape(batch * slots, -1), len(self.deviations.read)
        low, high = (
            _extreme(flat, values[:, :, :, side].reshape(batch * slots, -1), size, how, most).reshape(batch, slots, size)
            for side, how in ((0, "amin"), (1, "amax"))
        )
        shift, more = self.deviations.interaction(low, high)
        return Blocks(dense, shift, radius + more), number

    def _inverse(self, columns: Tensor) -> Tensor:
        """(F,) where each column of the frontier is among `columns`; one after the last where it is not."""
        place = torch.full((max(1, self.deviations.width),), len(columns), dtype=torch.long, device=columns.device)
        place[columns] = torch.arange(len(columns), device=columns.device)
        return place

    def compute(self, until: float = math.inf) -> bool:
        """Compute what the items made since the last time do; False if the time `until` of the clock came before its end."""
        while self._known < len(self.pixel):
            rest = np.arange(self._known, min(self._known + MOST_AT_ONCE, len(self.pixel)))
            by_rectangle: dict[tuple[int, int, int, int] | None, list[int]] = {}
            for item in rest.tolist():
                by_rectangle.setdefault(self.parts.rectangle(self.pixel[item : item + 1]), []).append(item)
            for rectangle, items in by_rectangle.items():
                part = None if rectangle is None else self.parts.part(rectangle)
                step = (self.deviations if part is None else part.deviations).chunk
                for start in range(0, len(items), step):
                    if time.monotonic() > until:
                        return False
                    self._compute(np.array(items[start : start + step]), part)
            self._known += len(rest)
        return True

    def _compute(self, items: NDArray[np.int64], part: Nearby | None) -> None:
        device = self.deviations.image.device
        pixel, low, high = (torch.as_tensor(array[items], device=device) for array in (self.pixel, self.low, self.high))
        if part is None:
            made, reached, read = self.deviations.effects(pixel, low, high), None, None
        else:
            made, read = part.deviations.effects(part.pixels(pixel), low, high), part.read()
            reached = torch.cat(part.frontier())
        self._reach.put(items, torch.cat([made.corners, made.radius[:, None]], dim=1), reached)
        self._read.put(items, torch.stack([made.low, made.high], dim=1), read)


def _spread(at: Tensor, values: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """The corners (B, G, M, V, width) and the radius (B, width) of sparse items (B, G, M, w) and (B, G, M, V + 1, w)."""
    batch, slots, most, lines = values.shape[:4]
    spread = at[:, :, :, None].expand(-1, -1, -1, lines - 1, -1)
    dense = values.new_zeros(batch, slots, most, lines - 1, width).scatter_add_(4, spread, values[:, :, :, : lines - 1])
    radius = values.new_zeros(batch * slots, width).scatter_reduce_(
        1, at.reshape(batch * slots, -1), values[:, :, :, lines - 1].reshape(batch * slots, -1), "amax"
    )
    return dense, radius.reshape(batch, slots, width).sum(1)


class _Sparse:
    """Rows of (L, width) numbers, kept without the columns that are zero; padded by zeros in column 0.

    The longest row says how many columns are kept.
    """

    def __init__(self, width: int, lines: int, like: Tensor) -> None:
        self.width = width
        self.at = torch.zeros(0, 1, dtype=torch.int32, device=like.device)
        self.values = like.new_zeros(0, lines, 1)
        self.count = 0

    def put(self, numbers: NDArray[np.int64], rows: Tensor, columns: Tensor | None = None) -> None:
        """Keep (n, L, width) as the rows of these numbers; or (n, L, w) where w columns alone are not zero.

        A column that is given twice has the larger magnitudes of both, of which one is 0 where they differ.
        """
        if not rows.shape[2]:
            rows, columns = rows.new_zeros(*rows.shape[:2], 1), None
        touched = (rows != 0).any(1)
        if columns is not None:
            touched = _once(touched, columns)
        longest = max(1, int(touched.sum(1).max()))
        # the columns that count come first, in their order
        at = torch.argsort(touched.to(torch.int8), dim=1, descending=True, stable=True)[:, :longest]
        kept = touched.gather(1, at)
        values = rows.gather(2, at[:, None].expand(-1, rows.shape[1], -1)) * kept[:, None]
        at = torch.where(kept, at if columns is None else columns[at], 0).to(torch.int32)
        (room, wide), needed = self.at.shape, int(numbers.max()) + 1
        if needed > room or longest > wide:
            room, wide = max(needed, 2 * room) if needed > room else room, max(longest, wide)
            old_at, old_values = self.at, self.values
            self.at = old_at.new_zeros(room, wide)
            self.values = old_values.new_zeros(room, old_values.shape[1], wide)
            self.at[: self.count, : old_at.shape[1]] = old_at[: self.count]
            self.values[: self.count, :, : old_at.shape[1]] = old_values[: self.count]
        place = torch.as_tensor(numbers, device=self.at.device)
        self.at[place, :longest] = at
        self.values[place, :, :longest] = values
        self.count = max(self.count, needed)

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Columns (..., w) and values (..., L, w) of rows."""
        return self.at[rows].long(), self.values[rows]

    def extremes(self) -> tuple[Tensor, Tensor]:
        """(width,) each: the least of the first line and the most of the second, over all rows, 0 included."""
        least, most = (
            self.values.new_zeros(max(1, self.width)).scatter_reduce_(
                0, self.at[: self.count].long().flatten(), self.values[: self.count, line].flatten(), how
            )
            for line, how in ((0, "amin"), (1, "amax"))
        )
        return least[: self.width], most[: self.width]


def _once(touched: Tensor, columns: Tensor) -> Tensor:
    """`touched` (n, w) with each column counted once per row where several of the w are the same one."""
    order = torch.argsort(columns, stable=True)
    again = torch.zeros_like(order, dtype=torch.bool)
    again[1:] = columns[order][1:] == columns[order][:-1]
    if not bool(again.any()):
        return touched
    made = touched.clone()
    seen = touched[:, order]
    for place in again.nonzero().flatten().tolist():  # neighbours in order: residual networks alone have them
        made[:, order[place]] &= ~seen[:, place - 1]
        seen[:, place] |= seen[:, place - 1]
    return made


def _extreme(at: Tensor, values: Tensor, size: int, how: str, items: int) -> Tensor:
    """(N, size) the least or largest number of several sparse rows, (N, items w) each, in which missing columns are zero.

    A column that all of the items have is not zero for any of them.
    """
    found = values.new_full((len(at), size), math.inf if how == "amin" else -math.inf).scatter_reduce_(1, at, values, how)
    count = values.new_zeros(len(at), size).scatter_add_(1, at, (values != 0).to(values.dtype))
    some = torch.where(count > 0, found, 0)
    zero = some.clamp(max=0) if how == "amin" else some.clamp(min=0)
    return torch.where(count >= items, some, zero)
