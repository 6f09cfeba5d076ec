"""A network as a graph whose nodes are affine, or one of three other operations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

    Shape: TypeAlias = tuple[int, ...]

Precision: TypeAlias = Literal["float32", "float64", "float16", "bfloat16"]


class Affine(Protocol):
    """An affine function x -> W x + b of arrays of a fixed shape, in float64, for batches of N.

    Attributes:
        terms: the most products that any one output sums, which bounds the rounding error of that sum; 0 where numbers are only
            copied, so that nothing is rounded.
        before: the shape of one input, without the batch.
        after: the shape of one output, without the batch.
    """

    @property
    def terms(self) -> int:
        """See above."""
        ...

    @property
    def before(self) -> Shape:
        """See above."""
        ...

    @property
    def after(self) -> Shape:
        """See above."""
        ...

    def forward(self, x: Tensor) -> Tensor:
        """(N, *in) -> (N, *out): W x + b."""
        ...

    def linear(self, x: Tensor) -> Tensor:
        """(N, *in) -> (N, *out): W x."""
        ...

    def transposed(self, v: Tensor) -> Tensor:
        """(N, *out) -> (N, *in): the rows v W, v being functionals of the output."""
        ...

    def offset(self, v: Tensor) -> Tensor:
        """(N, *out) -> (N,): v b."""
        ...

    def absolute(self) -> Affine:
        """The same with |W| and at least |b|: what bounds sums of magnitudes.

        Where b is itself a difference, as in batch normalisation, it is the sum of the magnitudes of both.
        """
        ...

    def to(self, device: str) -> Affine:
        """The same on another device."""
        ...


@dataclass(frozen=True)
class Relu:
    """max(x, 0), number by number."""


@dataclass(frozen=True)
class Add:
    """The sum of two nodes of one shape."""


@dataclass(frozen=True)
class MaxPool:
    """The largest number of each window of (channels, height, width).

    Attributes:
        kernel, stride: (rows, columns).
        padding: (top, left, bottom, right) rows and columns that never win.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True, eq=False)
class Node:
    """One operation of the graph.

    Attributes:
        op: what is computed.
        inputs: the places of the nodes that it reads; -1 is the image.
        shape: of the result of one image, without the batch.
        name: what the file calls it, for messages.
    """

    op: Affine | Relu | Add | MaxPool
    inputs: tuple[int, ...]
    shape: Shape
    name: str = ""


@dataclass(frozen=True, eq=False)
class Network:
    """A classifier as a graph, in the order of computation; the last node is the scores, (K,).

    Attributes:
        nodes: the operations. Images come in as (N, H, W, C); a network that takes channels first begins with a transposition.
        image_shape: (H, W, C).
        precision: in which its users run it.
        softmax: whether a last softmax, or its logarithm, is left out: it keeps the order of exact scores, but rounding in it
            may make different scores equal. `inference_error` counts that.
    """

    nodes: tuple[Node, ...]
    image_shape: tuple[int, int, int]
    precision: Precision = "float32"
    softmax: bool = False

    @property
    def classes(self) -> int:
        """K."""
        return int(self.nodes[-1].shape[0])

    def to(self, device: str) -> Network:
        """The same with its numbers on another device, such as "cuda"."""
        plain = Relu | Add | MaxPool
        moved = (node if isinstance(node.op, plain) else replace(node, op=node.op.to(device)) for node in self.nodes)
        return replace(self, nodes=tuple(moved))
