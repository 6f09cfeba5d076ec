"""Lower bounds on the label's margins over a batch of blocks, by relaxations behind the frontier and exactly before it.

A block has G slots; one of the items in each slot is applied. At the frontier, a functional v of the deviation is at least
v shift - |v| radius + sum over slots of the least v corner over the slot's corners, which is exact but for the radius. Bounds
of intermediate activations come from going backwards where a layer is small, else from going forwards (the corners pass one
by one, everything else is an interval per activation). Margins come from going backwards (Zhang et al.
2018, CROWN).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import torch

from adversarial.bounds.networks import Add, MaxPool, Relu
from adversarial.bounds.networks.evaluating import compute
from adversarial.bounds.proving.forward import Forward
from adversarial.bounds.proving.relaxations import PoolLines, ReluLines, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from adversarial.bounds.proving.deviations import Deviations
    from adversarial.bounds.proving.forward import Blocks

    Lines: TypeAlias = ReluLines | PoolLines

MOST_PRODUCTS = 60_000_000  # of the bounds of one layer for one block, going backwards; beyond, going forwards costs less
HOPELESS = 4.0  # margins below 0: bounds going backwards are mostly 2 to 5 times nearer to the margin, so that more is in vain


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
        most: the products of a layer's bounds, as `MOST_PRODUCTS`; None for that.
    """

    def __init__(self, deviations: Deviations, label: int, most: int | None = None) -> None:
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
        self.small = self._small(MOST_PRODUCTS if most is None else most)
        reads = {self.network.nodes[place].inputs[0] for place in self.deep if _bent(self.network.nodes[place].op)}
        self.early = bool(reads - self.small - set(deviations.frontier))  # whether layers are bounded forwards
        self.tail = self._tail()
        self.absolute = {
            place: self.network.nodes[place].op.absolute()  # type: ignore[union-attr]
            for place in self.deep
            if hasattr(self.network.nodes[place].op, "absolute")
        }

    def _small(self, most: int) -> set[int]:
        """The nodes behind the frontier whose activations are few, or near enough to it, for bounds to go backwards."""
        products: dict[int, int] = {}  # that one row takes from a node back to the frontier
        for place in self.deep:
            node = self.network.nodes[place]
            size = self.deviations.base[place][0].numel()
            own = size * (1 if isinstance(node.op, Add | Relu | MaxPool) else max(1, node.op.terms))
            products[place] = own + sum(products.get(one, 0) for one in node.inputs)
        return {place for place in self.deep if self.deviations.base[place][0].numel() * products[place] <= most}

    def bound(self, blocks: Blocks, enough: Tensor | None = None) -> Bounded:
        """Lower bounds on the margins (B, S), apart by what contributes to them.

        Args:
            blocks: a batch.
            enough: (B, S) what proves a margin. Where layers are bounded forwards, no rows go backwards for what those bounds
                prove by themselves, and for what they are far from proving. None for the bound of all margins by going back.
        """
        forward = Forward(self.deviations, self.absolute, blocks)
        lines = self._all_lines(blocks, forward)
        ranges = self._ranges(forward)
        if enough is None or not self.early:
            return Bounded(*self._margins(blocks, lines, self.rows, self.margin), ranges)
        constant, moved = forward.least(*self.tail)
        constant, shape = constant + self.margin, (*constant.shape, *blocks.corners.shape[1:4])
        gains = constant.new_zeros(shape) if moved is None else moved.reshape(shape)
        early = constant + gains.flatten(3).amin(3).sum(2)
        rows = constant.new_zeros(*constant.shape, blocks.corners.shape[4])
        open_ = ~(early > enough)
        # a block that is far from proved stays so: what its layers read is nearly as loose going backwards
        near = (early > -HOPELESS * self.margin).all(1) if moved is not None else torch.ones_like(open_[:, 0])
        blocks_left = (open_.any(1) & near).nonzero().flatten()
        if len(blocks_left):
            rivals_left = open_[blocks_left].any(0).nonzero().flatten()
            rest = {place: one.of(blocks_left) for place, one in lines.items()}
            made = self._margins(blocks.of(blocks_left), rest, self.rows[rivals_left], self.margin[rivals_left])
            at = blocks_left[:, None], rivals_left[None]
            wanted = open_[at]
            constant[at] = torch.where(wanted, made[0], constant[at])
            gains[at] = torch.where(wanted[:, :, None, None, None], made[1], gains[at])
            rows[at] = made[2] * wanted[:, :, None]
        return Bounded(constant, gains, rows, ranges)

    def _margins(self, blocks: Blocks, lines: dict[int, Lines], rows: Tensor, margin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Going backwards: constants (B, S), gains (B, S, G, M, V) and rows at the frontier (B, S, F)."""
        batch = len(blocks.shift)
        constant, at_frontier = self._back(self.last, rows[None].expand(batch, -1, -1), lines)
        constant = constant + margin
        for part, shift, radius in self._unfolded(at_frontier, blocks):
            constant = constant + torch.einsum("bsf,bf->bs", part, shift) - torch.einsum("bsf,bf->bs", part.abs(), radius)
        corners = blocks.corners
        gains = torch.bmm(at_frontier, corners.flatten(1, 3).transpose(1, 2))
        return constant, gains.reshape(batch, len(rows), *corners.shape[1:4]), at_frontier

    def _tail(self) -> tuple[int, Tensor]:
        """The node from which only affine operations lead to the scores, and the margins (S, its size) as its functionals."""
        place, rows = self.last, self.rows
        while self.deviations.kind[place] == "deep" and hasattr(self.network.nodes[place].op, "transposed"):
            node = self.network.nodes[place]
            rows = node.op.transposed(rows)  # type: ignore[union-attr]
            place = node.inputs[0]
        return place, rows.flatten(1)

    def ranges(self, blocks: Blocks) -> dict[int, tuple[Tensor, Tensor]]:
        """The ranges of `Bounded` alone."""
        forward = Forward(self.deviations, self.absolute, blocks)
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
            if not _bent(node.op):
                continue
            read = node.inputs[0]
            if read in lines:  # what the ReLU or pooling before makes of its range
                low, high = self._after(read, *forward.lines[read][1:])
            elif read in self.small:
                low, high = self._rows_of(read, lines, blocks)
            else:
                low, high = forward.range(read)
            around = lines_of(node.op, self.deviations.base[read], low, high)
            forward.lines[place] = around, low, high
            if read in self.folded and isinstance(around, ReluLines):
                around = around.beyond(forward.shift[read], forward.slack[read])
            lines[place] = around
        return lines

    def _after(self, place: int, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """Between what a node that never falls where its input grows deviates, if its input does so between two."""
        node, base = self.network.nodes[place], self.deviations.base
        before = base[node.inputs[0]]
        return compute(node, before + low) - base[place], compute(node, before + high) - base[place]

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


def _bent(op: object) -> bool:
    """Whether an operation is relaxed by lines."""
    return isinstance(op, Relu | MaxPool)


def _add(waiting: dict[int, Tensor], place: int, rows: Tensor) -> None:
    waiting[place] = waiting[place] + rows if place in waiting else rows
