"""Bounds on activations behind the frontier for a batch of blocks, going forwards.

Where a block has one slot, the corners of each item pass every operation as they are: no slope makes them smaller or larger. In
between, an activation is the interpolation of its values in the corners, and an error that lies in an interval. A ReLU or max
pooling adds to that error what interpolation may be off, which falls with the square of the box's width, and keeps most of what
there was; see `relaxations`. With several slots, corners add up, and pass by the slopes of chords.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import torch

from adversarial.bounds.networks import Add, MaxPool
from adversarial.bounds.networks.evaluating import compute
from adversarial.bounds.proving.relaxations import PoolLines, ReluLines, pool_between, relu_between
from adversarial.bounds.proving.windows import windows

if TYPE_CHECKING:
    from torch import Tensor

    from adversarial.bounds.networks import Affine
    from adversarial.bounds.proving.deviations import Deviations

    Lines: TypeAlias = ReluLines | PoolLines

MOST_CORNERS = 16  # of a slot, that are carried forwards each by itself


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

    def of(self, rows: Tensor) -> Blocks:
        """Some of them."""
        return Blocks(self.corners[rows], self.shift[rows], self.radius[rows])


class Forward:
    """Deviations carried forwards: the corners one by one, everything else as centre and radius of each activation.

    Where there are many corners, their centre and radius are carried in their place.

    Args:
        deviations: the network around the image.
        absolute: for each affine node that is deep, the same with magnitudes.
        blocks: a batch at its frontier.
    """

    def __init__(self, deviations: Deviations, absolute: dict[int, Affine], blocks: Blocks) -> None:
        self.deviations, self.network, self.absolute = deviations, deviations.network, absolute
        self.slots, self.items = blocks.corners.shape[1], blocks.corners.shape[2] * blocks.corners.shape[3]
        self.batch, self.each = len(blocks.shift), blocks.corners.shape[3]
        self.corners: dict[int, Tensor] = {}
        self.centre: dict[int, Tensor] = {}
        self.radius: dict[int, Tensor] = {}
        self.shift: dict[int, Tensor] = {}  # at the frontier, of what is not in the corners
        self.slack: dict[int, Tensor] = {}
        self.lines: dict[int, tuple[Lines, Tensor, Tensor]] = {}  # and the bounds that they are for
        corners, start = blocks.corners.flatten(2, 3), 0
        self.joined = self.items > MOST_CORNERS
        for place, size in zip(self.deviations.frontier, self.deviations.sizes, strict=True):
            shape, end = self.deviations.base[place].shape[1:], start + size
            self.shift[place] = self.centre[place] = blocks.shift[:, start:end].reshape(-1, *shape)
            self.slack[place] = self.radius[place] = blocks.radius[:, start:end].reshape(-1, *shape)
            here = corners[..., start:end]
            if self.joined:
                low, high = here.amin(2).sum(1).reshape(-1, *shape), here.amax(2).sum(1).reshape(-1, *shape)
                self.centre[place] = self.centre[place] + (low + high) / 2
                self.radius[place] = self.radius[place] + (high - low) / 2
                self.corners[place] = here.new_zeros(0)
            else:
                self.corners[place] = here.reshape(-1, *shape)
            start = end

    def range(self, place: int) -> tuple[Tensor, Tensor]:
        """Between what a node's activations deviate."""
        self._reach(place)
        low, high = self.centre[place] - self.radius[place], self.centre[place] + self.radius[place]
        if self.joined:
            return low, high
        corners = self.corners[place].reshape(self.batch, self.slots, self.items, *self.corners[place].shape[1:])
        return low + corners.amin(2).sum(1), high + corners.amax(2).sum(1)

    def least(self, place: int, rows: Tensor) -> tuple[Tensor, Tensor | None]:
        """The least that functionals (S, size) of a node's deviations can be: constants (B, S), and what each corner adds.

        The latter is (B, S, slots, corners), and None where the corners are joined.
        """
        self._reach(place)
        least = self.centre[place].flatten(1) @ rows.T - self.radius[place].flatten(1) @ rows.abs().T
        if self.joined:
            return least, None
        moved = (self.corners[place].flatten(1) @ rows.T).reshape(self.batch, self.slots, self.items, len(rows))
        return least, moved.permute(0, 3, 1, 2)

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
            for part in (self.corners, self.centre, self.radius):  # no corners, if they are joined
                part[place] = part[node.inputs[0]] + part[node.inputs[1]]
            return
        read = node.inputs[0]
        self.corners[place] = self.corners[read].new_zeros(0) if self.joined else node.op.linear(self.corners[read])  # type: ignore[union-attr]
        self.centre[place] = node.op.linear(self.centre[read])  # type: ignore[union-attr]
        self.radius[place] = self.absolute[place].linear(self.radius[read])

    def _nonlinear(self, place: int) -> None:
        read = self.network.nodes[place].inputs[0]
        lines, low, high = self.lines[place]
        if self.slots == 1 and not self.joined:
            self._interpolated(place, read)
            return
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
        if self.joined:
            self.corners[place] = self.corners[read]
        else:
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

    def _interpolated(self, place: int, read: int) -> None:
        """Through a nonlinear operation, each corner as it is."""
        node, base = self.network.nodes[place], self.deviations.base
        before = base[read] + self.corners[read]
        self.corners[place] = compute(node, before) - base[place]
        apart = before.reshape(self.batch, -1, self.each, *before.shape[1:])  # (B, M, V, ...)
        error = self.centre[read] - self.radius[read], self.centre[read] + self.radius[read]
        if isinstance(node.op, MaxPool):
            low, high = pool_between(node.op, apart, error)
        else:
            low, high = relu_between(apart, error)
        self.centre[place], self.radius[place] = (low + high) / 2, (high - low) / 2

    def _times(self, corners: Tensor, factor: Tensor) -> Tensor:
        if self.joined:
            return corners
        each = self.slots * self.items
        return (corners.reshape(self.batch, each, *factor.shape[1:]) * factor[:, None]).reshape(corners.shape)
