"""Items (a pixel and a box of values each) and what they do, kept without the zeros and laid out for a batch of blocks."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np
import torch

from adversarial.bounds.proving.bounding import Blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from adversarial.bounds.proving.blocks import Block
    from adversarial.bounds.proving.deviations import Deviations


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

    def add(self, pixel: NDArray[np.int64], low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.int32]:
        """Make new items; their numbers."""
        start = len(self.pixel)
        self.pixel = np.concatenate([self.pixel, pixel])
        self.low, self.high = np.concatenate([self.low, low]), np.concatenate([self.high, high])
        return np.arange(start, len(self.pixel), dtype=np.int32)

    def halves(self, item: int, channel: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Cut an item's box in two along one channel; one new item each."""
        low, high = np.repeat(self.low[item][None], 2, 0), np.repeat(self.high[item][None], 2, 0)
        middle = (low[0, channel] + high[0, channel]) / 2
        high[0, channel] = low[1, channel] = middle
        made = self.add(np.repeat(self.pixel[item], 2), low, high)
        return made[:1], made[1:]

    def corner_values(self, items: NDArray[np.int32]) -> NDArray[np.float64]:
        """(N, V, C) the values in the corners of items."""
        device = self.deviations.image.device
        low, high = (torch.as_tensor(part[items], device=device) for part in (self.low, self.high))
        return np.asarray(self.deviations.values(low, high).cpu().numpy())

    def span(self) -> tuple[Tensor, Tensor]:
        """(R,) each: between what the input of the first ReLUs deviates where any one pixel has any values."""
        self.compute()
        return self._read.extremes()

    def laid_out(self, blocks: Sequence[Block]) -> tuple[Blocks, NDArray[np.int32]]:
        """A batch of blocks at the frontier, and the items in it, (B, G, M); the first is repeated where a slot has fewer."""
        self.compute()
        slots, most = len(blocks[0].slots), max(block.size for block in blocks)
        number = np.repeat(np.array([[slot[:1] for slot in block.slots] for block in blocks], dtype=np.int32), most, axis=2)
        lengths = np.array([[len(slot) for slot in block.slots] for block in blocks])
        number[np.arange(most) < lengths[..., None]] = np.concatenate([slot for block in blocks for slot in block.slots])
        device = self.deviations.image.device
        chosen = torch.as_tensor(number, device=device).long()
        at, values = self._reach.take(chosen)  # (B, G, M, w), (B, G, M, V + 1, w)
        batch, corners, width = len(blocks), values.shape[3] - 1, self.deviations.width
        shape = (batch, slots, most, corners)
        spread = at[:, :, :, None].expand(-1, -1, -1, corners, -1)
        dense = values.new_zeros(*shape, width).scatter_add_(4, spread, values[:, :, :, :corners])
        radius = values.new_zeros(batch * slots, width).scatter_reduce_(
            1, at.reshape(batch * slots, -1), values[:, :, :, corners].reshape(batch * slots, -1), "amax"
        )
        radius = radius.reshape(batch, slots, width).sum(1)
        if slots == 1 or not self.deviations.first:  # deviations then just add up
            return Blocks(dense, torch.zeros_like(radius), radius), number
        at, values = self._read.take(chosen)
        flat, size = at.reshape(batch * slots, -1), len(self.deviations.read)
        low, high = (
            _extreme(flat, values[:, :, :, side].reshape(batch * slots, -1), size, how, most).reshape(batch, slots, size)
            for side, how in ((0, "amin"), (1, "amax"))
        )
        shift, more = self.deviations.interaction(low, high)
        return Blocks(dense, shift, radius + more), number

    def compute(self, until: float = math.inf) -> bool:
        """Compute what the items made since the last time do; False if the time `until` of the clock came before its end."""
        device, step = self.deviations.image.device, self.deviations.chunk
        while self._known < len(self.pixel):
            if time.monotonic() > until:
                return False
            part = slice(self._known, min(self._known + step, len(self.pixel)))
            made = self.deviations.effects(
                *(torch.as_tensor(array[part], device=device) for array in (self.pixel, self.low, self.high))
            )
            self._reach.append(torch.cat([made.corners, made.radius[:, None]], dim=1))
            self._read.append(torch.stack([made.low, made.high], dim=1))
            self._known = part.stop
        return True


class _Sparse:
    """Rows of (L, width) numbers, kept without the columns that are zero; padded by zeros in column 0.

    Rows are appended, and the longest one says how many columns are kept.
    """

    def __init__(self, width: int, lines: int, like: Tensor) -> None:
        self.width = width
        self.at = torch.zeros(0, 1, dtype=torch.int32, device=like.device)
        self.values = like.new_zeros(0, lines, 1)
        self.count = 0

    def append(self, rows: Tensor) -> None:
        """Keep (n, L, width) more rows."""
        if not self.width:
            rows = rows.new_zeros(*rows.shape[:2], 1)
        touched = (rows != 0).any(1)
        longest = max(1, int(touched.sum(1).max()))
        # the columns that count come first, in their order
        at = torch.argsort(touched.to(torch.int8), dim=1, descending=True, stable=True)[:, :longest]
        kept = touched.gather(1, at)
        values = rows.gather(2, at[:, None].expand(-1, rows.shape[1], -1)) * kept[:, None]
        at = torch.where(kept, at, 0).to(torch.int32)
        room, wide = len(self.at), self.at.shape[1]
        if self.count + len(at) > room or longest > wide:
            room, wide = max(self.count + len(at), 2 * room if self.count + len(at) > room else room), max(longest, wide)
            old_at, old_values = self.at, self.values
            self.at = old_at.new_zeros(room, wide)
            self.values = old_values.new_zeros(room, old_values.shape[1], wide)
            self.at[: self.count, : old_at.shape[1]] = old_at[: self.count]
            self.values[: self.count, :, : old_at.shape[1]] = old_values[: self.count]
        self.at[self.count : self.count + len(at), :longest] = at
        self.values[self.count : self.count + len(at), :, :longest] = values
        self.count += len(at)

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


def _extreme(at: Tensor, values: Tensor, size: int, how: str, items: int) -> Tensor:
    """(N, size) the least or largest number of several sparse rows, (N, items w) each, in which missing columns are zero.

    A column that all of the items have is not zero for any of them.
    """
    found = values.new_full((len(at), size), math.inf if how == "amin" else -math.inf).scatter_reduce_(1, at, values, how)
    count = values.new_zeros(len(at), size).scatter_add_(1, at, (values != 0).to(values.dtype))
    some = torch.where(torch.isfinite(found), found, 0)
    zero = some.clamp(max=0) if how == "amin" else some.clamp(min=0)
    return torch.where(count >= items, some, zero)
