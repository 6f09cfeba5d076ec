"""The part of a network that a change in a rectangle of pixels reaches: small beside the whole where the rectangle is small.

Deviations are zero outside of what a change reaches, so that affine operations and relaxations may leave everything else out.
Each node of the part covers a box of the activations of a node of the whole network. Where an operation is of a kind that does
not go with boxes, such as a reshape, its input is filled up with zeros and it is kept as it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch

from adversarial.bounds.networks import Add, MaxPool, Network, Relu
from adversarial.bounds.networks.network import Node
from adversarial.bounds.networks.operations import Conv, Dense, Scale, Sum
from adversarial.bounds.networks.rearranging import Cut, Pad, Transpose
from adversarial.bounds.proving.deviations import Deviations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from adversarial.bounds.networks import Affine

    Box: TypeAlias = tuple[tuple[int, int], ...]  # first and one after the last, per axis
    Local: TypeAlias = tuple[Box, Affine | MaxPool, Box]  # what it must read, the operation, what it computes

LEAST_PRODUCTS = 2_000_000  # of a whole network: below, parts of it take as long as all of it
TILE = 4  # pixels along the side of the tiles that rectangles are made of: few rectangles, little beside the pixels
MOST_KEPT = 256  # parts


@dataclass(frozen=True, eq=False)
class Nearby:
    """What a rectangle of pixels reaches.

    Attributes:
        deviations: of that part; its pixels are numbered row by row within the rectangle.
        whole: of the whole network.
        origin: for each node of the part, the node of the whole network and the box of its activations.
        rectangle: (first row, one after the last, first column, one after the last).
    """

    deviations: Deviations
    whole: Deviations
    origin: tuple[tuple[int, Box], ...]
    rectangle: tuple[int, int, int, int]

    def pixels(self, numbers: Tensor) -> Tensor:
        """The numbers within the rectangle of pixels given by their numbers in the whole image."""
        width = self.whole.image.shape[1]
        top, _, left, right = self.rectangle
        return (numbers // width - top) * (right - left) + numbers % width - left

    def holds(self, numbers: NDArray[np.int64]) -> bool:
        """Whether all of these pixels lie in the rectangle; of any other, the part says nothing."""
        top, bottom, left, right = self.rectangle
        rows, columns = np.divmod(numbers, self.whole.image.shape[1])
        return bool(((rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)).all())

    def place(self, local: int) -> tuple[slice, ...]:
        """Where the activations of a node of the part are among those (N, *shape) of the whole node."""
        return (slice(None), *_slices(self.origin[local][1]))

    def frontier(self) -> list[Tensor]:
        """For each node of the part's frontier, the columns of the whole frontier that it covers."""
        starts, start = {}, 0
        for place, size in zip(self.whole.frontier, self.whole.sizes, strict=True):
            starts[place] = start
            start += size
        return [self._columns(place, starts) for place in self.deviations.frontier]

    def read(self) -> Tensor:
        """The columns of what the first ReLUs of the whole network read that those of the part do."""
        starts, start = {}, 0
        for place in self.whole.first:
            before = self.whole.network.nodes[place].inputs[0]
            starts[place] = start
            start += self.whole.base[before][0].numel()
        columns = [self._columns(place, starts) for place in self.deviations.first]
        return torch.cat(columns) if columns else torch.zeros(0, dtype=torch.long, device=self.whole.image.device)

    def _columns(self, place: int, starts: dict[int, int]) -> Tensor:
        origin, box = self.origin[place]
        shape = self.whole.base[origin].shape[1:]
        number = torch.arange(shape.numel(), device=self.whole.image.device).reshape(shape) + starts[origin]
        return number[_slices(box)].flatten()

    def spread(self, ranges: dict[int, tuple[Tensor, Tensor]]) -> dict[int, tuple[Tensor, Tensor]]:
        """Ranges of deviations of nodes of the part, as such of nodes of the whole network.

        Outside of the part they are 0. Where nothing is known of a node within the part, they are infinite there.
        """
        made: dict[int, tuple[Tensor, Tensor]] = {}
        like = next(iter(ranges.values()))[0]
        for local, (place, _) in enumerate(self.origin):
            if place < 0:
                continue
            if place not in made:
                shape = (len(like), *self.whole.base[place].shape[1:])
                made[place] = like.new_zeros(shape), like.new_zeros(shape)
                inside = self.place(local)
                made[place][0][inside], made[place][1][inside] = -torch.inf, torch.inf
            if local in ranges:
                for full, side in zip(made[place], ranges[local], strict=True):
                    full[self.place(local)] = side
        return made


