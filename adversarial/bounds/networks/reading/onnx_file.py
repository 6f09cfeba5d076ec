"""ONNX files as graphs in float64."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from adversarial.bounds.networks.reading.building import Builder
from adversarial.bounds.networks.reading.onnx_steps import Steps
from saywhy_core.errors import UsageError, argument
from saywhy_core.reading.ceilings import check_ceiling, numbered
from saywhy_core.reading.regular_files import open_regular

if TYPE_CHECKING:
    from pathlib import Path

    from adversarial.bounds.networks.network import Network, Precision

    Channels: TypeAlias = Literal["first", "last"]

PRECISIONS: dict[int, Precision] = {1: "float32", 10: "float16", 11: "float64", 16: "bfloat16"}  # ONNX's numbers of types
LIKELY = ({1, 3}, {4})  # numbers of channels by which the axis of the channels is found, the most usual first


def read_onnx(path: str | Path, *, channels: Channels | None = None) -> Network:
    """Read an ONNX file with one image input of four axes; its first output holds the scores.

    The numbers of the file are taken as they are, in float64. A last softmax is left out; see `Network.softmax`.
    Subgraphs of constants, such as those that compute shapes, are computed when the file is read.

    Args:
        path: the file. It is not trusted: what it would take of memory is bounded by the ceilings `bytes` and `array`.
        channels: whether the axis of the channels comes "first" or "last"; None where the input's shape tells, as an axis of
            1, 3 or 4 channels.

    Raises:
        UsageError: the file can't be read, or it holds an operation that is not known; the error names it.
    """
    if find_spec("onnx") is None:
        raise UsageError("proofs about an ONNX file need the package onnx; install saywhy[onnx]")
    where = str(path)
    graph, sets = _parsed(where)
    if any(opset.domain not in {"", "ai.onnx"} for opset in sets if _used(graph, opset.domain)):
        raise UsageError(f"{where} holds operations of another library than ONNX's own, which are not read")
    constants = {one.name for one in graph.initializer}
    inputs = [one for one in graph.input if one.name not in constants]
    if len(inputs) != 1 or not len(graph.output):
        raise UsageError(f"{where} takes {numbered(len(inputs), 'input')}; one image is wanted, and scores as its output")
    kind = inputs[0].type.tensor_type
    if kind.elem_type not in PRECISIONS:
        raise UsageError(f"{where} takes images of another type than floating-point numbers, which is not read")
    sizes = [int(axis.dim_value) if axis.WhichOneof("value") == "dim_value" else 0 for axis in kind.shape.dim]
    image_shape, first = _image_shape(where, sizes, channels)
    builder = Builder(where, image_shape)
    builder.node = "its input"
    image = builder.transpose(-1, (2, 0, 1)) if first else -1
    batch = max(sizes[0], 1)
    version = max((opset.version for opset in sets if opset.domain in {"", "ai.onnx"}), default=1)
    steps = Steps(builder, graph, batch=batch, version=version)
    return builder.finish(steps.run(inputs[0].name, image), PRECISIONS[kind.elem_type])


def _parsed(where: str) -> tuple[Any, Any]:
    import onnx

    with open_regular(where) as stream:
        check_ceiling("array", stream.size, where)
        content = stream.read()
    try:
        model = onnx.load_model_from_string(content)
    except import_module("google.protobuf.message").DecodeError as error:
        raise UsageError(f"{where} is no ONNX file ({error})") from None
    return model.graph, model.opset_import


def _used(graph: Any, domain: str) -> bool:
    return any(node.domain == domain for node in graph.node)


def _image_shape(where: str, sizes: list[int], channels: Channels | None) -> tuple[tuple[int, int, int], bool]:
    """(H, W, C), and whether the channels come first in the file."""
    if len(sizes) != 4:
        raise UsageError(f"{where} takes an input of {len(sizes)} axes; images need four, (N, H, W, C) or (N, C, H, W)")
    _, one, two, three = sizes
    if min(one, two, three) < 1:
        raise UsageError(
            f"{where} takes images of any size, {sizes}; a proof needs a file with fixed height, width and channels"
        )
    if channels not in {None, "first", "last"}:
        raise UsageError(f"{argument('channels')} must be 'first' or 'last', not {channels!r}")
    first = None if channels is None else channels == "first"
    for likely in LIKELY if first is None else ():
        if (one in likely) != (three in likely):
            first = one in likely
            break
        if one in likely:
            break
    if first is None:
        raise UsageError(
            f"{where} takes an input of shape {sizes}, which doesn't say where its channels are; "
            f"give {argument('channels', 'first')} or {argument('channels', 'last')}"
        )
    return ((two, three, one) if first else (one, two, three)), first
