"""How far ahead the label must be in a bound, so that rounding errors change nothing.

Two errors are added. One is that of the network as it is run: `inference_error`, for all images of which at most
t pixels differ. The other is that of the bounds themselves, which are computed in float64.

The bounds: whatever is computed on the way is a sum of products of the network's numbers, with slopes in [0, 1] between them,
and its terms are at most twice the magnitudes that |W| and |b| give when they are carried from the largest pixel value to the
scores. Each such sum has at most n products over all layers together, and forward and backward steps double that, so that its
error is at most gamma(2 n) times the sum of the magnitudes (Higham 2002, section 3.1). A line around a ReLU that is off by
the error of the bounds it was made from errs by as much, which then reaches the scores as any other activation does: once per
node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch

from adversarial.bounds.networks import Add, MaxPool, Relu, inference_error
from adversarial.bounds.networks.evaluating import compute, compute_interval
from adversarial.bounds.proving.blocks import Block
from adversarial.bounds.proving.nearby import products

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from adversarial.bounds.networks import Network
    from adversarial.bounds.proving.bounding import Bounding
    from adversarial.bounds.proving.deviations import Deviations
    from adversarial.bounds.proving.items import Items
    from adversarial.bounds.proving.nearby import Nearby, Parts

    Interval: TypeAlias = tuple[Tensor, Tensor]

MOST_NUMBERS = 40_000_000  # at the frontier of a block of all pixels: a third of a gigabyte
MOST_SUMS = 20_000_000_000  # products of all pixels' ways through the network: a second or two
UNIT = 2.0**-53  # half the distance of 1 to the next number in float64


class Tolerance:
    """How far margins may be from their bounds, where at most so many pixels differ.

    Args:
        bounding: the bounds of one image.
        items: its items.
        pixels: t.

    Attributes:
        anywhere: (S,) for all sets of so many pixels. This needs bounds on all activations at once, which are loose where many
            layers follow; then those of a block are better.
        unchanged: (S,) for the image itself.
    """

    def __init__(self, bounding: Bounding, items: Items, pixels: int) -> None:
        self.bounding, self.network = bounding, bounding.network
        self._intervals = few_changed(bounding, items, pixels)
        self._sums = sums_of_few(bounding.deviations, items.parts, pixels)
        computed = bounding_error(self.network, bounding.deviations.image) @ np.abs(bounding.rows.cpu().numpy()).T
        self._computed = torch.as_tensor(computed, device=bounding.rows.device)
        self.anywhere = self._error(self._intervals)[0]
        base = bounding.deviations.base
        self.unchanged = self._error([(base[place], base[place]) for place in range(len(self.network.nodes))])[0]

    def within(self, ranges: dict[int, Interval], rows: Tensor, *, quick: bool = False) -> Tensor:
        """(b, S) for those blocks alone that `rows` (b,) picks out of a batch; looser, in a tenth of the time, if `quick`.

        Args:
            ranges: between what nodes of the network deviate, (B, ...) each, as in `Bounded`.
            rows: the blocks.
            quick: whether errors are carried forwards only.
        """
        deviations = self.bounding.deviations
        intervals: list[Interval] = []
        for place, node in enumerate(self.network.nodes):
            low, high = (side.expand(len(rows), *side.shape[1:]) for side in self._intervals[place])
            if deviations.kind[place] == "deep":
                inner = compute_interval(node, *(self._read(one, intervals, ranges, rows) for one in node.inputs))
                low, high = torch.maximum(low, inner[0]), torch.minimum(high, inner[1])
            intervals.append((low, high))
            intervals[place] = self._read(place, intervals, ranges, rows)
        return torch.minimum(self._error(intervals, backwards=not quick), self.anywhere)

    def _read(self, place: int, intervals: list[Interval], ranges: dict[int, Interval], rows: Tensor) -> Interval:
        """The interval of a node, narrowed by the ranges that were computed for the blocks."""
        base = self.bounding.deviations.base[place]
        low, high = intervals[place] if place >= 0 else (torch.zeros_like(base), torch.ones_like(base))
        if place in ranges:
            least, most = ranges[place]
            low, high = torch.maximum(low, base + least[rows]), torch.minimum(high, base + most[rows])
        return low.expand(len(rows), *base.shape[1:]), high.expand(len(rows), *base.shape[1:])

    def _error(self, intervals: list[Interval], *, backwards: bool = True) -> Tensor:
        # rounding may part two bounds on one number by less than is accounted for
        ordered = [(torch.minimum(low, high), torch.maximum(low, high)) for low, high in intervals]
        error = inference_error(self.network, ordered, rows=self.bounding.rows, sums=self._sums, backwards=backwards)
        return error + self._computed


def few_changed(bounding: Bounding, items: Items, pixels: int) -> list[Interval]:
    """Between which numbers each node lies where at most so many pixels have any values in [0, 1].

    What the first ReLUs read is bounded by the largest changes that single pixels make; the rest by interval propagation, and
    where the network is small also by taking all sets of so many pixels as one block.
    """
    deviations = bounding.deviations
    network, read = deviations.network, deviations.read
    low, high = items.span()
    known: dict[int, Interval] = {}
    start = 0
    for place in deviations.first:
        before = network.nodes[place].inputs[0]
        shape = deviations.base[before].shape
        end = start + shape.numel()
        known[before] = (
            (read[start:end] + pixels * low[start:end]).reshape(shape),
            (read[start:end] + pixels * high[start:end]).reshape(shape),
        )
        start = end
    corners, everything = len(deviations.unit), np.arange(deviations.image[..., 0].numel(), dtype=np.int32)
    if pixels * len(everything) * corners * deviations.width <= MOST_NUMBERS:
        blocks, _ = items.laid_out([Block((everything,) * pixels, 1.0)])
        for place, (least, most) in bounding.ranges(blocks).items():
            if place >= 0:
                known[place] = deviations.base[place] + least, deviations.base[place] + most
    values: dict[int, Interval] = {-1: (torch.zeros_like(deviations.base[-1]), torch.ones_like(deviations.base[-1]))}
    for place, node in enumerate(network.nodes):
        here: Interval = compute_interval(node, *(values[one] for one in node.inputs))
        if place in known:
            here = (torch.maximum(here[0], known[place][0]), torch.minimum(here[1], known[place][1]))
        values[place] = here
    return [values[place] for place in range(len(network.nodes))]


def sums_of_few(deviations: Deviations, parts: Parts, pixels: int) -> list[Tensor | None] | None:
    """What the sum of magnitudes |W| |x| + |b| of each affine node is at most where at most so many pixels have any values.

    A changed pixel touches few activations, so that the sums change less than the magnitudes could each by itself. One pixel
    moves an activation by at most |W| times what it moves those before, and ReLU and pooling stretch nothing; several pixels
    move it by at most the sum of that. None where that would take too long.
    """
    network, image = deviations.network, deviations.image
    count = image[..., 0].numel()
    by_part: list[Nearby | None] = [*parts.all()] if parts.useful else [None]
    whole = sum(
        products(network) * count if part is None else products(part.deviations.network) * part.deviations.image[..., 0].numel()
        for part in by_part
    )
    if whole > MOST_SUMS:
        return None
    most = [image.new_zeros(1, *node.shape) for node in network.nodes]
    for part in by_part:
        _moved_most(deviations if part is None else part.deviations, part, most)
    least: list[Tensor | None] = [None] * len(network.nodes)
    for place, node in enumerate(network.nodes):
        if hasattr(node.op, "absolute"):
            op = node.op.absolute()
            least[place] = op.forward(deviations.base[node.inputs[0]].abs()) + pixels * most[place]
    return least


def _moved_most(deviations: Deviations, part: Nearby | None, most: list[Tensor]) -> None:
    """Raise `most` (1, *shape), by node of the whole network, to what any single pixel moves the sums of magnitudes by."""
    network, image = deviations.network, deviations.image
    count = image[..., 0].numel()
    absolute = [node.op.absolute() if hasattr(node.op, "absolute") else None for node in network.nodes]
    room = torch.maximum(image, 1 - image).reshape(count, -1)
    for start in range(0, count, deviations.chunk):
        pixel = torch.arange(start, min(start + deviations.chunk, count), device=image.device)
        moved = image.new_zeros(len(pixel), count, image.shape[2])
        moved[torch.arange(len(pixel), device=image.device), pixel] = room[pixel]
        values = {-1: moved.reshape(-1, *image.shape)}
        for place, node in enumerate(network.nodes):
            inputs, op = [values[one] for one in node.inputs], absolute[place]
            values[place] = compute(node, *inputs) if op is None else op.linear(inputs[0])
            origin, here = (place, slice(None)) if part is None else (part.origin[place][0], part.place(place))
            if origin >= 0:
                most[origin][here] = torch.maximum(most[origin][here], values[place].amax(0))


def bounding_error(network: Network, image: Tensor) -> NDArray[np.float64]:
    """(K,) how far a bound that is computed in float64 may be from the exact one, for each score."""
    values: dict[int, Tensor] = {-1: torch.ones_like(image)[None]}
    products = 8
    for place, node in enumerate(network.nodes):
        inputs = [values[one] for one in node.inputs]
        if isinstance(node.op, Add):
            values[place] = inputs[0] + inputs[1]
            products += 2
        elif isinstance(node.op, Relu):
            values[place] = inputs[0]
            products += 8
        elif not isinstance(node.op, MaxPool):
            values[place] = node.op.absolute().forward(inputs[0])
            products += node.op.terms + 4
        else:
            # an error between corners may grow by twice the numbers in a window (see `pool_between`)
            values[place] = 2 * compute_interval(node, (inputs[0], inputs[0]))[1]
            products += 8
    spent = 2 * products * UNIT
    scores = values[len(network.nodes) - 1][0].cpu().numpy()
    return np.asarray(4 * (len(network.nodes) + 1) * spent / (1 - spent) * scores)
