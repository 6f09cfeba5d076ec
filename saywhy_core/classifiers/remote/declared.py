"""What a server declares of the tensor that it takes, and what that says about images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError, argument
from saywhy_core.names import check_class_names
from saywhy_core.wire.words import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from saywhy_core.classifiers.classifier import ImageShape, Scores
    from saywhy_core.classifiers.layout import Axes

CHANNELS = ({1, 3}, {2, 4})  # numbers of channels by which the channel axis is recognised, the most usual ones first
LISTED = 8  # names in an error


@dataclass(frozen=True)
class Tensor:
    """A tensor as the server declares it.

    Attributes:
        name: what the protocol calls it.
        datatype: in the protocol's own words.
        shape: its axes, the first of which counts the images; None for each that is free. None where nothing is said.
    """

    name: str
    datatype: str
    shape: tuple[int | None, ...] | None


def pick(tensors: Sequence[Tensor], name: str | None, what: str, where: str) -> Tensor | None:
    """The tensor of that name, or the only one; None where the server declares none.

    Args:
        tensors: all inputs, or all outputs.
        name: the one that the user names.
        what: "input" or "output", which is the option's name as well.
        where: the model, for errors.

    Raises:
        UsageError: there is no such tensor, or there are several and none is named.
    """
    listed = ", ".join(shown(one.name, 60) for one in tensors[:LISTED])
    if name is not None:
        found = next((one for one in tensors if one.name == name), None)
        if found is None and tensors:
            raise UsageError(f"{where} has no {what} {shown(str(name), 60)!r}; it has {listed}")
        return found or Tensor(str(name), "", None)
    if len(tensors) > 1:
        raise UsageError(f"{where} has {len(tensors)} {what}s ({listed}); name one with {argument(what, ...)}")
    return tensors[0] if tensors else None


def axes_of(shape: Sequence[int | None], where: str) -> Axes:
    """The order of the axes of images, by which of them can count channels.

    Raises:
        UsageError: both or neither can.
    """
    for likely in CHANNELS:
        first, last = shape[1] in likely, shape[3] in likely
        if first != last:
            return "nchw" if first else "nhwc"
        if first:
            break
    raise UsageError(
        f"{where} takes an input of shape {in_words(shape)}, which doesn't say where its channels are; "
        f"give {argument('layout', 'nhwc')} or {argument('layout', 'nchw')}"
    )


def image_shape_of(shape: Sequence[int | None], axes: Axes) -> ImageShape:
    """(height, width, channels) of an input with these axes."""
    _, first, second, third = shape
    return (first, second, third) if axes == "nhwc" else (second, third, first)


def four_axes(shape: tuple[int | None, ...] | None, where: str) -> tuple[int | None, ...] | None:
    """The shape with four axes: some servers leave out the axis that counts the images.

    Raises:
        UsageError: it is no shape of images.
    """
    if shape is None or len(shape) == 4:
        return shape
    if len(shape) == 3:
        return (None, *shape)
    raise UsageError(f"{where} takes an input of shape {in_words(shape)}; images need four axes (N, H, W, C) or (N, C, H, W)")


def in_words(shape: Sequence[int | None]) -> str:
    """A shape for an error, such as (?, 48, 48, 3)."""
    return f"({', '.join('?' if size is None else str(size) for size in shape)})"


def kind_of(name: str) -> Scores | None:
    """The kind of scores that the name of an output tells."""
    lower = name.lower()
    if "logit" in lower:
        return "logits"
    if "sigmoid" in lower:
        return "sigmoid"
    return "probabilities" if "prob" in lower or "softmax" in lower else None


def said_in_parameters(parameters: Any, where: str) -> dict[str, Any]:
    """What the model's own metadata says of `layout`, `scores`, `value_range`, `mean`, `std`, `channels` and `class_names`.

    Raises:
        UsageError: the class names are none.
    """
    if not isinstance(parameters, dict):
        return {}
    known = ("layout", "scores", "value_range", "mean", "std", "channels")
    said = {name: parameters[name] for name in known if parameters.get(name) is not None}
    names = parameters.get("class_names")
    if names is not None:
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise UsageError(f"{where}: class_names in its metadata must be a list of texts")
        said["class_names"] = check_class_names(names, f"{where}: class_names in its metadata")
    return said


def sizes(shape: Any) -> tuple[int | None, ...] | None:
    """The axes of a shape in metadata, where -1 or a text stands for a free one; None where it is no shape."""
    if not isinstance(shape, list) or len(shape) > LISTED:
        return None
    found = []
    for one in shape:
        number = int(one) if isinstance(one, str) and one.lstrip("-").isdecimal() and len(one) < 10 else one
        found.append(number if isinstance(number, int) and not isinstance(number, bool) and 0 < number < 10**6 else None)
    return tuple(found)
