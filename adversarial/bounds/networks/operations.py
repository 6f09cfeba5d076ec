"""Affine operations that compute: convolutions, matrix products, scales with shifts, and sums over axes, in float64."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

    Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Conv:
    """A convolution over one or two axes, as networks mean it: a sum of products with shifted windows, without reflection.

    Attributes:
        weight: (out channels, in channels / groups, *kernel).
        bias: (out channels,), or None for none.
        before: (in channels, *size).
        stride, dilation: one number per axis.
        padding: zeros before and after, per axis.
        groups: of channels, each with its own outputs.
    """

    weight: Tensor
    bias: Tensor | None
    before: Shape
    stride: Shape
    dilation: Shape
    padding: tuple[tuple[int, int], ...]
    groups: int = 1

    @property
    def after(self) -> Shape:
        """(out channels, *size)."""
        return (int(self.weight.shape[0]), *self._outputs())

    @property
    def terms(self) -> int:
        """The products of one window."""
        return math.prod(self.weight.shape[1:])

    def forward(self, x: Tensor) -> Tensor:
        """W x + b."""
        return self._convolved(x, self.bias)

    def linear(self, x: Tensor) -> Tensor:
        """W x."""
        return self._convolved(x, None)

    def transposed(self, v: Tensor) -> Tensor:
        """The rows v W."""
        left = tuple(  # rows at the end that no window reaches
            size - (count - 1) * step - reach
            for size, count, step, reach in zip(self._padded(), self._outputs(), self.stride, self._reach(), strict=True)
        )
        spread = (functional.conv_transpose1d, functional.conv_transpose2d)[len(self.stride) - 1]
        # output_padding must be below the stride or the dilation, which rows that no window reaches are
        whole = spread(v, self.weight, None, self.stride, 0, left, self.groups, self.dilation)
        window = (slice(start, start + size) for (start, _), size in zip(self.padding, self.before[1:], strict=True))
        return whole[(slice(None), slice(None), *window)]

    def offset(self, v: Tensor) -> Tensor:
        """The numbers v b."""
        return v.new_zeros(len(v)) if self.bias is None else v.flatten(2).sum(2) @ self.bias

    def absolute(self) -> Conv:
        """With the magnitudes of all numbers."""
        return replace(self, weight=self.weight.abs(), bias=None if self.bias is None else self.bias.abs())

    def to(self, device: str) -> Conv:
        """On another device."""
        return replace(self, weight=self.weight.to(device), bias=None if self.bias is None else self.bias.to(device))

    def _convolved(self, x: Tensor, bias: Tensor | None) -> Tensor:
        flat = [number for pair in reversed(self.padding) for number in pair]
        padded = functional.pad(x, flat) if any(flat) else x
        convolve = (functional.conv1d, functional.conv2d)[len(self.stride) - 1]
        return convolve(padded, self.weight, bias, self.stride, 0, self.dilation, self.groups)

    def _padded(self) -> Shape:
        return tuple(size + sum(pair) for size, pair in zip(self.before[1:], self.padding, strict=True))

    def _reach(self) -> Shape:
        return tuple(step * (size - 1) + 1 for step, size in zip(self.dilation, self.weight.shape[2:], strict=True))

    def _outputs(self) -> Shape:
        return tuple(
            (size - reach) // step + 1 for size, reach, step in zip(self._padded(), self._reach(), self.stride, strict=True)
        )


@dataclass(frozen=True, eq=False)
class Dense:
    """A matrix product over the last axis.

    Attributes:
        weight: (outputs, inputs).
        bias: (outputs,), or None for none.
        before: (..., inputs).
    """

    weight: Tensor
    bias: Tensor | None
    before: Shape

    @property
    def after(self) -> Shape:
        """(..., outputs)."""
        return (*self.before[:-1], int(self.weight.shape[0]))

    @property
    def terms(self) -> int:
        """The inputs."""
        return int(self.weight.shape[1])

    def forward(self, x: Tensor) -> Tensor:
        """W x + b."""
        return functional.linear(x, self.weight, self.bias)

    def linear(self, x: Tensor) -> Tensor:
        """W x."""
        return functional.linear(x, self.weight)

    def transposed(self, v: Tensor) -> Tensor:
        """The rows v W."""
        return v @ self.weight

    def offset(self, v: Tensor) -> Tensor:
        """The numbers v b."""
        return v.new_zeros(len(v)) if self.bias is None else (v @ self.bias).flatten(1).sum(1) if v.ndim > 2 else v @ self.bias

    def absolute(self) -> Dense:
        """With the magnitudes of all numbers."""
        return replace(self, weight=self.weight.abs(), bias=None if self.bias is None else self.bias.abs())

    def to(self, device: str) -> Dense:
        """On another device."""
        return replace(self, weight=self.weight.to(device), bias=None if self.bias is None else self.bias.to(device))


@dataclass(frozen=True, eq=False)
class Scale:
    """Each number times a factor, plus a shift; both are broadcast, and the input may be so too.

    Attributes:
        factor, shift: they fit (..., *after) by broadcasting.
        before: as many axes as `after`; axes of one number may become longer.
        magnitude: at least |shift|, number by number. Where a network computes the shift from larger numbers, these count for
            its rounding errors. None for |shift|.
    """

    factor: Tensor
    shift: Tensor
    before: Shape
    magnitude: Tensor | None = None

    @property
    def after(self) -> Shape:
        """The common shape."""
        return tuple(torch.broadcast_shapes(self.before, self.factor.shape, self.shift.shape))

    @property
    def terms(self) -> int:
        """One product."""
        return 1

    def forward(self, x: Tensor) -> Tensor:
        """The factors times x, plus the shifts."""
        return self.linear(x) + self.shift

    def linear(self, x: Tensor) -> Tensor:
        """The factors times x."""
        return (x * self.factor).expand(len(x), *self.after)

    def transposed(self, v: Tensor) -> Tensor:
        """The rows v W: summed where the input was broadcast."""
        return (v * self.factor).sum_to_size(len(v), *self.before)

    def offset(self, v: Tensor) -> Tensor:
        """The numbers v b."""
        return (v * self.shift).flatten(1).sum(1)

    def absolute(self) -> Scale:
        """With the magnitudes of all numbers."""
        return Scale(self.factor.abs(), self.shift.abs() if self.magnitude is None else self.magnitude, self.before)

    def to(self, device: str) -> Scale:
        """On another device."""
        most = None if self.magnitude is None else self.magnitude.to(device)
        return Scale(self.factor.to(device), self.shift.to(device), self.before, most)


@dataclass(frozen=True, eq=False)
class Sum:
    """The sum over some axes, times a factor: a mean where the factor is one over their size. The axes keep length 1.

    Attributes:
        before: the shape of the input.
        axes: which are summed, counted from 0 without the batch.
        factor: what the sums are multiplied by.
    """

    before: Shape
    axes: Shape
    factor: float = 1.0

    @property
    def after(self) -> Shape:
        """The shape with ones where it is summed."""
        return tuple(1 if axis in self.axes else size for axis, size in enumerate(self.before))

    @property
    def terms(self) -> int:
        """The numbers that are summed."""
        return math.prod(self.before[axis] for axis in self.axes)

    def forward(self, x: Tensor) -> Tensor:
        """The sums."""
        return x.sum([axis + 1 for axis in self.axes], keepdim=True) * self.factor

    def linear(self, x: Tensor) -> Tensor:
        """The sums."""
        return self.forward(x)

    def transposed(self, v: Tensor) -> Tensor:
        """The rows v W."""
        return (v * self.factor).expand(len(v), *self.before)

    def offset(self, v: Tensor) -> Tensor:
        """Nothing is added."""
        return v.new_zeros(len(v))

    def absolute(self) -> Sum:
        """With the magnitude of the factor."""
        return replace(self, factor=abs(self.factor))

    def to(self, device: Any) -> Sum:  # noqa: ARG002 - it holds no arrays
        """Itself."""
        return self
