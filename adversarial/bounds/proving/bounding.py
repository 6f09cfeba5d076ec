"""Lower bounds on the label's margins over a batch of blocks, by relaxations behind the frontier and exactly before it.

A block has G slots; one of the items in each slot is applied. At the frontier, a functional v of the deviation is at least
v shift - |v| radius + sum over slots of the least v corner over the slot's corners, which is exact but for the radius. Bounds
of intermediate activations come from going backwards where a layer is small, else from going forwards (the corners pass each
relaxation with its chord, everything else is an interval per activation). Margins come from going backwards (Zhang et al.
2018, CROWN).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import torch

from adversarial.bounds.networks import Add, MaxPool, Relu
from adversarial.bounds.proving.relaxations import PoolLines, ReluLines, lines_of
from adversarial.bounds.proving.windows import windows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from adversarial.bounds.proving.deviations import Deviations

    Lines: TypeAlias = ReluLines | PoolLines

MOST_PRODUCTS = 60_000_000  # of the bounds of one layer for one block, going backwards; beyond, going forwards costs less


@dataclass(frozen=True, eq=False)
class Blocks:
    """A batch of B blocks at the frontier of F activations.

    Attributes:
        corners: (B, G, M, V, F); where a slot has fewer than M items, its first one is repeated.
        shift, radius: (B, F) of everything that is not in the corners.
    """

    corners: Tensor
    shift: Tensor
    radius: Tensor


@dataclass(frozen=True, eq=False)
class Bounded:
    """What was computed for B blocks and S rival classes.

    Attributes:
        constant: (B, S) what bounds the margin without the items.
        gains: (B, S, G, M, V) what each corner of each item adds to that.
        rows: (B, S, F) the functionals of the frontier that this comes from.
        ranges: between what the frontier and what nonlinear operations behind it read deviates, (B, ...) each, by node.
    """

    constant: Tensor
    gains: Tensor
    rows: Tensor
    ranges: dict[int, tuple[Tensor, Tensor]]


class Bounding:
    """Bounds for one image and label.

    Args:
        deviations: the network around the image.
        label: its class.
    """

    def __init__(self, deviations: Deviations, label: int) -> None:
        self.deviations, self.network = deviations, deviations.network
        self.last = len(self.network.nodes) - 1
        classes = self.network.classes
        self.rivals = [place for place in range(classes) if place != label]
        rows = -torch.eye(classes, dtype=deviations.image.dtype, device=deviations.image.device)[self.rivals]
        rows[:, label] = 1
        self.rows = rows  # (S, K)
        self.margin = rows @ deviations.base[self.last][0]
        # what is known of the frontier but not as corners goes into the lines of the ReLUs that read it
        reading = {place: [node.op for node in self.network.nodes if place in node.inputs] for place in deviations.frontier}
        self.folded = {
            place for place, ops in reading.items() if ops and all(isinstance(op, Relu) for op in ops) and place != self.last
        }
        self.deep = [place for place in range(self.last + 1) if deviations.kind[place] == "deep"]
        self.small = self._small()
        self.absolute = {
            place: self.network.nodes[place].op.absolute()  # type: ignore[union-attr]
            for place in self.deep
            if hasattr(self.network.nodes[place].op, "absolute")
        }

    def _small(self) -> set[int]:
        """The nodes behind the frontier whose activations are few, or near enough to it, for bounds to go backwards."""
        products: dict[int, int] = {}  # that one row takes from a node back to the frontier
        for place in self.deep:
            node = self.network.nodes[place]
            size = self.deviations.base[place][0].numel()
            own = size * (1 if isinstance(node.op, Add | Relu | MaxPool) else max(1, node.op.terms))
            products[place] = own + sum(products.get(one, 0) for one in node.inputs)
        return {place for place in self.deep if self.deviations.base[place][0].numel() * products[place] <= MOST_PRODUCTS}

    def bound(self, blocks: Blocks) -> Bounded:
        """Lower bounds on the margins (B, S), apart by what contributes to them."""
        batch = len(blocks.shift)
        forward = Forward(self, blocks)
        lines = self._all_lines(blocks, forward)
        rows = self.rows[None].expand(batch, -1, -1)
        constant, at_frontier = self._back(self.last, rows, lines)
        constant = constant + self.margin
        for part, shift, radius in self._unfolded(at_frontier, blocks):
            constant = constant + torch.einsum("bsf,bf->bs", part, shift) - torch.einsum("bsf,bf->bs", part.abs(), radius)
        corners = blocks.corners
        gains = torch.bmm(at_frontier, corners.flatten(1, 3).transpose(1, 2))
        ranges = self._ranges(forward)
        return Bounded(constant, gains.reshape(batch, len(self.rivals), *corners.shape[1:4]), at_frontier, ranges)

    def ranges(self, blocks: Blocks) -> dict[int, tuple[Tensor, Tensor]]:
        """The ranges of `Bounded` alone."""
        forward = Forward(self, blocks)
        self._all_lines(blocks, forward)
        return self._ranges(forward)

    def _ranges(self, forward: Forward) -> dict[int, tuple[Tensor, Tensor]]:
        found = {place: forward.range(place) for place in self.deviations.frontier}
        for place, (_, low, high) in forward.lines.items():
            found[self.network.nodes[place].inputs[0]] = low, high
        return found

    def _all_lines(self, blocks: Blocks, forward: Forward) -> dict[int, Lines]:
        """The lines around each nonlinear operation behind the frontier."""
        lines: dict[int, Lines] = {}
        for place in self.deep:
            node = self.network.nodes[place]
            if not isinstance(node.op, Relu | MaxPool):
                continue
            read = node.inputs[0]
            low, high = self._rows_of(read, lines, blocks) if read in self.small else forward.range(read)
            around = lines_of(node.op, self.deviations.base[read], low, high)
            forward.lines[place] = around, low, high
            if read in self.folded and isinstance(around, ReluLines):
                around = around.beyond(forward.centre[read], forward.radius[read])
            lines[place] = around
        return lines

    def _rows_of(self, place: int, lines: dict[int, Lines], blocks: Blocks) -> tuple[Tensor, Tensor]:
        """Between what each activation of a small layer deviates, by going backwards."""
        batch, shape = len(blocks.shift), self.deviations.base[place].shape[1:]
        size = shape.numel()
        rows = torch.eye(size, dtype=blocks.shift.dtype, device=blocks.shift.device).reshape(1, size, *shape)
        both = self._back_beside(place, rows.expand(batch, -1, *shape), lines)
        if both is None:
            signed = torch.cat([rows, -rows], dim=1).expand(batch, -1, *shape)
            constant, v = self._back(place, signed, lines)
            low = constant + self._least(v, blocks)
            return low[:, :size].reshape(batch, *shape), -low[:, size:].reshape(batch, *shape)
        least, most, v = both
        corners = blocks.corners.flatten(2, 3)
        moved = torch.bmm(v, corners.flatten(1, 2).transpose(1, 2)).reshape(batch, size, *corners.shape[1:3])
        low = least + moved.amin(3).sum(2)
        high = most + moved.amax(3).sum(2)
        for part, shift, radius in self._unfolded(v, blocks):
            centre, spread = torch.einsum("bsf,bf->bs", part, shift), torch.einsum("bsf,bf->bs", part.abs(), radius)
            low, high = low + centre - spread, high + centre + spread
        return low.reshape(batch, *shape), high.reshape(batch, *shape)

    def _unfolded(self, v: Tensor, blocks: Blocks) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Of the frontier's nodes that are not folded: the functionals, the shift and the radius."""
        start = 0
        for place, size in zip(self.deviations.frontier, self.deviations.sizes, strict=True):
            if place not in self.folded:
                here = slice(start, start + size)
                yield v[:, :, here], blocks.shift[:, here], blocks.radius[:, here]
            start += size

    def _least(self, v: Tensor, blocks: Blocks) -> Tensor:
        """(B, S) the least that functionals (B, S, F) of the frontier can be over the blocks."""
        corners = blocks.corners.flatten(2, 3)
        moved = torch.bmm(v, corners.flatten(1, 2).transpose(1, 2)).reshape(*v.shape[:2], *corners.shape[1:3])
        low = moved.amin(3).sum(2)
        for part, shift, radius in self._unfolded(v, blocks):
            low = low + torch.einsum("bsf,bf->bs", part, shift) - torch.einsum("bsf,bf->bs", part.abs(), radius)
        return low

    def _back(self, place: int, rows: Tensor, lines: dict[int, Lines]) -> tuple[Tensor, Tensor]:
        """Push rows (B, S, ...) of a node back to the frontier: constants (B, S) and rows (B, S, F) that bound from below."""
        batch, number = rows.shape[:2]
        constant = rows.new_zeros(batch, number)
        waiting = {place: rows}
        for here in range(place, -1, -1):
            if here not in waiting or self.deviations.kind[here] != "deep":
                continue
            v, node = waiting.pop(here), self.network.nodes[here]
            if here in lines:
                before, added = lines[here].below(v)
                constant = constant + added
                _add(waiting, node.inputs[0], before)
            elif isinstance(node.op, Add):
                _add(waiting, node.inputs[0], v)
                _add(waiting, node.inputs[1], v)
            else:
                _add(waiting, node.inputs[0], self._transposed(here, v))
        return constant, self._at_frontier(waiting, batch, number)

    def _back_beside(self, place: int, rows: Tensor, lines: dict[int, Lines]) -> tuple[Tensor, Tensor, Tensor] | None:
        """As `_back` from both sides with one slope, which halves the work; None where the way leads through max pooling."""
        batch, number = rows.shape[:2]
        low = high = rows.new_zeros(batch, number)
        waiting = {place: rows}
        for here in range(place, -1, -1):
            if here not in waiting or self.deviations.kind[here] != "deep":
                continue
            v, node = waiting.pop(here), self.network.nodes[here]
            around = lines.get(here)
            if isinstance(around, PoolLines):
                return None
            if around is not None:
                before, least, most = around.beside(v)
                low, high = low + least, high + most
                _add(waiting, node.inputs[0], before)
            elif isinstance(node.op, Add):
                _add(waiting, node.inputs[0], v)
                _add(waiting, node.inputs[1], v)
            else:
                _add(waiting, node.inputs[0], self._transposed(here, v))
        return low, high, self._at_frontier(waiting, batch, number)

    def _transposed(self, place: int, v: Tensor) -> Tensor:
        node = self.network.nodes[place]
        shape = self.deviations.base[node.inputs[0]].shape[1:]
        if v.stride(0) == 0:  # the same rows for all blocks
            once: Tensor = node.op.transposed(v[0])  # type: ignore[union-attr]
            return once.reshape(1, v.shape[1], *shape).expand(v.shape[0], -1, *shape)
        made: Tensor = node.op.transposed(v.flatten(0, 1))  # type: ignore[union-attr]
        return made.reshape(*v.shape[:2], *shape)

    def _at_frontier(self, waiting: dict[int, Tensor], batch: int, number: int) -> Tensor:
        deviations = self.deviations
        parts = [
            waiting[place].reshape(batch, number, size) if place in waiting else deviations.image.new_zeros(batch, number, size)
            for place, size in zip(deviations.frontier, deviations.sizes, strict=True)
        ]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)


