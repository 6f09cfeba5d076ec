"""Constants of ONNX files, and what is computed from constants alone, in the file's own precision."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from adversarial.bounds.networks.reading.building import Builder

    Array: TypeAlias = NDArray[Any]
    Given: TypeAlias = dict[str, Any]

AXES = 8  # no array of an honest network has more


def array_of(tensor: Any, builder: Builder) -> Array:
    """A tensor that stands in the file.

    Raises:
        UsageError: its numbers stand in another file, or there are not as many as its shape says.
    """
    import onnx

    if onnx.external_data_helper.uses_external_data(tensor):
        raise builder.refuse(f"reads {tensor.name!r:.80}, whose numbers stand in another file, which is not read")
    if len(tensor.dims) > AXES or min(tensor.dims, default=0) < 0:
        raise builder.refuse(f"reads {tensor.name!r:.80}, whose shape no array has")
    builder.room(math.prod(tensor.dims))
    try:
        array = np.asarray(onnx.numpy_helper.to_array(tensor))
    except (ValueError, TypeError, KeyError) as error:
        raise builder.refuse(f"reads {tensor.name!r:.80}, whose numbers don't fit its shape") from error
    if array.dtype.kind not in "fiub" and array.dtype.name != "bfloat16":
        raise builder.refuse(f"reads {tensor.name!r:.80}, which holds no numbers")
    with np.errstate(invalid="ignore"):
        finite = array.dtype.kind == "b" or bool(np.isfinite(array.astype(np.float64)).all())
    if not finite:
        raise builder.refuse(f"reads {tensor.name!r:.80}, which holds infinite numbers, or some that are none")
    return array


def fold(kind: str, inputs: Sequence[Any], given: Given, builder: Builder) -> Array:
    """What an operation computes from constants.

    Raises:
        UsageError: they don't fit.
    """
    try:
        with np.errstate(all="ignore"):
            made = np.asarray(FOLDED[kind](inputs, given, builder))
    except (ValueError, TypeError, IndexError, KeyError, OverflowError, ZeroDivisionError) as error:
        raise builder.refuse("has inputs or settings that don't fit") from error
    builder.room(made.size)
    return made


def _constant(_: Sequence[Any], given: Given, builder: Builder) -> Array:
    if "value" in given:
        return array_of(given["value"], builder)
    (name, value), *_rest = given.items()
    return np.array(value, {"value_f": np.float32, "value_i": np.int64}[name.removesuffix("s")])


def _filled(inputs: Sequence[Any], given: Given, builder: Builder) -> Array:
    value = array_of(given["value"], builder) if "value" in given else np.zeros(1, np.float32)
    builder.room(math.prod(int(size) for size in inputs[0]))
    return np.full(tuple(int(size) for size in inputs[0]), value.reshape(-1)[0])


def _expanded(inputs: Sequence[Any], _: Given, builder: Builder) -> Array:
    shape = np.broadcast_shapes(inputs[0].shape, tuple(int(size) for size in inputs[1]))
    builder.room(math.prod(shape))
    return np.broadcast_to(inputs[0], shape)


def _range(inputs: Sequence[Any], _: Given, builder: Builder) -> Array:
    first, end, step = (one.reshape(-1)[0] for one in inputs)
    builder.room(abs(int((float(end) - float(first)) / float(step))) + 1)
    return np.asarray(np.arange(first, end, step))


def axes_of(inputs: Sequence[Any], given: Given, place: int = 1) -> list[int] | None:
    """The axes that an operation names, as an attribute or, in newer files, as an input; None where it names none."""
    if len(inputs) > place and inputs[place] is not None:
        return [int(axis) for axis in np.asarray(inputs[place]).reshape(-1)]
    return None if given.get("axes") is None else [int(axis) for axis in given["axes"]]


def _squeezed(inputs: Sequence[Any], given: Given, _: Builder) -> Array:
    axes = axes_of(inputs, given)
    return np.asarray(np.squeeze(inputs[0], None if axes is None else tuple(axes)))


def _unsqueezed(inputs: Sequence[Any], given: Given, _: Builder) -> Array:
    axes = axes_of(inputs, given)
    return np.asarray(np.expand_dims(inputs[0], tuple(axes or ())))


def _reshaped(inputs: Sequence[Any], given: Given, _: Builder) -> Array:
    return np.reshape(inputs[0], target_shape(inputs[0].shape, inputs[1], given))


def target_shape(before: Sequence[int], wanted: Any, given: Given) -> tuple[int, ...]:
    """The shape of a Reshape: 0 keeps an axis, and -1 stands for what is left."""
    sizes = [int(size) for size in np.asarray(wanted).reshape(-1)]
    if not given.get("allowzero"):
        sizes = [before[axis] if size == 0 else size for axis, size in enumerate(sizes)]
    rest = math.prod(size for size in sizes if size != -1)
    return tuple((math.prod(before) // max(rest, 1)) if size == -1 else size for size in sizes)


def slices(inputs: Sequence[Any], given: Given, axes: int) -> list[tuple[int, slice]]:
    """The axes and windows of a Slice."""
    if "starts" in given:
        starts, ends, names, steps = given["starts"], given["ends"], given.get("axes"), None
    else:
        starts, ends, names, steps = (*(None if one is None else one.reshape(-1) for one in inputs[1:]), None, None)[:4]
    names = range(len(starts)) if names is None else names
    steps = [1] * len(starts) if steps is None else steps
    return [
        (int(axis) % axes, slice(int(first), int(end), int(step)))
        for first, end, axis, step in zip(starts, ends, names, steps, strict=True)
    ]


def _sliced(inputs: Sequence[Any], given: Given, _: Builder) -> Array:
    windows = [slice(None)] * inputs[0].ndim
    for axis, window in slices(inputs, given, inputs[0].ndim):
        windows[axis] = window
    return np.asarray(inputs[0][tuple(windows)])


def _cast(inputs: Sequence[Any], given: Given, _: Builder) -> Array:
    import onnx

    return np.asarray(inputs[0]).astype(onnx.helper.tensor_dtype_to_np_dtype(given["to"]))


def _divided(inputs: Sequence[Any], _: Given, __: Builder) -> Array:
    one, two = inputs
    if np.asarray(one).dtype.kind == "f":
        return np.asarray(one / two)
    return np.asarray(np.trunc(one / two)).astype(one.dtype)


def _multiplied(inputs: Sequence[Any], given: Given, _: Builder) -> Array:
    axes = axes_of(inputs, given) or None  # no axes are all of them
    if axes is None and given.get("noop_with_empty_axes"):
        return np.asarray(inputs[0])
    return np.asarray(np.prod(inputs[0], None if axes is None else tuple(axes), keepdims=bool(given.get("keepdims", 1))))


def _plain(function: Callable[..., Any]) -> Callable[[Sequence[Any], Given, Builder], Array]:
    """A function of arrays whose result may be as large as they are broadcast."""

    def apply(inputs: Sequence[Any], _: Given, builder: Builder) -> Array:
        builder.room(math.prod(np.broadcast_shapes(*(one.shape for one in inputs))))
        return np.asarray(function(*inputs))

    return apply


FOLDED: dict[str, Callable[[Sequence[Any], Given, Builder], Array]] = {
    "Add": _plain(np.add),
    "Cast": _cast,
    "Concat": lambda inputs, given, _: np.concatenate(inputs, given["axis"]),
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "Div": _divided,
    "Equal": _plain(np.equal),
    "Expand": _expanded,
    "Gather": lambda inputs, given, _: np.take(inputs[0], inputs[1], given.get("axis", 0)),
    "Identity": lambda inputs, _, __: inputs[0],
    "Mul": _plain(np.multiply),
    "Neg": _plain(np.negative),
    "Range": _range,
    "ReduceProd": _multiplied,
    "Reshape": _reshaped,
    "Shape": lambda inputs, given, _: np.array(inputs[0].shape[given.get("start", 0) : given.get("end")], np.int64),
    "Slice": _sliced,
    "Sqrt": _plain(np.sqrt),
    "Squeeze": _squeezed,
    "Sub": _plain(np.subtract),
    "Transpose": lambda inputs, given, _: np.transpose(inputs[0], given.get("perm")),
    "Unsqueeze": _unsqueezed,
    "Where": _plain(np.where),
}
"""What may be computed from constants alone."""
