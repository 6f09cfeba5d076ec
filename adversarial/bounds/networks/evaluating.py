"""What the nodes of a network compute for images, and between which numbers that lies for boxes of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import torch
from torch.nn import functional

from adversarial.bounds.networks.network import Add, MaxPool, Relu
from adversarial.bounds.networks.precision import gamma

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from adversarial.bounds.networks.network import Network, Node

    Interval: TypeAlias = tuple[Tensor, Tensor]

T = TypeVar("T")


def evaluate(network: Network, images: Any) -> Tensor:
    """The scores of images: (N, H, W, C) -> (N, K) float64, computed in float64."""
    *_, scores = (values for values in running(network, _doubles(network, images), compute))
    return scores


def activations(network: Network, images: Any) -> list[Tensor]:
    """What every node computes for images (N, H, W, C): one (N, *shape) float64 per node."""
    return list(running(network, _doubles(network, images), compute, forget=False))


def interval_activations(network: Network, low: Any, high: Any) -> list[Interval]:
    """Between which numbers every node lies for all images between two: interval propagation.

    The bounds are wider by what rounding in float64 may cost, so that they hold in exact arithmetic.

    Args:
        network: the network.
        low: (N, H, W, C), N boxes at once.
        high: the same; at least `low`.

    Returns:
        The lower and upper bounds, (N, *shape) float64 each, of each node.
    """
    box = (_doubles(network, low), _doubles(network, high))
    return list(running(network, box, compute_interval, forget=False))


def running(network: Network, image: T, step: Callable[..., T], *, forget: bool = True) -> Iterator[T]:
    """Carry a value through the nodes in order, and give that of each.

    Args:
        network: the network.
        image: the value of the image.
        step: `step(node, *values of its inputs)` returns the value of a node.
        forget: whether values that no later node reads are let go.
    """
    last = {place: index for index, node in enumerate(network.nodes) for place in node.inputs}
    values = {-1: image}
    for index, node in enumerate(network.nodes):
        values[index] = step(node, *(values[place] for place in node.inputs))
        yield values[index]
        for place in set(node.inputs) if forget else ():
            if last[place] == index:
                del values[place]


def compute(node: Node, *inputs: Tensor) -> Tensor:
    """(N, *shape of the input) for each input -> (N, *shape): what a node computes."""
    match node.op:
        case Relu():
            return inputs[0].clamp(min=0)
        case Add():
            return inputs[0] + inputs[1]
        case MaxPool():
            return max_pool(node.op, inputs[0])
        case affine:
            return affine.forward(inputs[0])


def compute_interval(node: Node, *inputs: Interval) -> Interval:
    """The bounds of a node from those of its inputs, (N, *shape) each, wider by what rounding in float64 may cost."""
    if isinstance(node.op, Relu | Add | MaxPool):
        low, high = (compute(node, *side) for side in zip(*inputs, strict=True))
        return (_below(low), _above(high)) if isinstance(node.op, Add) else (low, high)
    ((low, high),) = inputs
    if node.op.terms == 0:
        return node.op.forward(low), node.op.forward(high)
    # |W| radius + relative (|W| most + |b|) with one product: the second factor is taken out
    relative = 4 * gamma("float64", node.op.terms)
    centre, radius, most = (low + high) / 2, (high - low) / 2, torch.maximum(low.abs(), high.abs())
    spread = node.op.absolute().forward(most + radius / relative) * (relative * (1 + relative))
    middle = node.op.forward(centre)
    return _below(middle - spread), _above(middle + spread)


def _below(x: Tensor) -> Tensor:
    return torch.nextafter(x, x.new_tensor(-torch.inf))


def _above(x: Tensor) -> Tensor:
    return torch.nextafter(x, x.new_tensor(torch.inf))


def max_pool(pool: MaxPool, x: Tensor) -> Tensor:
    """(N, channels, height, width) -> the largest number of each window."""
    top, left, bottom, right = pool.padding
    padded = functional.pad(x, (left, right, top, bottom), value=-torch.inf) if any(pool.padding) else x
    return functional.max_pool2d(padded, pool.kernel, pool.stride)


def _doubles(network: Network, images: Any) -> Tensor:
    tensors = (getattr(node.op, name, None) for node in network.nodes for name in ("weight", "factor"))
    device = next((tensor.device for tensor in tensors if isinstance(tensor, torch.Tensor)), None)
    given = torch.as_tensor(images)
    return given.to(dtype=torch.float64, device=given.device if device is None else device)