class Parts:
    """The parts of a network that rectangles of pixels reach, each made once.

    Args:
        whole: the whole network around an image.
    """

    def __init__(self, whole: Deviations) -> None:
        self.whole = whole
        self.height, self.width = whole.network.image_shape[:2]
        self.useful = products(whole.network) >= LEAST_PRODUCTS
        self._known: dict[tuple[int, int, int, int], Nearby] = {}

    def rectangle(self, pixels: NDArray[np.int64], tile: int | None = None) -> tuple[int, int, int, int] | None:
        """A rectangle of whole tiles around pixels, given by their numbers; None where a part is of no use."""
        if not self.useful:
            return None
        tile = TILE if tile is None else tile
        rows, columns = pixels // self.width, pixels % self.width
        top, left = int(rows.min()) // tile * tile, int(columns.min()) // tile * tile
        bottom = min(self.height, (int(rows.max()) // tile + 1) * tile)
        right = min(self.width, (int(columns.max()) // tile + 1) * tile)
        small = 2 * (bottom - top) * (right - left) <= self.height * self.width
        return (top, bottom, left, right) if small else None

    def all(self) -> Iterator[Nearby]:
        """The parts of single tiles, which together hold every pixel."""
        for top in range(0, self.height, TILE):
            for left in range(0, self.width, TILE):
                yield self.part((top, min(self.height, top + TILE), left, min(self.width, left + TILE)))

    def part(self, rectangle: tuple[int, int, int, int]) -> Nearby:
        """What a rectangle reaches."""
        if rectangle not in self._known:
            if len(self._known) >= MOST_KEPT:
                del self._known[next(iter(self._known))]
            self._known[rectangle] = nearby(self.whole, rectangle)
        return self._known[rectangle]


def products(network: Network) -> int:
    """How many products the network sums for an image."""
    return sum(math.prod(node.shape) * max(1, getattr(node.op, "terms", 1)) for node in network.nodes)


def nearby(whole: Deviations, rectangle: tuple[int, int, int, int]) -> Nearby:
    """What the pixels of a rectangle (first row, one after the last, first column, one after the last) reach."""
    building = _Building(whole, rectangle)
    for place, node in enumerate(whole.network.nodes):
        building.add(place, node)
    last = len(whole.network.nodes) - 1
    building.filled(last, _full(whole.network.nodes[last].shape))
    top, bottom, left, right = rectangle
    shape = (bottom - top, right - left, whole.image.shape[2])
    network = Network(tuple(building.nodes), shape, whole.network.precision)
    local = Deviations(network, whole.image[top:bottom, left:right], building.base)
    return Nearby(local, whole, tuple(building.origin), rectangle)


class _Building:
    def __init__(self, whole: Deviations, rectangle: tuple[int, int, int, int]) -> None:
        top, bottom, left, right = rectangle
        self.whole = whole
        self.nodes: list[Node] = []
        self.origin: list[tuple[int, Box]] = []
        self.local = {-1: -1}
        self.boxes: dict[int, Box] = {-1: ((top, bottom), (left, right), (0, whole.image.shape[2]))}
        self.base: dict[int, Tensor] = {-1: whole.image[None, top:bottom, left:right]}

    def add(self, place: int, node: Node) -> None:
        """Take over a node of the whole network."""
        shapes = [self.whole.base[one].shape[1:] for one in node.inputs]
        if isinstance(node.op, Relu):
            self.local[place] = self._made(node.op, (self.local[node.inputs[0]],), place, self.boxes[node.inputs[0]])
        elif isinstance(node.op, Add):
            first, second = (self.boxes[one] for one in node.inputs)
            box = tuple((min(a, c), max(b, d)) for (a, b), (c, d) in zip(first, second, strict=True))
            inputs = tuple(self.filled(one, box) for one in node.inputs)
            self.local[place] = self._made(node.op, inputs, place, box)
        else:
            source = node.inputs[0]
            found = _of_box(node.op, self.boxes[source], tuple(shapes[0]))
            needed, op, box = (_full(shapes[0]), node.op, _full(node.shape)) if found is None else found
            self.local[place] = self._made(op, (self.filled(source, needed),), place, box)
        self.boxes[place] = self.origin[self.local[place]][1]

    def filled(self, place: int, box: Box) -> int:
        """The node that covers `box` of the node at `place`, which is at least what is covered."""
        known = self.boxes[place]
        if known == box:
            return self.local[place]
        around = tuple((a - c, d - b) for (a, b), (c, d) in zip(known, box, strict=True))
        op = Pad(_sizes(known), around)
        if place < 0:
            return self._image(op, box)
        return self._made(op, (self.local[place],), place, box)

    def _image(self, op: Pad, box: Box) -> int:
        self.nodes.append(Node(op, (-1,), _sizes(box)))
        self.origin.append((-1, box))
        self.base[len(self.nodes) - 1] = self.whole.image[None][(slice(None), *_slices(box))]
        return len(self.nodes) - 1

    def _made(self, op: object, inputs: tuple[int, ...], place: int, box: Box) -> int:
        self.nodes.append(Node(op, inputs, _sizes(box)))  # type: ignore[arg-type]
        self.origin.append((place, box))
        self.base[len(self.nodes) - 1] = self.whole.base[place][(slice(None), *_slices(box))]
        return len(self.nodes) - 1


def _of_box(op: object, box: Box, shape: tuple[int, ...]) -> Local | None:
    """What an operation computes from a box of its input, of which all else is zero; None where that is no box."""
    match op:
        case Conv():
            return _conv(op, box, shape)
        case MaxPool():
            return _pool(op, box, shape)
        case Dense():
            first, end = box[-1]
            weight = op.weight if (first, end) == (0, shape[-1]) else op.weight[:, first:end]
            return box, replace(op, weight=weight, before=_sizes(box)), (*box[:-1], (0, int(op.weight.shape[0])))
        case Scale() if tuple(op.before) == tuple(op.after):
            factor, shift = (_cropped(part, box) for part in (op.factor, op.shift))
            return box, Scale(factor, shift, _sizes(box)), box
        case Sum():
            after = tuple((0, 1) if axis in op.axes else pair for axis, pair in enumerate(box))
            return box, replace(op, before=_sizes(box)), after
        case Transpose():
            return box, replace(op, before=_sizes(box)), tuple(box[axis] for axis in op.order)
        case Pad():
            after = tuple((a + before, b + before) for (a, b), (before, _) in zip(box, op.around, strict=True))
            return box, Pad(_sizes(box), tuple((0, 0) for _ in box)), after
        case Cut() if op.numbers.step > 0:
            return _cut(op, box)
    return None


def _conv(op: Conv, box: Box, shape: tuple[int, ...]) -> Local | None:
    box = ((0, shape[0]), *box[1:])
    padding, after = [], [(0, int(op.weight.shape[0]))]
    axes = zip(box[1:], op.weight.shape[2:], op.stride, op.dilation, op.padding, op.after[1:], strict=True)
    for (a, b), kernel, stride, dilation, (before, _), count in axes:
        reach = (kernel - 1) * dilation
        first, last = max(0, -(-(a + before - reach) // stride)), min(count - 1, (b - 1 + before) // stride)
        start, end = first * stride - before, last * stride - before + reach + 1
        if last < first or start > a or end < b:
            return None
        padding.append((a - start, end - b))
        after.append((first, last + 1))
    return box, replace(op, before=_sizes(box), padding=tuple(padding)), tuple(after)


def _pool(op: MaxPool, box: Box, shape: tuple[int, ...]) -> Local | None:
    needed, after, padding = [box[0]], [box[0]], []
    for axis in (0, 1):
        (a, b), size, kernel, stride = box[1 + axis], shape[1 + axis], op.kernel[axis], op.stride[axis]
        before, behind = op.padding[axis], op.padding[axis + 2]
        count = (size + before + behind - kernel) // stride + 1
        first, last = max(0, -(-(a + before - kernel + 1) // stride)), min(count - 1, (b - 1 + before) // stride)
        start, end = first * stride - before, last * stride - before + kernel
        if last < first or start > a or end < b:
            return None
        needed.append((max(0, start), min(size, end)))
        padding.append((max(0, -start), max(0, end - size)))
        after.append((first, last + 1))
    (top, bottom), (left, right) = padding
    return tuple(needed), MaxPool(op.kernel, op.stride, (top, left, bottom, right)), tuple(after)


def _cut(op: Cut, box: Box) -> Local | None:
    (a, b), step, start = box[op.axis], op.numbers.step, op.numbers.start
    first, last = max(0, -(-(a - start) // step)), min(len(op.numbers) - 1, (b - 1 - start) // step)
    if last < first:
        return None
    numbers = range(start + first * step - a, start + last * step - a + 1, step)
    return box, Cut(_sizes(box), op.axis, numbers), (*box[: op.axis], (first, last + 1), *box[op.axis + 1 :])


def _cropped(part: Tensor, box: Box) -> Tensor:
    """A tensor that is broadcast to the whole, broadcast to the box."""
    sizes = zip(part.shape, box[len(box) - part.ndim :], strict=True)
    return part[tuple(slice(None) if size == 1 else slice(*pair) for size, pair in sizes)]


def _slices(box: Box) -> tuple[slice, ...]:
    return tuple(slice(*pair) for pair in box)


def _sizes(box: Box) -> tuple[int, ...]:
    return tuple(end - first for first, end in box)


def _full(shape: tuple[int, ...]) -> Box:
    return tuple((0, int(size)) for size in shape)
