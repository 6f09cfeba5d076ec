"""What each operation of torch means as nodes of a graph, where it reads the image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import torch

from adversarial.bounds.networks.reading.arithmetic import Value, arithmetic, clipped, leaky, normalised, scaled
from adversarial.bounds.networks.reading.building import ceiled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from adversarial.bounds.networks.reading.building import Builder

    Step: TypeAlias = Callable[..., int]
    Sizes: TypeAlias = int | Sequence[int]


def _place(builder: Builder, value: Any) -> int:
    if not isinstance(value, Value):
        raise builder.refuse("reads a constant where the image's numbers are wanted")
    return value.place


def _double(builder: Builder, value: Any) -> Tensor:
    if isinstance(value, Value):
        raise builder.refuse("has weights that depend on the image, which is not read")
    return torch.as_tensor(value).to("cpu", torch.float64)


def _optional(builder: Builder, value: Any) -> Tensor | None:
    return None if value is None else _double(builder, value)


def _axis(builder: Builder, place: int, axis: int, *, new: bool = False) -> int:
    axes = len(builder.shape(place)) + 1 + new
    found = axis + axes if axis < 0 else axis
    if not 1 <= found < axes:
        raise builder.refuse("works on the axis of the batch, or on one that is not there")
    return found - 1


def _each(sizes: Sizes, axes: int) -> tuple[int, ...]:
    """One number per axis."""
    numbers = [sizes] if isinstance(sizes, int) else list(sizes)
    return tuple(numbers * axes if len(numbers) == 1 else numbers)


def _arithmetic(kind: str, *, swapped: bool = False) -> Step:
    """The operation, where `alpha` multiplies the second operand: the one that is subtracted."""

    def step(builder: Builder, _: int, one: Any, two: Any, alpha: float = 1, rounding_mode: str | None = None) -> int:
        if rounding_mode is not None:
            raise builder.refuse("rounds to whole numbers, which is not covered")
        sides = [
            side if isinstance(side, Value) else _double(builder, side) for side in ((two, one) if swapped else (one, two))
        ]
        if alpha != 1:
            second = sides[1]
            sides[1] = Value(scaled(builder, second.place, alpha)) if isinstance(second, Value) else second * alpha
        return arithmetic(builder, kind, *sides)

    return step


def _conv(
    builder: Builder,
    _: int,
    image: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> int:
    place, weights = _place(builder, image), _double(builder, weight)
    axes = weights.ndim - 2
    apart = _each(dilation, axes)
    if isinstance(padding, str):
        reach = [step * (size - 1) for step, size in zip(apart, weights.shape[2:], strict=True)]
        pads = [(one // 2, one - one // 2) if padding == "same" else (0, 0) for one in reach]
    else:
        pads = [(one, one) for one in _each(padding, axes)]
    return builder.conv(place, weights, _optional(builder, bias), _each(stride, axes), apart, pads, groups)


def _linear(builder: Builder, _: int, image: Any, weight: Any, bias: Any = None) -> int:
    return builder.dense(_place(builder, image), _double(builder, weight), _optional(builder, bias))


def _product(builder: Builder, _: int, one: Any, two: Any) -> int:
    if isinstance(one, Value):
        weight = _double(builder, two)
        if weight.ndim != 2:
            raise builder.refuse("multiplies by other things than a matrix, which is not read")
        return builder.dense(one.place, weight.T.contiguous(), None)
    place = _place(builder, two)
    weight, axes = _double(builder, one), len(builder.shape(place))
    if weight.ndim != 2 or axes < 2:
        raise builder.refuse("takes the images of a batch together, or multiplies by a stack of matrices, which is not read")
    order = (*range(axes - 2), axes - 1, axes - 2)
    return builder.transpose(builder.dense(builder.transpose(place, order), weight, None), order)


def _add_product(builder: Builder, batch: int, bias: Any, one: Any, two: Any, *, beta: float = 1, alpha: float = 1) -> int:
    done = _product(builder, batch, one, two)
    done = scaled(builder, done, alpha) if alpha != 1 else done
    shift = bias if isinstance(bias, Value) else _double(builder, bias) * beta
    if isinstance(shift, Value) and beta != 1:
        shift = Value(scaled(builder, shift.place, beta))
    return arithmetic(builder, "Add", Value(done), shift)


def _batch_norm(builder: Builder, _: int, image: Any, *numbers: Any) -> int:
    """With fixed statistics: weight, bias, mean, variance, momentum, epsilon."""
    weight, bias, mean, variance, *_rest, epsilon = numbers
    place = _place(builder, image)
    if mean is None or variance is None:
        raise builder.refuse("takes its statistics from the images of a batch, which is not covered")
    middle, spread = _double(builder, mean), _double(builder, variance)
    factor = torch.ones_like(middle) if weight is None else _double(builder, weight)
    shift = torch.zeros_like(middle) if bias is None else _double(builder, bias)
    return normalised(builder, place, factor, shift, middle, spread, epsilon)


def _windows(
    builder: Builder, place: int, kernel: Sizes, stride: Sizes | None, padding: Sizes, *, ceil: bool
) -> tuple[tuple[int, ...], tuple[int, ...], list[tuple[int, int]], list[tuple[int, int]]]:
    """The kernel, the stride, the padding that makes windows whole, and the padding that was asked for."""
    size = builder.shape(place)[1:]
    reach = _each(kernel, len(size))
    step = _each(stride, len(size)) if stride else reach
    pads = [(one, one) for one in _each(padding, len(size))]
    return reach, step, ceiled(size, reach, step, pads) if ceil else pads, pads


def _max_pool(
    builder: Builder,
    _: int,
    image: Any,
    kernel: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
) -> int:
    place = _place(builder, image)
    reach, step, pads, _asked = _windows(builder, place, kernel, stride, padding, ceil=ceil_mode)
    if set(_each(dilation, 1)) != {1}:
        raise builder.refuse("has windows with gaps, which is not read")
    return builder.max_pool(place, reach, step, pads)


def _average_pool(
    builder: Builder,
    _: int,
    image: Any,
    kernel: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> int:
    place = _place(builder, image)
    if divisor_override is not None:
        raise builder.refuse("divides by another number than that of the window, which is not read")
    reach, step, pads, asked = _windows(builder, place, kernel, stride, padding, ceil=ceil_mode)
    return builder.average_pool(place, reach, step, pads, counted=asked if count_include_pad else [(0, 0)] * len(reach))


def _adaptive_average(builder: Builder, _: int, image: Any, wanted: Sizes) -> int:
    place = _place(builder, image)
    size = builder.shape(place)[1:]
    outputs = _each(wanted, len(size))
    if any(one % out for one, out in zip(size, outputs, strict=True)):
        raise builder.refuse(f"averages {size} to {outputs}, whose windows are of several sizes, which is not read")
    kernel = tuple(one // out for one, out in zip(size, outputs, strict=True))
    if set(outputs) == {1}:
        return builder.mean(place, tuple(range(1, len(size) + 1)), keep=True)
    return builder.average_pool(place, kernel, kernel, [(0, 0)] * len(size), counted=[(0, 0)] * len(size))


def _reduced(*, mean: bool) -> Step:
    """The mean or the sum over axes."""

    def step(builder: Builder, _: int, image: Any, axes: Any = None, keep: bool = False, dtype: Any = None) -> int:
        place = _place(builder, image)
        if not axes and axes != 0:
            raise builder.refuse("reduces the axis of the batch")
        if dtype is not None:
            _converted(builder, _, image, dtype)
        names = tuple(sorted({_axis(builder, place, axis) for axis in _each(axes, 1)}))
        return builder.mean(place, names, keep=keep) if mean else builder.sum(place, names, keep=keep)

    return step


def _view(builder: Builder, batch: int, image: Any, shape: Sequence[int]) -> int:
    place = _place(builder, image)
    sizes = list(shape)
    if -1 in sizes:
        rest, total = 1, batch
        for size in builder.shape(place):
            total *= size
        for size in sizes:
            rest *= size if size != -1 else 1
        sizes[sizes.index(-1)] = total // max(rest, 1)
    if not sizes or sizes[0] != batch:
        raise builder.refuse(f"reshapes the batch away, to {tuple(sizes)}")
    return builder.reshape(place, tuple(sizes[1:]))


def _flatten(builder: Builder, batch: int, image: Any, start: int = 0, end: int = -1) -> int:
    shape = (batch, *builder.shape(_place(builder, image)))
    first, last = start % len(shape), end % len(shape)
    return _view(builder, batch, image, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


def _squeeze(builder: Builder, batch: int, image: Any, axes: Any = None) -> int:
    place = _place(builder, image)
    shape = builder.shape(place)
    if axes is None:
        if batch == 1:
            raise builder.refuse("may remove the axis of the batch")
        gone = {axis for axis, size in enumerate(shape) if size == 1}
    else:
        gone = {_axis(builder, place, axis) for axis in _each(axes, 1)}
        gone = {axis for axis in gone if shape[axis] == 1}
    return builder.reshape(place, tuple(size for axis, size in enumerate(shape) if axis not in gone))


def _unsqueeze(builder: Builder, _: int, image: Any, axis: int) -> int:
    place = _place(builder, image)
    shape, found = builder.shape(place), _axis(builder, place, axis, new=True)
    return builder.reshape(place, (*shape[:found], 1, *shape[found:]))


def _permute(builder: Builder, _: int, image: Any, order: Sequence[int]) -> int:
    place = _place(builder, image)
    axes = len(builder.shape(place)) + 1
    places = [axis % axes for axis in order]
    if places[:1] != [0]:
        raise builder.refuse("moves the axis of the batch")
    return builder.transpose(place, tuple(axis - 1 for axis in places[1:]))


def _swap(builder: Builder, _: int, image: Any, one: int, two: int) -> int:
    place = _place(builder, image)
    first, second = _axis(builder, place, one), _axis(builder, place, two)
    order = list(range(len(builder.shape(place))))
    order[first], order[second] = second, first
    return builder.transpose(place, tuple(order))


def _slice(
    builder: Builder, _: int, image: Any, axis: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> int:
    place = _place(builder, image)
    if axis == 0 and start in {None, 0} and (end is None or end >= 2**31) and step == 1:
        return place
    return builder.cut(place, _axis(builder, place, axis), slice(start, end, step))


def _select(builder: Builder, _: int, image: Any, axis: int, index: int) -> int:
    place = _place(builder, image)
    found = _axis(builder, place, axis)
    done = builder.cut(place, found, slice(index, index + 1 if index != -1 else None))
    shape = builder.shape(done)
    return builder.reshape(done, (*shape[:found], *shape[found + 1 :]))


def _flip(builder: Builder, _: int, image: Any, axes: Sequence[int]) -> int:
    place = _place(builder, image)
    for axis in axes:
        place = builder.cut(place, _axis(builder, place, axis), slice(None, None, -1))
    return place


def _pad(
    builder: Builder, _: int, image: Any, around: Sequence[int], mode: Any = "constant", value: float | None = None
) -> int:
    place = _place(builder, image)
    if not isinstance(mode, str):
        mode, value = "constant", mode
    if mode != "constant":
        raise builder.refuse("pads with other things than a constant, which is not read")
    pairs = list(zip(around[::2], around[1::2], strict=True))[::-1]
    missing = len(builder.shape(place)) - len(pairs)
    if missing < 0:
        raise builder.refuse("pads the axis of the batch")
    return builder.pad(place, [(0, 0)] * missing + pairs, float(value or 0.0))


def _join(builder: Builder, _: int, images: Sequence[Any], axis: int = 0) -> int:
    places = [_place(builder, one) for one in images]
    return builder.join(places, _axis(builder, places[0], axis))


def _clip(builder: Builder, _: int, image: Any, low: Any = None, high: Any = None) -> int:
    bounds = [None if one is None else float(_double(builder, one)) for one in (low, high)]
    return clipped(builder, _place(builder, image), *bounds)


def _hard_tanh(builder: Builder, _: int, image: Any, low: float = -1, high: float = 1) -> int:
    return clipped(builder, _place(builder, image), float(low), float(high))


def _leaky(builder: Builder, _: int, image: Any, slope: float = 0.01) -> int:
    return leaky(builder, _place(builder, image), torch.tensor(slope, dtype=torch.float64))


def _converted(builder: Builder, _: int, image: Any, *kinds: Any, **named: Any) -> int:
    types = [one for one in (*kinds, *named.values()) if isinstance(one, torch.dtype)]
    if any(one not in {torch.float32, torch.float64} for one in types):
        raise builder.refuse("rounds its numbers to another format than float32, which is not read")
    builder.single |= torch.float32 in types
    return _place(builder, image)


OPERATIONS: dict[str, Step] = {
    "_native_batch_norm_legit_no_training": _batch_norm,
    "_to_copy": _converted,
    "_unsafe_view": _view,
    "adaptive_avg_pool1d": _adaptive_average,
    "adaptive_avg_pool2d": _adaptive_average,
    "add": _arithmetic("Add"),
    "addmm": _add_product,
    "avg_pool1d": _average_pool,
    "avg_pool2d": _average_pool,
    "batch_norm": lambda builder, batch, image, weight, bias, mean, variance, _training, _momentum, epsilon, _: _batch_norm(
        builder, batch, image, weight, bias, mean, variance, epsilon
    ),
    "cat": _join,
    "clamp": _clip,
    "clamp_min": _clip,
    "constant_pad_nd": _pad,
    "conv1d": _conv,
    "conv2d": _conv,
    "div": _arithmetic("Div"),
    "flatten": _flatten,
    "flip": _flip,
    "hardtanh": _hard_tanh,
    "leaky_relu": _leaky,
    "linear": _linear,
    "matmul": _product,
    "max_pool2d": _max_pool,
    "mean": _reduced(mean=True),
    "mm": _product,
    "mul": _arithmetic("Mul"),
    "neg": lambda builder, _, image: scaled(builder, _place(builder, image), -1.0),
    "pad": _pad,
    "permute": _permute,
    "relu": lambda builder, _, image: builder.relu(_place(builder, image)),
    "relu6": lambda builder, _, image: clipped(builder, _place(builder, image), 0.0, 6.0),
    "reshape": _view,
    "rsub": _arithmetic("Sub", swapped=True),
    "select": _select,
    "slice": _slice,
    "squeeze": _squeeze,
    "sub": _arithmetic("Sub"),
    "sum": _reduced(mean=False),
    "to": _converted,
    "transpose": _swap,
    "unsqueeze": _unsqueeze,
    "view": _view,
}
"""Operations of the image's numbers, by their names in ATen."""
IDENTITIES = {"alias", "clone", "contiguous", "detach", "dropout", "feature_dropout", "lift_fresh_copy"}
"""Operations that return their input."""
ORDER_KEPT = {"_log_softmax", "_softmax", "log_softmax", "softmax"}
"""Operations that keep the order of scores, and may come last."""
ASSERTIONS = {"_assert_tensor_metadata"}
"""Operations that compute nothing: they hold the shape and the type of an input, which are known here, against others."""