class Forward:
    """Deviations carried forwards: the corners by slopes, everything else as centre and radius of each activation."""

    def __init__(self, bounding: Bounding, blocks: Blocks) -> None:
        self.bounding, self.deviations, self.network = bounding, bounding.deviations, bounding.network
        self.slots, self.items = blocks.corners.shape[1], blocks.corners.shape[2] * blocks.corners.shape[3]
        self.batch = len(blocks.shift)
        self.corners: dict[int, Tensor] = {}
        self.centre: dict[int, Tensor] = {}
        self.radius: dict[int, Tensor] = {}
        self.lines: dict[int, tuple[Lines, Tensor, Tensor]] = {}  # and the bounds that they are for
        start = 0
        for place, size in zip(self.deviations.frontier, self.deviations.sizes, strict=True):
            shape, end = self.deviations.base[place].shape[1:], start + size
            self.corners[place] = blocks.corners[..., start:end].reshape(-1, *shape)
            self.centre[place] = blocks.shift[:, start:end].reshape(-1, *shape)
            self.radius[place] = blocks.radius[:, start:end].reshape(-1, *shape)
            start = end

    def range(self, place: int) -> tuple[Tensor, Tensor]:
        """Between what a node's activations deviate."""
        self._reach(place)
        corners = self.corners[place].reshape(self.batch, self.slots, self.items, *self.corners[place].shape[1:])
        low = corners.amin(2).sum(1) + self.centre[place] - self.radius[place]
        high = corners.amax(2).sum(1) + self.centre[place] + self.radius[place]
        return low, high

    def _reach(self, place: int) -> None:
        """Carry everything as far as a node; layers whose bounds were had otherwise cost nothing until then."""
        wanted, waiting = set(), [place]
        while waiting:
            here = waiting.pop()
            if here not in self.corners and here not in wanted:
                wanted.add(here)
                waiting.extend(self.network.nodes[here].inputs)
        for here in sorted(wanted):
            if here in self.lines:
                self._nonlinear(here)
            else:
                self._affine(here)

    def _affine(self, place: int) -> None:
        node = self.network.nodes[place]
        if isinstance(node.op, Add):
            for part in (self.corners, self.centre, self.radius):
                part[place] = part[node.inputs[0]] + part[node.inputs[1]]
            return
        read = node.inputs[0]
        self.corners[place] = node.op.linear(self.corners[read])  # type: ignore[union-attr]
        self.centre[place] = node.op.linear(self.centre[read])  # type: ignore[union-attr]
        self.radius[place] = self.bounding.absolute[place].linear(self.radius[read])

    def _nonlinear(self, place: int) -> None:
        read = self.network.nodes[place].inputs[0]
        lines, low, high = self.lines[place]
        if isinstance(lines, ReluLines):
            self.corners[place] = self._times(self.corners[read], lines.chord)
            self.centre[place] = self.centre[read] * lines.chord + (lines.top + lines.parallel) / 2
            self.radius[place] = self.radius[read] * lines.chord + (lines.top - lines.parallel) / 2
            return
        # a window with a sure leader passes it on, any other is an interval
        before, pool = self.deviations.base[read], lines.pool
        pooled, shape = windows(pool, before).amax(2), self.deviations.base[place].shape[1:]
        least = windows(pool, before + low).amax(2) - pooled
        most = windows(pool, before + high).amax(2) - pooled
        led = lines.led
        moved = windows(pool, self.corners[read])
        leaders = lines.leader.repeat_interleave(self.slots * self.items, dim=0)
        self.corners[place] = self._times(moved.gather(2, leaders[:, :, None])[:, :, 0], led).reshape(-1, *shape)
        sides = [
            torch.where(led > 0, windows(pool, part).gather(2, lines.leader[:, :, None])[:, :, 0] + lines.low * exact, other)
            for part, exact, other in (
                (self.centre[read], 1, (least + most) / 2),
                (self.radius[read], 0, (most - least) / 2),
            )
        ]
        self.centre[place], self.radius[place] = (side.reshape(-1, *shape) for side in sides)

    def _times(self, corners: Tensor, factor: Tensor) -> Tensor:
        each = self.slots * self.items
        return (corners.reshape(self.batch, each, *factor.shape[1:]) * factor[:, None]).reshape(corners.shape)


def _add(waiting: dict[int, Tensor], place: int, rows: Tensor) -> None:
    waiting[place] = waiting[place] + rows if place in waiting else rows
