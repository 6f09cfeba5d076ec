"""What each operation of ONNX means as nodes of a graph, where it reads the image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from adversarial.bounds.networks.reading.arithmetic import Value, arithmetic, clipped, leaky, normalised, scaled, without_batch
from adversarial.bounds.networks.reading.building import ceiled, double
from adversarial.bounds.networks.reading.onnx_constants import axes_of, slices, target_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from adversarial.bounds.networks.reading.building import Builder

    Given: TypeAlias = dict[str, Any]
    Inputs: TypeAlias = Sequence[Any]
    Step: TypeAlias = Callable[[Builder, Inputs, Given, int, int], int]


def _place(builder: Builder, value: Any) -> int:
    if not isinstance(value, Value):
        raise builder.refuse("reads a constant where the image's numbers are wanted")
    return value.place


def _constants(builder: Builder, values: Inputs) -> list[Tensor | None]:
    if any(isinstance(value, Value) for value in values):
        raise builder.refuse("has weights that depend on the image, which is not read")
    return [None if value is None else double(value) for value in values]


def _axis(builder: Builder, place: int, axis: int) -> int:
    """An axis without the batch, from one with it."""
    axes = len(builder.shape(place)) + 1
    found = axis + axes if axis < 0 else axis
    if not 1 <= found < axes:
        raise builder.refuse("works on the axis of the batch, or on one that is not there")
    return found - 1


def _arithmetic(kind: str) -> Step:
    def step(builder: Builder, inputs: Inputs, _: Given, __: int, ___: int) -> int:
        one, two = (given if isinstance(given, Value) else double(given) for given in inputs)
        return arithmetic(builder, kind, one, two)

    return step


def _conv(builder: Builder, inputs: Inputs, given: Given, _: int, __: int) -> int:
    place = _place(builder, inputs[0])
    weight, bias = (*_constants(builder, inputs[1:3]), None)[:2]
    if weight is None or weight.ndim < 3:
        raise builder.refuse("has no weights of at least three axes")
    kernel = tuple(int(size) for size in weight.shape[2:])
    stride, dilation = _numbers(given, "strides", kernel), _numbers(given, "dilations", kernel)
    pads = _pads(builder, place, given, kernel, stride, dilation)
    return builder.conv(place, weight, bias, stride, dilation, pads, int(given.get("group", 1)))


def _numbers(given: Given, name: str, kernel: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(number) for number in given.get(name) or [1] * len(kernel))


def _pads(
    builder: Builder, place: int, given: Given, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> list[tuple[int, int]]:
    """How much is padded before and after each axis."""
    auto = given.get("auto_pad", "NOTSET")
    axes = len(kernel)
    size = builder.shape(place)[1:]
    if len(size) != axes or len(stride) != axes or len(dilation) != axes or min((*stride, 1)) < 1:
        raise builder.refuse(f"has windows of {axes} axes for numbers of shape {builder.shape(place)}, which don't fit")
    if auto == "NOTSET":
        pads = [int(number) for number in given.get("pads") or [0] * (2 * axes)]
        if len(pads) != 2 * axes:
            raise builder.refuse("has another number of pads than two per axis")
        return list(zip(pads[:axes], pads[axes:], strict=True))
    if auto == "VALID":
        return [(0, 0)] * axes
    if auto not in {"SAME_UPPER", "SAME_LOWER"}:
        raise builder.refuse(f"has a padding {auto!r:.40} that is not read")
    made = []
    for one, reach, step, apart in zip(size, kernel, stride, dilation, strict=True):
        total = max((math.ceil(one / step) - 1) * step + apart * (reach - 1) + 1 - one, 0)
        less, more = total // 2, total - total // 2
        made.append((less, more) if auto == "SAME_UPPER" else (more, less))
    return made


def _gemm(builder: Builder, inputs: Inputs, given: Given, _: int, __: int) -> int:
    place = _place(builder, inputs[0])
    if given.get("transA"):
        raise builder.refuse("takes the images of a batch together (transA), which is not read")
    weight, bias = (*_constants(builder, inputs[1:3]), None)[:2]
    if weight is None or weight.ndim != 2 or len(builder.shape(place)) != 1:
        raise builder.refuse("multiplies other things than vectors by a matrix")
    bias = None if bias is None else without_batch(builder, bias, 1)
    alpha, beta = float(np.float32(given.get("alpha", 1.0))), float(np.float32(given.get("beta", 1.0)))
    matrix = (weight if given.get("transB") else weight.T) * alpha
    done = builder.dense(place, matrix.contiguous(), None) if bias is not None and bias.numel() != len(matrix) else -2
    if bias is None or done == -2:
        shift = None if bias is None else bias.reshape(-1) * beta
        return builder.dense(place, matrix.contiguous(), shift)
    return builder.scale(done, double(1.0), bias * beta)


def _mat_mul(builder: Builder, inputs: Inputs, _: Given, __: int, ___: int) -> int:
    one, two = inputs
    if isinstance(one, Value) and isinstance(two, Value):
        raise builder.refuse("multiplies two numbers that both depend on the image, which proofs don't cover")
    if isinstance(one, Value):
        (weight,) = _constants(builder, [two])
        if weight is None or weight.ndim > 2:
            raise builder.refuse("multiplies by a stack of matrices, which is not read")
        if weight.ndim == 1:
            done = builder.dense(one.place, weight[None], None)
            return builder.reshape(done, builder.shape(done)[:-1])
        return builder.dense(one.place, weight.T.contiguous(), None)
    place = _place(builder, two)
    (weight,) = _constants(builder, [one])
    axes = len(builder.shape(place))
    if weight is None or weight.ndim != 2 or axes < 2:
        raise builder.refuse("takes the images of a batch together, or multiplies by a stack of matrices, which is not read")
    order = (*range(axes - 2), axes - 1, axes - 2)
    return builder.transpose(builder.dense(builder.transpose(place, order), weight, None), order)


def _batch_norm(builder: Builder, inputs: Inputs, given: Given, _: int, __: int) -> int:
    place = _place(builder, inputs[0])
    numbers = _constants(builder, inputs[1:5])
    if given.get("training_mode") or len(numbers) != 4 or any(one is None or one.ndim != 1 for one in numbers):
        raise builder.refuse("is batch normalisation for training, or lacks its numbers")
    weight, bias, mean, variance = (one for one in numbers if one is not None)
    return normalised(builder, place, weight, bias, mean, variance, float(np.float32(given.get("epsilon", 1e-5))))


def _max_pool(builder: Builder, inputs: Inputs, given: Given, _: int, __: int) -> int:
    place = _place(builder, inputs[0])
    kernel, stride, pads = _pooling(builder, place, given)
    return builder.max_pool(place, kernel, stride, pads)


def _average_pool(builder: Builder, inputs: Inputs, given: Given, _: int, __: int) -> int:
    place = _place(builder, inputs[0])
    plain = {**given, "ceil_mode": 0}
    kernel, stride, pads = _pooling(builder, place, given)
    counted = _pooling(builder, place, plain)[2] if given.get("count_include_pad") else [(0, 0)] * len(kernel)
    return builder.average_pool(place, kernel, stride, pads, counted=counted)


def _pooling(builder: Builder, place: int, given: Given) -> tuple[tuple[int, ...], tuple[int, ...], list[tuple[int, int]]]:
    kernel = tuple(int(size) for size in given.get("kernel_shape", ()))
    stride, dilation = _numbers(given, "strides", kernel), _numbers(given, "dilations", kernel)
    if len(kernel) not in {1, 2} or any(apart != 1 for apart in dilation):
        raise builder.refuse("has windows with gaps, or of other than one or two axes, which is not read")
    pads = _pads(builder, place, given, kernel, stride, dilation)
    if given.get("ceil_mode"):
        pads = ceiled(builder.shape(place)[1:], kernel, stride, pads)
    return kernel, stride, pads


def _reduced(*, mean: bool) -> Step:
    """The mean or the sum over axes."""

    def step(builder: Builder, inputs: Inputs, given: Given, _: int, __: int) -> int:
        place = _place(builder, inputs[0])
        names = axes_of(inputs, given) or None  # no axes are all of them
        if names is None and given.get("noop_with_empty_axes"):
            return place
        if names is None:
            raise builder.refuse("reduces the axis of the batch")
        axes = tuple(sorted({_axis(builder, place, axis) for axis in names}))
        keep = bool(given.get("keepdims", 1))
        return builder.mean(place, axes, keep=keep) if mean else builder.sum(place, axes, keep=keep)

    return step


def _global_average(builder: Builder, inputs: Inputs, _: Given, __: int, ___: int) -> int:
    place = _place(builder, inputs[0])
    return builder.mean(place, tuple(range(1, len(builder.shape(place)))), keep=True)


def _concat(builder: Builder, inputs: Inputs, given: Given, _: int, __: int) -> int:
    places = [_place(builder, one) for one in inputs]
    return builder.join(places, _axis(builder, places[0], int(given["axis"])))


def _flatten(builder: Builder, inputs: Inputs, given: Given, _: int, __: int) -> int:
    place = _place(builder, inputs[0])
    axis = given.get("axis", 1)
    if axis not in {1, -len(builder.shape(place))}:
        raise builder.refuse("takes the axis of the batch together with others")
    return builder.reshape(place, (math.prod(builder.shape(place)),))


def _reshape(builder: Builder, inputs: Inputs, given: Given, batch: int, _: int) -> int:
    place = _place(builder, inputs[0])
    if isinstance(inputs[1], Value):
        raise builder.refuse("has a shape that depends on the image's numbers")
    return _to_shape(builder, place, target_shape((batch, *builder.shape(place)), inputs[1], given), batch)


def _to_shape(builder: Builder, place: int, shape: Sequence[int], batch: int) -> int:
    if not shape or shape[0] != batch:
        raise builder.refuse(f"reshapes the batch away, to {tuple(shape)}")
    return builder.reshape(place, tuple(shape[1:]))


def _squeeze(builder: Builder, inputs: Inputs, given: Given, _: int, __: int) -> int:
    place = _place(builder, inputs[0])
    shape, axes = builder.shape(place), axes_of(inputs, given)
    if axes is None:
        raise builder.refuse("removes all axes of length 1, which is the batch as well for one image; give the node its axes")
    gone = {_axis(builder, place, one) for one in axes}
    return builder.reshape(place, tuple(size for axis, size in enumerate(shape) if axis not in gone))


def _unsqueeze(builder: Builder, inputs: Inputs, given: Given, batch: int, _: int) -> int:
    place = _place(builder, inputs[0])
    axes = axes_of(inputs, given) or []
    try:
        shape = np.expand_dims(np.empty((batch, *([1] * len(builder.shape(place)))), np.bool_), tuple(axes)).ndim
        new = {axis % shape for axis in axes}
    except ValueError as error:
        raise builder.refuse("has axes that don't fit") from error
    sizes = iter((batch, *builder.shape(place)))
    return _to_shape(builder, place, [1 if axis in new else next(sizes) for axis in range(shape)], batch)


def _transpose(builder: Builder, inputs: Inputs, given: Given, _: int, __: int) -> int:
    place = _place(builder, inputs[0])
    order = [int(axis) for axis in given.get("perm", range(len(builder.shape(place)), -1, -1))]
    if order[:1] != [0]:
        raise builder.refuse("moves the axis of the batch")
    return builder.transpose(place, tuple(axis - 1 for axis in order[1:]))


def _slice(builder: Builder, inputs: Inputs, given: Given, _: int, __: int) -> int:
    place = _place(builder, inputs[0])
    if any(isinstance(one, Value) for one in inputs[1:]):
        raise builder.refuse("has bounds that depend on the image's numbers")
    for axis, window in slices(inputs, given, len(builder.shape(place)) + 1):
        if axis > 0 or window.start != 0 or (window.stop or 0) < 2**31 - 1 or window.step != 1:
            place = builder.cut(place, _axis(builder, place, axis), window)
    return place


def _pad(builder: Builder, inputs: Inputs, given: Given, _: int, version: int) -> int:
    place = _place(builder, inputs[0])
    if given.get("mode", "constant") != "constant" or any(isinstance(one, Value) for one in inputs[1:]):
        raise builder.refuse("pads with other things than a constant, which is not read")
    around = given.get("pads") if version < 11 else inputs[1].reshape(-1)
    value = float(given.get("value", 0.0)) if version < 11 else float(inputs[2].reshape(-1)[0]) if _has(inputs, 2) else 0.0
    axes = len(builder.shape(place)) + 1
    pairs = np.zeros((2, axes), np.int64)
    names = [int(axis) % axes for axis in inputs[3].reshape(-1)] if _has(inputs, 3) else range(axes)
    pairs[:, list(names)] = np.asarray(around).reshape(2, -1)
    if pairs[:, 0].any():
        raise builder.refuse("pads the axis of the batch")
    return builder.pad(place, [(int(first), int(last)) for first, last in pairs[:, 1:].T], value)


def _has(inputs: Inputs, index: int) -> bool:
    return len(inputs) > index and inputs[index] is not None


def _clip(builder: Builder, inputs: Inputs, given: Given, _: int, version: int) -> int:
    place = _place(builder, inputs[0])
    if version < 11:
        return clipped(builder, place, given.get("min"), given.get("max"))
    bounds = (*_constants(builder, inputs[1:3]), None, None)[:2]
    low, high = (None if one is None else float(one.reshape(-1)[0]) for one in bounds)
    return clipped(builder, place, low, high)


def _leaky(builder: Builder, inputs: Inputs, given: Given, _: int, __: int) -> int:
    return leaky(builder, _place(builder, inputs[0]), double(np.float32(given.get("alpha", 0.01))))


def _cast(builder: Builder, inputs: Inputs, given: Given, _: int, __: int) -> int:
    if given.get("to") not in {1, 11}:  # float32, float64
        raise builder.refuse("rounds its numbers to another format than float32, which is not read")
    builder.single |= given["to"] == 1
    return _place(builder, inputs[0])


OPERATIONS: dict[str, Step] = {
    "Add": _arithmetic("Add"),
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Clip": _clip,
    "Concat": _concat,
    "Conv": _conv,
    "Div": _arithmetic("Div"),
    "Flatten": _flatten,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_average,
    "LeakyRelu": _leaky,
    "MatMul": _mat_mul,
    "MaxPool": _max_pool,
    "Mul": _arithmetic("Mul"),
    "Neg": lambda builder, inputs, *_: scaled(builder, _place(builder, inputs[0]), -1.0),
    "Pad": _pad,
    "ReduceMean": _reduced(mean=True),
    "ReduceSum": _reduced(mean=False),
    "Relu": lambda builder, inputs, *_: builder.relu(_place(builder, inputs[0])),
    "Reshape": _reshape,
    "Slice": _slice,
    "Squeeze": _squeeze,
    "Sub": _arithmetic("Sub"),
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
"""Operations of the image's numbers, by their names in ONNX."""
