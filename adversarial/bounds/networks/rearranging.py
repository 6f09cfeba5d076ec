"""Affine operations that only copy numbers: they reshape, transpose, cut and pad, and round nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from typing import Self

    from torch import Tensor

    Shape: TypeAlias = tuple[int, ...]


class _Copying:
    terms = 0

    def forward(self, x: Tensor) -> Tensor:
        """The numbers in their new places."""
        return self.linear(x)

    def linear(self, x: Tensor) -> Tensor:
        """The numbers in their new places."""
        raise NotImplementedError

    def offset(self, v: Tensor) -> Tensor:
        """Nothing is added."""
        return v.new_zeros(len(v))

    def absolute(self) -> Self:
        """Itself: its matrix holds ones and zeros."""
        return self

    def to(self, device: str) -> Self:  # noqa: ARG002 - it holds no arrays
        """Itself."""
        return self


@dataclass(frozen=True)
class Reshape(_Copying):
    """The same numbers in the same order, in another shape."""

    before: Shape
    after: Shape

    def linear(self, x: Tensor) -> Tensor:
        """(N, *before) -> (N, *after)."""
        return x.reshape(len(x), *self.after)

    def transposed(self, v: Tensor) -> Tensor:
        """(N, *after) -> (N, *before)."""
        return v.reshape(len(v), *self.before)


@dataclass(frozen=True)
class Transpose(_Copying):
    """The axes in another order: axis i of the output is axis order[i] of the input, counted from 0 without the batch."""

    before: Shape
    order: Shape

    @property
    def after(self) -> Shape:
        """The sizes in the new order."""
        return tuple(self.before[axis] for axis in self.order)

    def linear(self, x: Tensor) -> Tensor:
        """(N, *before) -> (N, *after)."""
        return x.permute(0, *(axis + 1 for axis in self.order))

    def transposed(self, v: Tensor) -> Tensor:
        """(N, *after) -> (N, *before)."""
        back = sorted(range(len(self.order)), key=self.order.__getitem__)
        return v.permute(0, *(axis + 1 for axis in back))


@dataclass(frozen=True)
class Cut(_Copying):
    """Some numbers along one axis.

    Attributes:
        before: the shape of the input.
        axis: counted from 0 without the batch.
        numbers: the places along the axis that are taken, in their order.
    """

    before: Shape
    axis: int
    numbers: range

    @property
    def after(self) -> Shape:
        """The shape with as many numbers along the axis as are taken."""
        return (*self.before[: self.axis], len(self.numbers), *self.before[self.axis + 1 :])

    def linear(self, x: Tensor) -> Tensor:
        """(N, *before) -> (N, *after)."""
        return x.index_select(self.axis + 1, self._places(x))

    def transposed(self, v: Tensor) -> Tensor:
        """(N, *after) -> (N, *before), with zeros elsewhere."""
        return v.new_zeros(len(v), *self.before).index_copy(self.axis + 1, self._places(v), v)

    def _places(self, x: Tensor) -> Tensor:
        return torch.arange(self.numbers.start, self.numbers.stop, self.numbers.step, device=x.device)


@dataclass(frozen=True)
class Pad(_Copying):
    """A constant around the numbers.

    Attributes:
        before: the shape of the input.
        around: how many are added before and after, per axis; none is negative.
        value: the constant.
    """

    before: Shape
    around: tuple[tuple[int, int], ...]
    value: float = 0.0

    @property
    def after(self) -> Shape:
        """The sizes with what is added."""
        return tuple(size + sum(pair) for size, pair in zip(self.before, self.around, strict=True))

    def forward(self, x: Tensor) -> Tensor:
        """(N, *before) -> (N, *after)."""
        return functional.pad(x, self._flat(), value=self.value)

    def linear(self, x: Tensor) -> Tensor:
        """(N, *before) -> (N, *after), padded with zeros."""
        return functional.pad(x, self._flat())

    def transposed(self, v: Tensor) -> Tensor:
        """(N, *after) -> (N, *before)."""
        window = (slice(first, first + size) for (first, _), size in zip(self.around, self.before, strict=True))
        return v[(slice(None), *window)]

    def offset(self, v: Tensor) -> Tensor:
        """The constant times the sum of what falls on the edge."""
        return (v.flatten(1).sum(1) - self.transposed(v).flatten(1).sum(1)) * self.value if self.value else super().offset(v)

    def absolute(self) -> Pad:
        """With the magnitude of the constant."""
        return replace(self, value=abs(self.value))

    def _flat(self) -> list[int]:
        return [number for pair in reversed(self.around) for number in pair]
