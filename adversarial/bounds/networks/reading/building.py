"""A network as it grows, node by node, with a look at how much memory each would take."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch

from adversarial.bounds.networks.network import Add, MaxPool, Network, Node, Relu
from adversarial.bounds.networks.operations import Conv, Dense, Scale, Sum
from adversarial.bounds.networks.rearranging import Cut, Pad, Reshape, Transpose
from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import check_ceiling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from adversarial.bounds.networks.network import Affine, Precision

    Shape: TypeAlias = tuple[int, ...]
    Pairs: TypeAlias = Sequence[tuple[int, int]]

NUMBER = 8  # bytes of a float64
TOGETHER = 4  # times the ceiling `array`, which holds for one node, that all nodes of one image may take


class Builder:
    """Makes the nodes of a network. Places are numbers of nodes; -1 is the image; shapes and axes are without the batch.

    Args:
        where: the file or module, which errors name first.
        image_shape: (H, W, C).

    Attributes:
        node: the operation that is being read, as errors name it.
        softmax: whether a last softmax was left out.
        single: whether numbers were converted to float32, so that float64 may not be counted on.
    """

    def __init__(self, where: str, image_shape: tuple[int, int, int]) -> None:
        self.where = where
        self.node = ""
        self.softmax = self.single = False
        self._image_shape = image_shape
        self._nodes: list[Node] = []
        self._numbers = 0
        self._check(image_shape)

    def shape(self, place: int) -> Shape:
        """Of the result of a node, for one image."""
        return self._nodes[place].shape if place >= 0 else self._image_shape

    def refuse(self, why: str) -> UsageError:
        """The error that the network can't be read, for the node that is being read."""
        return UsageError(f"{self.where}: {self.node} {why}")

    def finish(self, place: int, precision: Precision = "float32") -> Network:
        """The network whose scores are at that place.

        Raises:
            UsageError: that is not one number per class.
        """
        if place < 0:
            raise UsageError(f"{self.where} returns its image; a classifier's scores are wanted")
        shape = self.shape(place)
        if math.prod(shape) != max(shape, default=0):
            raise UsageError(f"{self.where} returns numbers of shape {shape} for an image; one score per class is wanted")
        if math.prod(shape) < 2:
            raise UsageError(f"{self.where} returns one score; a classifier has at least two classes")
        self.node = "its output"
        place = self.reshape(place, (math.prod(shape),))
        kept: Precision = "float32" if self.single and precision == "float64" else precision
        return Network(tuple(self._nodes[: place + 1]), self._image_shape, kept, self.softmax)

    def relu(self, place: int) -> int:
        """max(x, 0)."""
        return self._add(Relu(), (place,), self.shape(place))

    def add(self, first: int, second: int) -> int:
        """The sum of two nodes, broadcast where one of them has axes of length 1."""
        one, two = self.shape(first), self.shape(second)
        if one != two:
            try:
                both = tuple(np.broadcast_shapes(one, two))
            except ValueError:
                both = ()
            if len(one) != len(two) or not both:
                raise self.refuse(f"adds numbers of shapes {one} and {two}, which don't fit")
            first, second = (self._spread(place, both) for place in (first, second))
        return self._add(Add(), (first, second), self.shape(first))

    def max_pool(self, place: int, kernel: Shape, stride: Shape, padding: Pairs) -> int:
        """The largest of each window of (channels, height, width); the padding never wins."""
        size = self._windows(place, kernel, stride, (1, 1), padding)
        if any(max(pair) >= reach for pair, reach in zip(padding, kernel, strict=True)):
            raise self.refuse("has windows that lie in the padding only")
        (top, bottom), (left, right) = padding
        op = MaxPool((kernel[0], kernel[1]), (stride[0], stride[1]), (top, left, bottom, right))
        return self._add(op, (place,), (self.shape(place)[0], *size))

    def average_pool(self, place: int, kernel: Shape, stride: Shape, padding: Pairs, *, counted: Pairs) -> int:
        """The mean of each window of (channels, *size): a sum, then divided by how many numbers it counts.

        Args:
            place: the input.
            kernel: one number per axis.
            stride: one number per axis.
            padding: how many zeros before and after each axis.
            counted: how many of these count as numbers of the window; the others only lie in its reach.
        """
        channels, *size = self.shape(place)
        self._windows(place, kernel, stride, (1,) * len(kernel), padding)
        ones = torch.ones(1, 1, *kernel, dtype=torch.float64)
        one = Conv(ones, None, (1, *size), stride, (1,) * len(kernel), tuple(padding))
        inside = torch.ones(1, 1, *size, dtype=torch.float64)
        both = [number for pair in reversed(counted) for number in pair]
        rest = [(whole - part, end - tail) for (whole, end), (part, tail) in zip(padding, counted, strict=True)]
        wide = torch.nn.functional.pad(inside, both, value=1.0)
        numbers = Conv(ones, None, tuple(wide.shape[1:]), stride, one.dilation, tuple(rest)).linear(wide)[0]
        if not bool((numbers > 0).all()):
            raise self.refuse("has windows that lie in the padding only")
        sums = self.conv(place, ones.expand(channels, *ones.shape[1:]), None, stride, one.dilation, padding, channels)
        return self.scale(sums, 1 / numbers, torch.zeros((1,) * numbers.ndim, dtype=torch.float64))

    def conv(
        self,
        place: int,
        weight: Tensor,
        bias: Tensor | None,
        stride: Shape,
        dilation: Shape,
        padding: Pairs,
        groups: int,
    ) -> int:
        """A convolution of (channels, *size); see `Conv`."""
        before = self.shape(place)
        if len(before) != weight.ndim - 1 or not 1 <= len(stride) <= 2:
            raise self.refuse(f"convolves numbers of shape {before} with weights of {tuple(weight.shape)}, which is not read")
        outputs, channels = (int(size) for size in weight.shape[:2])
        if groups < 1 or channels * groups != before[0] or outputs % groups or (bias is not None and bias.shape != (outputs,)):
            raise self.refuse(f"has weights of {tuple(weight.shape)} in {groups} groups for numbers of shape {before}")
        self._windows(place, tuple(weight.shape[2:]), stride, dilation, padding)
        return self.affine(place, Conv(weight, bias, before, stride, dilation, tuple(padding), groups))

    def dense(self, place: int, weight: Tensor, bias: Tensor | None) -> int:
        """A product of the last axis with weights (outputs, inputs)."""
        before = self.shape(place)
        if (
            weight.ndim != 2
            or not before
            or before[-1] != weight.shape[1]
            or (bias is not None and bias.shape != weight.shape[:1])
        ):
            raise self.refuse(f"multiplies numbers of shape {before} by weights of {tuple(weight.shape)}, which don't fit")
        return self.affine(place, Dense(weight, bias, before))

    def scale(self, place: int, factor: Tensor, shift: Tensor, magnitude: Tensor | None = None) -> int:
        """Each number times a factor plus a shift, by broadcasting; see `Scale`."""
        before = self.shape(place)
        try:
            both = np.broadcast_shapes(before, tuple(factor.shape), tuple(shift.shape))
        except ValueError:
            both = ()
        if len(both) != len(before):
            raise self.refuse(f"has constants of {tuple(factor.shape)} for numbers of shape {before}, which don't fit")
        return self.affine(place, Scale(factor, shift, before, magnitude))

    def sum(self, place: int, axes: Shape, factor: float = 1.0, *, keep: bool) -> int:
        """The sum over axes, times a factor; the axes stay with length 1, or vanish."""
        before = self.shape(place)
        done = self.affine(place, Sum(before, axes, factor)) if axes else place
        kept = tuple(1 if axis in axes else size for axis, size in enumerate(before))
        return done if keep else self.reshape(done, tuple(size for axis, size in enumerate(kept) if axis not in axes))

    def mean(self, place: int, axes: Shape, *, keep: bool) -> int:
        """The mean over axes."""
        count = math.prod(self.shape(place)[axis] for axis in axes)
        return self.sum(place, axes, 1 / count, keep=keep)

    def reshape(self, place: int, shape: Shape) -> int:
        """The same numbers in another shape."""
        before = self.shape(place)
        if math.prod(before) != math.prod(shape) or min(shape, default=1) < 0:
            raise self.refuse(f"reshapes numbers of shape {before} to {shape}, which don't fit")
        return place if before == shape else self.affine(place, Reshape(before, shape))

    def transpose(self, place: int, order: Shape) -> int:
        """The axes in another order."""
        before = self.shape(place)
        if sorted(order) != list(range(len(before))):
            raise self.refuse(f"orders the axes of numbers of shape {before} as {order}, which don't fit")
        return place if list(order) == sorted(order) else self.affine(place, Transpose(before, order))

    def cut(self, place: int, axis: int, window: slice) -> int:
        """Every step-th number between two places along an axis, by Python's rules."""
        before = self.shape(place)
        if window.step == 0:
            raise self.refuse("cuts with a step of 0")
        numbers = range(*window.indices(before[axis]))
        if not len(numbers):
            raise self.refuse("cuts out nothing")
        return place if numbers == range(before[axis]) else self.affine(place, Cut(before, axis, numbers))

    def pad(self, place: int, around: Pairs, value: float = 0.0) -> int:
        """A constant around the numbers; negative counts cut numbers off."""
        before = self.shape(place)
        if len(around) != len(before):
            raise self.refuse(f"pads {len(around)} axes of numbers of shape {before}, which don't fit")
        for axis, (first, last) in enumerate(around):
            if min(first, last) < 0:
                place = self.cut(place, axis, slice(max(-first, 0), before[axis] + min(last, 0)))
        more = tuple((max(first, 0), max(last, 0)) for first, last in around)
        return self.affine(place, Pad(self.shape(place), more, value)) if any(map(any, more)) else place

    def join(self, places: Sequence[int], axis: int) -> int:
        """Nodes one after another along an axis: the sum of each, padded with zeros."""
        shapes = [self.shape(place) for place in places]
        rest = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
        if len(rest) != 1:
            raise self.refuse(f"joins numbers of shapes {', '.join(map(str, shapes))}, which don't fit")
        sizes, total = [shape[axis] for shape in shapes], -1
        for index, place in enumerate(places):
            around = [(0, 0)] * len(shapes[0])
            around[axis] = (sum(sizes[:index]), sum(sizes[index + 1 :]))
            padded = self.pad(place, around)
            total = padded if index == 0 else self.add(total, padded)
        return total

    def affine(self, place: int, op: Affine) -> int:
        """Any affine operation."""
        return self._add(op, (place,), op.after)

    def _add(self, op: Affine | Relu | Add | MaxPool, inputs: tuple[int, ...], shape: Shape) -> int:
        self._check(shape)
        self._nodes.append(Node(op, inputs, tuple(int(size) for size in shape), self.node))
        return len(self._nodes) - 1

    def _check(self, shape: Shape) -> None:
        numbers = math.prod(shape)
        if numbers < 1:
            raise self.refuse(f"has no numbers: its shape is {shape}")
        check_ceiling("array", NUMBER * numbers, f"{self.where}: {self.node or 'its image'}")
        self._numbers += numbers
        check_ceiling(
            "array", NUMBER * self._numbers // TOGETHER, f"{self.where}: all its operations together, a fourth of which"
        )

    def _spread(self, place: int, shape: Shape) -> int:
        if self.shape(place) == shape:
            return place
        self._check(shape)
        zeros = torch.zeros(shape, dtype=torch.float64)
        return self.scale(place, torch.ones((1,) * len(shape), dtype=torch.float64), zeros)

    def _windows(self, place: int, kernel: Shape, stride: Shape, dilation: Shape, padding: Pairs) -> Shape:
        """How many windows there are along each axis."""
        _, *size = self.shape(place)
        if not len(size) == len(kernel) == len(stride) == len(dilation) == len(padding):
            raise self.refuse(f"has windows of {len(kernel)} axes for numbers of shape {self.shape(place)}, which don't fit")
        if min((*kernel, *stride, *dilation)) < 1 or min(min(pair) for pair in padding) < 0:
            raise self.refuse("has a kernel, stride, dilation or padding that is too small")
        padded = [one + sum(pair) for one, pair in zip(size, padding, strict=True)]
        self.room(math.prod(padded) * self.shape(place)[0])
        self.room(math.prod(kernel))
        counts = tuple(
            (one - (reach - 1) * apart - 1) // step + 1
            for one, reach, apart, step in zip(padded, kernel, dilation, stride, strict=True)
        )
        if min(counts) < 1:
            raise self.refuse(f"has windows that are larger than its numbers of shape {self.shape(place)}")
        return counts

    def room(self, numbers: int) -> None:
        """See that an array of so many numbers may be made.

        Raises:
            CeilingError: it takes more bytes than the ceiling on arrays.
        """
        check_ceiling("array", NUMBER * numbers, f"{self.where}: {self.node}")


def ceiled(
    size: Sequence[int], kernel: Sequence[int], stride: Sequence[int], pads: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The padding with which windows that begin inside are whole (`ceil_mode`)."""
    made = []
    for one, reach, step, (first, last) in zip(size, kernel, stride, pads, strict=True):
        count = -(-(one + first + last - reach) // step) + 1
        count -= (count - 1) * step >= one + first  # a window that begins in the padding at the end is left out
        made.append((first, max(last, (count - 1) * step + reach - one - first)))
    return made


def double(numbers: Any) -> Tensor:
    """A constant of a file in float64, at its value."""
    return torch.from_numpy(np.array(numbers, dtype=np.float64))
