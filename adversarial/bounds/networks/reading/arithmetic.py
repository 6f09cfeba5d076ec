"""What both ONNX and torch write in several ways: arithmetic with constants, batch normalisation, pieces of lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from adversarial.bounds.networks.reading.building import double

if TYPE_CHECKING:
    from torch import Tensor

    from adversarial.bounds.networks.reading.building import Builder


@dataclass(frozen=True)
class Value:
    """Something that is computed from the image, at a place of the graph."""

    place: int


def arithmetic(builder: Builder, kind: str, one: Value | Tensor, two: Value | Tensor) -> int:
    """The sum, difference, product or quotient ("Add", "Sub", "Mul" or "Div") of a node and a constant, or of two nodes.

    Args:
        builder: makes the node.
        kind: the operation.
        one: the first, a constant with or without the axis of the batch.
        two: the second.

    Raises:
        UsageError: two nodes are multiplied or divided, a constant is divided by a node, or the shapes don't fit.
    """
    if isinstance(one, Value) and isinstance(two, Value):
        if kind not in {"Add", "Sub"}:
            raise builder.refuse("multiplies or divides two results that both depend on the image, which is not covered")
        return builder.add(one.place, two.place if kind == "Add" else scaled(builder, two.place, -1.0))
    if isinstance(one, Value):
        place, constant, forwards = one.place, two, True
    elif isinstance(two, Value):
        place, constant, forwards = two.place, one, False
    else:
        raise builder.refuse("has no input that depends on the image")
    assert not isinstance(constant, Value)
    number = without_batch(builder, constant, len(builder.shape(place)))
    ones, zeros = torch.ones_like(number), torch.zeros_like(number)
    if kind == "Div" and (not forwards or not bool(number.all())):
        raise builder.refuse("divides by numbers that depend on the image, or by zero, which is not covered")
    factor, shift = {
        "Add": (ones, number),
        "Sub": (ones, -number) if forwards else (-ones, number),
        "Mul": (number, zeros),
        "Div": (1 / number, zeros),
    }[kind]
    return builder.scale(place, factor, shift)


def without_batch(builder: Builder, constant: Tensor, axes: int) -> Tensor:
    """A constant that is broadcast with numbers of so many axes and the batch."""
    if constant.ndim <= axes:
        return constant
    if constant.ndim > axes + 1 or constant.shape[0] != 1:
        raise builder.refuse(f"has a constant of {tuple(constant.shape)} for numbers of {axes} axes beside the batch")
    return constant[0]


def scaled(builder: Builder, place: int, factor: float, shift: float = 0.0) -> int:
    """All numbers times one number, plus another."""
    return builder.scale(place, double(factor), double(shift))


def clipped(builder: Builder, place: int, low: float | None, high: float | None) -> int:
    """Numbers below a bound become that bound, and those above another become the other: by one ReLU for each."""
    if low is not None and high is not None and low > high:
        raise builder.refuse(f"clips to at least {low} and at most {high}")
    if low is not None:
        place = builder.relu(scaled(builder, place, 1.0, -low) if low else place)
        place = scaled(builder, place, 1.0, low) if low else place
    if high is not None:
        place = scaled(builder, builder.relu(scaled(builder, place, -1.0, high)), -1.0, high)
    return place


def leaky(builder: Builder, place: int, slope: Tensor) -> int:
    """Numbers below 0 times a slope: slope x + (1 - slope) max(x, 0)."""
    zeros = torch.zeros_like(slope)
    above = builder.scale(builder.relu(place), 1 - slope, zeros)
    return builder.add(builder.scale(place, slope, zeros), above)


def normalised(
    builder: Builder, place: int, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, epsilon: float
) -> int:
    """Batch normalisation of (channels, ...) with fixed statistics, as one factor and one shift per channel."""
    shape = builder.shape(place)
    fit = len(weight) == len(bias) == len(mean) == len(variance) == (shape or (0,))[0]
    if not fit or not bool((variance + epsilon > 0).all()):
        raise builder.refuse(f"has numbers that don't fit its input of shape {shape}, or a variance that is not positive")
    factor = weight / (variance + epsilon).sqrt()
    across = (-1, *([1] * (len(shape) - 1)))
    shift, most = bias - mean * factor, bias.abs() + (mean * factor).abs()
    return builder.scale(place, factor.reshape(across), shift.reshape(across), most.reshape(across))
