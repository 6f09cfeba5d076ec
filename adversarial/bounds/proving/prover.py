"""The search: bound a batch of blocks, keep what may flip the class, split it, and ask the network about the worst of it."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import torch

from adversarial.bounds.proving.blocks import Block, first_blocks, possible, split
from adversarial.bounds.proving.bounding import MOST_PRODUCTS, Bounding
from adversarial.bounds.proving.deviations import Deviations
from adversarial.bounds.proving.items import Items
from adversarial.bounds.proving.nearby import products
from adversarial.bounds.proving.tolerance import Tolerance

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from adversarial.bounds.networks import Network
    from adversarial.bounds.proving.bounding import Bounded
    from adversarial.bounds.proving.nearby import Nearby

ROOM = 4_000_000  # numbers at the frontier of a batch: more would leave the processor's cache
MOST_BATCH = 256  # blocks: a batch must end in a moment, so that the time that was asked for is kept
MUCH = 0.1  # of the image's margin: where rounding may take more anywhere, it is computed for each single pixel
LIKELY = 0.3  # of the image's margin: what rounding needs at most, mostly, for one pixel whose values are cut in parts
MOST_PARTS = 16  # that the values of one pixel are cut in at once
ROWS_FOR_BOUNDS = 4  # what a layer's bounds may cost in a part of the network, going backwards: as much as so many rows
LEAST_WIDTH = 2.0**-14  # of a box of values: below, a set of pixels can't be decided and is left open


class Prover:
    """Prove for t = 1, 2, ... that no t pixels flip the class of one image.

    Args:
        network: the graph.
        image: (H, W, C) in float64.
        label: its class.
        flips: called with (N, H, W, C) float32 images; which of them the network as it is run classifies as another class.
        device: where it is computed.
    """

    def __init__(
        self,
        network: Network,
        image: NDArray[np.float64],
        label: int,
        *,
        flips: Callable[[NDArray[np.float32]], NDArray[np.bool_]],
        device: str = "cpu",
    ) -> None:
        self.deviations = Deviations(network, torch.as_tensor(image, dtype=torch.float64, device=device))
        self.bounding = Bounding(self.deviations, label)
        self.items = Items(self.deviations)
        self._nearby: WeakKeyDictionary[Nearby, Bounding] = WeakKeyDictionary()
        self.flips, self.label = flips, label
        self.height, self.width = network.image_shape[:2]
        self.proved, self.pixels, self.blocks, self.seconds, self.share = 0, 0, 0, 0.0, 0.0
        self.waiting: dict[int, list[Block]] = {}
        self.underway: list[Block] = []  # the batch that is being bounded: it still waits if that is interrupted
        self.stuck: list[Block] = []
        self.witness: NDArray[np.float32] | None = None
        self.fewest = math.inf
        self.allowance = 0.0  # the most by which the label had to be ahead in a bound for rounding errors
        self.tolerance: Tolerance | None = None

    @property
    def undecided(self) -> bool:
        """Whether the image itself is within rounding of the boundary, so that nothing can be proved about it."""
        if self.proved or self.tolerance is None:
            return False
        return not bool((self.bounding.margin > self.tolerance.unchanged).all())

    @property
    def open(self) -> int:
        """Blocks that wait."""
        return sum(map(len, self.waiting.values()))

    def know(self, image: NDArray[np.float32], pixels: int) -> None:
        """Take an example that the network classifies as another class, which changes so many pixels."""
        if 0 < pixels < self.fewest:
            self.witness, self.fewest = image, float(pixels)

    def restore(self, head: dict[str, Any], waiting: list[Block], stuck: list[Block], witness: NDArray[np.float32]) -> None:
        """Take up a proof that was written by `journal.save`."""
        self.proved, self.pixels, self.blocks = int(head["proved"]), int(head["pixels"]), int(head["blocks"])
        self.seconds, self.share, self.stuck, self.waiting = float(head["seconds"]), float(head["share"]), stuck, {}
        self.allowance = float(head.get("allowance", 0.0))
        if head["fewest"] is not None:
            self.know(witness, int(head["fewest"]))
        if self.pixels:
            self.tolerance = Tolerance(self.bounding, self.items, self.pixels)
        for block in waiting:
            self.waiting.setdefault(block.size, []).append(block)

    def go_on_from(self, proved: int, blocks: int, seconds: float, allowance: float) -> None:
        """Count as proved what was proved before about the same network, image and label; what waits of fewer pixels goes."""
        if proved > self.proved:
            self.proved = self.pixels = proved
            self.share, self.stuck, self.waiting, self.underway = 0.0, [], {}, []
        self.blocks, self.seconds = max(self.blocks, blocks), max(self.seconds, seconds)
        self.allowance = max(self.allowance, allowance)

    def run(self, at_most: int, seconds: float, progress: Callable[[], None] | None = None) -> None:
        """Go on for so many seconds, or until no t pixels up to `at_most` are left to prove or an example forbids it.

        Args:
            at_most: the largest t.
            seconds: from now.
            progress: called after each batch.
        """
        with torch.no_grad():
            began, before = time.monotonic(), self.seconds
            self._put_back()
            most = min(at_most, self.height * self.width)
            if not self.items.compute(began + seconds):
                self.seconds = before + time.monotonic() - began
                return
            while self.proved < most and self.proved + 1 < self.fewest:
                if self.pixels != self.proved + 1:
                    self._begin(self.proved + 1)
                while self.open and self.pixels < self.fewest:
                    self.seconds = before + time.monotonic() - began
                    if self.seconds - before >= seconds:
                        return
                    self._step()
                    if progress is not None:
                        progress()
                self.seconds = before + time.monotonic() - began
                if self.pixels >= self.fewest or self.stuck:
                    return
                self.proved = self.pixels

    def _begin(self, pixels: int) -> None:
        self.tolerance = Tolerance(self.bounding, self.items, pixels)
        self.share, self.stuck, self.waiting = 0.0, [], {}
        if bool((self.bounding.margin > self.tolerance.unchanged).all()):
            whole = np.arange(self.height * self.width, dtype=np.int32)
            for block in first_blocks(lambda pixels: whole[pixels], self.height, self.width, pixels):
                self._push(block)
        else:  # nothing can be proved about an image that is itself within rounding of the boundary
            self.stuck = [Block((np.zeros(1, dtype=np.int32),), 1.0)]
        self.pixels = pixels  # last, so that a proof that is interrupted before begins anew

    def _push(self, block: Block) -> None:
        if possible(block, self.items.pixel):
            self.waiting.setdefault(block.size, []).append(block)
        else:
            self.share += block.share

    def _next(self) -> list[Block]:
        """The next batch: of the smallest size that fills one, else of the largest, so that little waits at a time."""
        fitting = [size for size, blocks in self.waiting.items() if len(blocks) >= self._room(size)]
        size = min(fitting) if fitting else max(self.waiting)
        blocks = self.waiting[size]
        room = self._room(size)
        if self.pixels == 1 and self.items.parts.useful:  # only blocks that are all bounded in one part, or all in the whole
            rectangle = self._rectangle(blocks[-1])
            beside = [self._rectangle(block) == rectangle for block in reversed(blocks[-room:])]
            room = beside.index(False) if False in beside else room
        batch = blocks[-room:]
        self.underway = batch
        del blocks[-room:]
        if not blocks:
            del self.waiting[size]
        return batch

    def _put_back(self) -> None:
        """Let the blocks of a batch that was interrupted wait again; parts of them may then wait twice, which does no harm."""
        for block in self.underway:
            self.waiting.setdefault(block.size, []).append(block)
        self.underway = []

    def _room(self, size: int) -> int:
        numbers = self.pixels * size * len(self.deviations.unit) * self.deviations.width
        return int(np.clip(ROOM // max(1, numbers), 1, MOST_BATCH))

    def _rectangle(self, block: Block) -> tuple[int, int, int, int] | None:
        """The part of the image that a block lies in, if it may be bounded by itself.

        Of a pixel whose values were cut, many blocks follow, so that what it reaches by itself is taken: half of a tile's.
        """
        if len(block.slots) > 1:
            return None
        parts, items = self.items.parts, block.slots[0]
        if block.size == 1 and items[0] >= self.height * self.width:
            return parts.rectangle(self.items.pixel[items], 1)
        return parts.rectangle(self.items.pixel[items])

    def _bounds_of(self, part: Nearby | None) -> Bounding:
        """The bounds of a part of the network."""
        if part is None:
            return self.bounding
        if part not in self._nearby:
            few = ROWS_FOR_BOUNDS * products(part.deviations.network)
            self._nearby[part] = Bounding(part.deviations, self.label, min(few, MOST_PRODUCTS))
        return self._nearby[part]

    def _step(self) -> None:
        self._bounded(self._next())
        if self.pixels < self.fewest:  # else an example ended the batch before its parts were made, and it still waits
            self.underway = []

    def _bounded(self, batch: list[Block]) -> None:
        """Bound a batch, which proves some of its blocks, and split the others."""
        rectangle = self._rectangle(batch[0])
        part = None if rectangle is None else self.items.parts.part(rectangle)
        blocks, number = self.items.laid_out(batch, part)
        bounded = self._bounds_of(part).bound(blocks, self._guess(batch))
        self.blocks += len(batch)
        gains = bounded.gains  # (B, S, G, M, V)
        of_item = gains.amin(4)
        of_slot = of_item.amin(3)
        constant = bounded.constant - self._rounding(batch, bounded, part, bounded.constant + of_slot.sum(2))
        total = constant + of_slot.sum(2)
        failed = ~(total > 0)  # (B, S); what is no number proves nothing
        open_ = failed.any(1)
        self.share += sum(block.share for block, fails in zip(batch, open_.tolist(), strict=True) if not fails)
        if not bool(open_.any()):
            return
        # an item is kept where it may flip the class beside the best of the other slots, for some rival class
        behind = of_item - of_slot[..., None]  # 0 for the best, so that a slot of a block that failed keeps one
        kept = (~(total[..., None, None] + behind > 0) & failed[:, :, None, None]).any(1)
        rows = open_.nonzero().flatten()
        worst = total.argmin(1)[rows]
        at_worst = gains[rows, worst]  # (b, G, M, V)
        self._ask(number[rows.cpu().numpy()], at_worst)
        if self.pixels >= self.fewest:
            return
        keeps = kept[rows].cpu().numpy()
        spread = self._spread(blocks.corners[rows], bounded.rows[rows, worst]) if batch[0].size == 1 else None
        # how often the margin would be spent by what the worst bound is below it: about one part of a block each is proved
        over = (1 - total[rows, worst] / self.bounding.margin[worst]).cpu().numpy()
        for place, row in enumerate(rows.tolist()):
            if spread is None:
                self._refine(batch[row], keeps[place], over[place])
            else:
                self._cut(batch[row], spread[place], over[place])

    def _known_need(self, batch: list[Block]) -> torch.Tensor:
        """(B, S) how much of the margins rounding may take, as far as that is known."""
        assert self.tolerance is not None
        anywhere = self.tolerance.anywhere
        return torch.stack([anywhere if block.need is None else anywhere.new_tensor(block.need) for block in batch])

    def _guess(self, batch: list[Block]) -> torch.Tensor:
        """(B, S) what a margin must be for a bound to be good enough: what rounding needs, which may not be known yet."""
        assert self.tolerance is not None
        guess = torch.minimum(self.tolerance.anywhere, torch.maximum(self.tolerance.unchanged, LIKELY * self.bounding.margin))
        return torch.stack([guess if block.need is None else guess.new_tensor(block.need) for block in batch])

    def _rounding(self, batch: list[Block], bounded: Bounded, part: Nearby | None, margin: torch.Tensor) -> torch.Tensor:
        """(B, S) how much of the margins (B, S) rounding may take: what is known of a block, or computed where that decides.

        What holds for a block holds for its parts as well, and is computed for single items at the latest.
        """
        assert self.tolerance is not None
        need = self._known_need(batch)
        wanted = (margin > 0).all(1) & (margin <= need).any(1)
        many = batch[0].size > 1 and self.pixels > 1  # blocks of several pixels of which few will be proved
        if not many and bool((self.tolerance.anywhere > MUCH * self.bounding.margin).any()):
            wanted |= torch.tensor([block.need is None for block in batch], device=wanted.device)

        def narrow(rows: torch.Tensor, *, quick: bool, together: bool = False) -> None:
            ranges = {place: (low[rows], high[rows]) for place, (low, high) in bounded.ranges.items()}
            if together:
                ranges = {place: (low.amin(0)[None], high.amax(0)[None]) for place, (low, high) in ranges.items()}
            count = 1 if together else len(rows)
            if part is not None:
                ranges = part.spread(ranges)
            assert self.tolerance is not None
            found = self.tolerance.within(ranges, torch.arange(count, device=rows.device), quick=quick)
            need[rows] = torch.minimum(need[rows], found)
            for row in rows.tolist():
                batch[row] = replace(batch[row], need=need[row].cpu().numpy())

        ways = [(True, False), (False, False)] if self.bounding.early else [(False, False)]
        if part is not None and batch[0].size == 1:  # what they need together may do for each
            ways = [(True, True), *ways]
        for quick, together in ways:
            rows = wanted.nonzero().flatten()
            if len(rows):
                narrow(rows, quick=quick, together=together)
            wanted = (margin > 0).all(1) & (margin <= need).any(1)
        proved = (margin > need).all(1)
        if bool(proved.any()):
            self.allowance = max(self.allowance, float(need[proved].max()))
        return need

    def _refine(self, block: Block, kept: NDArray[np.bool_], over: float) -> None:
        """Leave out of a block what is proved, and split the rest."""
        slots = tuple(slot[keep[: len(slot)]] for slot, keep in zip(block.slots, kept, strict=True))
        smaller = replace(block, slots=slots)
        if smaller.size == 1:
            self._push(smaller)
            return
        if self._alone(slots) and over > smaller.size:  # no half of it would be proved: the bounds grow with the pixels
            beside = sorted(slots[0].tolist(), key=lambda item: self.items.parts.rectangle(self.items.pixel[[item]]) or ())
            number = _parts(over / smaller.size, 1) if self.deviations.channels == 1 else 1
            for item in beside:
                each = self.items.cut(item, 0, number) if number > 1 else [np.array([item], dtype=np.int32)]
                for one in each:
                    self._push(replace(block, slots=(one,), share=block.share / smaller.size / number))
            return
        place = max(range(len(slots)), key=lambda one: len(slots[one]))
        half = len(slots[place]) // 2
        for child in split(smaller, place, slots[place][:half], slots[place][half:]):
            self._push(child)

    def _cut(self, block: Block, spread: NDArray[np.float64], over: float) -> None:
        """Cut the values of a block of single items in two, where that changes most; `spread` is (G, C)."""
        items = np.array([slot[0] for slot in block.slots])
        wide = self.items.high[items] - self.items.low[items] > LEAST_WIDTH
        if not wide.any():
            self.stuck.append(block)
            return
        place, channel = np.unravel_index(int(np.where(wide, spread, -1.0).argmax()), spread.shape)
        if self._alone(block.slots):
            number = _parts(over, spread.shape[1])
            for item in self.items.cut(int(items[0]), int(channel), number):
                self._push(replace(block, slots=(item,), share=block.share / number))
            return
        first, second = self.items.cut(int(items[place]), int(channel))
        for child in split(block, int(place), first, second):
            self._push(child)

    def _alone(self, slots: tuple[NDArray[np.int32], ...]) -> bool:
        """Whether a block is of one pixel, and its bounds take long and are loose, so that it is soon split in many."""
        return len(slots) == 1 and self.bounding.early

    def _spread(self, corners: torch.Tensor, rows: torch.Tensor) -> NDArray[np.float64]:
        """(b, G, C) how much the activations at the frontier hang on each channel's range, by what they do to the margin.

        Magnitudes are summed: where changes cancel out, bounds are loose all the same.
        """
        unit = self.deviations.unit
        signs = (2 * unit - 1) / (len(unit) / 2)  # (V, C): the mean of one side less that of the other
        sides = torch.einsum("bgvf,vc->bgcf", corners[:, :, 0], signs).abs()
        weight = rows.abs() + rows.abs().mean(1, keepdim=True) + torch.finfo(rows.dtype).tiny  # where no row is known
        return np.asarray(torch.einsum("bgcf,bf->bgc", sides, weight).cpu().numpy())

    def _ask(self, number: NDArray[np.int32], gains: torch.Tensor) -> None:
        """Ask the network about the corners that do most, one image per block that was not proved."""
        count, slots = number.shape[:2]
        corners = gains.shape[3]
        place = gains.flatten(2).argmin(2).cpu().numpy()
        item = number[np.arange(count)[:, None], np.arange(slots), place // corners]
        at = self.items.corner_values(item.ravel())[np.arange(count * slots), (place % corners).ravel()]
        original = self.deviations.image.cpu().numpy().astype(np.float32)
        images = np.repeat(original.reshape(1, -1, original.shape[2]), count, axis=0)
        rows = np.repeat(np.arange(count), slots)
        images[rows, self.items.pixel[item.ravel()]] = at.astype(np.float32)
        images = images.reshape(count, *original.shape)
        changed = (images != original).any(3).sum((1, 2))
        flipped = np.flatnonzero(self.flips(images) & (changed > 0))
        if len(flipped):
            best = flipped[changed[flipped].argmin()]
            if self.flips(images[best][None])[0]:  # scores may be rounded otherwise in a batch than for one image
                self.know(images[best], int(changed[best]))


def _parts(over: float, channels: int) -> int:
    """In how many parts one channel's values are cut, where the bound is so many margins below the margin.

    What relaxations lose falls with the square of a box's width, as fewer activations change their sign, and by less.
    """
    return int(np.clip(np.ceil(over ** (0.5 / channels)), 2, MOST_PARTS)) if over > 0 else 2
