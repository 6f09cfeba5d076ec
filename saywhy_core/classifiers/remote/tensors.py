"""Tensors of the Open Inference Protocol, as JSON and in its binary extension.

Source: Open Inference Protocol v2, "Tensor Data", and its "Binary Tensor Data Extension"
(github.com/kserve/open-inference-protocol).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.wire.network import WireError
from saywhy_core.wire.words import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

DTYPES: dict[str, Any] = {
    "BOOL": np.bool_, "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32, "UINT64": np.uint64, "INT8": np.int8,
    "INT16": np.int16, "INT32": np.int32, "INT64": np.int64, "FP16": np.float16, "FP32": np.float32, "FP64": np.float64,
}  # fmt: skip
"""Datatypes of the protocol that numpy has; BF16 and BYTES are written out here."""
INPUTS = ("FP32", "FP16", "FP64", "UINT8", "INT16", "INT32", "INT64", "BF16")
"""Datatypes that an image can be sent in."""
_MOST_AXES = 8
_MOST_CLASSES = 10**7


def as_datatype(images: NDArray[np.float32], datatype: str) -> NDArray[Any]:
    """The values in the type that the model takes; whole numbers are rounded, BF16 is what its bits are as uint16."""
    if datatype == "BF16":  # the upper half of a float32, rounded to the nearest even
        bits = np.ascontiguousarray(images, dtype="<f4").view("<u4").astype(np.uint64)
        return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")
    kind = np.dtype(DTYPES[datatype]).newbyteorder("<")
    return (np.rint(images) if kind.kind in "iu" else images).astype(kind, copy=False)


def read_tensors(document: Any, rest: bytes) -> dict[str, NDArray[Any] | list[bytes]]:
    """The outputs of an answer by name: arrays, and lists of texts for BYTES.

    Args:
        document: the JSON part of the answer.
        rest: the binary part; empty where there is none.

    Raises:
        WireError: it is no answer of the protocol.
    """
    outputs = document.get("outputs") if isinstance(document, dict) else None
    if not isinstance(outputs, list) or not outputs:
        raise _none("there are no outputs in it")
    found: dict[str, NDArray[Any] | list[bytes]] = {}
    at = 0
    for one in outputs:
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            raise _none("an output has no name")
        name, shape, datatype = one["name"], _shape(one), one.get("datatype")
        if datatype not in DTYPES and datatype not in {"BF16", "BYTES"}:
            raise _none(f"its output {shown(name, 80)!r} has the datatype {shown(str(datatype), 40)!r}")
        parameters = one.get("parameters")
        size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
        if size is None:
            found[name] = _from_json(one, shape, datatype)
            continue
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= len(rest) - at:
            raise _none(f"its output {shown(name, 80)!r} says {shown(str(size), 30)} bytes, and {len(rest) - at} are there")
        found[name] = _from_bytes(rest[at : at + size], shape, datatype, name)
        at += size
    if at != len(rest):
        raise _none(f"{len(rest) - at} bytes at its end belong to no output")
    return found


def _shape(output: dict[str, Any]) -> tuple[int, ...]:
    shape = output.get("shape")
    if (
        not isinstance(shape, list)
        or not all(isinstance(one, int) and not isinstance(one, bool) for one in shape)
        or not 0 < len(shape) <= _MOST_AXES
        or min(shape) < 0
        or math.prod(shape) > _MOST_CLASSES
    ):
        raise _none(f"its output {shown(str(output.get('name')), 80)!r} has the shape {shown(str(shape), 80)}")
    return tuple(shape)


def _from_json(output: dict[str, Any], shape: tuple[int, ...], datatype: str) -> NDArray[Any] | list[bytes]:
    data, name = output.get("data"), shown(str(output["name"]), 80)
    if not isinstance(data, list):
        raise _none(f"its output {name!r} has no data")
    if datatype == "BYTES":
        texts = [one.encode() for one in _flat(data) if isinstance(one, str)]
        if len(texts) != math.prod(shape):
            raise _none(f"its output {name!r} has the shape {list(shape)}, and {len(texts)} texts")
        return texts
    # nulls stand for NaN with some servers, because JSON has no NaN
    values = [math.nan if one is None else one for one in _flat(data)]
    if not all(isinstance(one, (int, float)) for one in values):
        raise _none(f"its output {name!r} holds what is no number")
    if len(values) != math.prod(shape):
        raise _none(f"its output {name!r} has the shape {list(shape)}, and {len(values)} numbers")
    try:
        kind = np.float32 if datatype == "BF16" else DTYPES[datatype]
        return np.array(values, dtype=np.float64 if np.dtype(kind).kind == "f" else np.int64).reshape(shape)
    except (ValueError, OverflowError, TypeError):
        raise _none(f"its output {name!r} holds numbers that are not of its datatype {datatype}") from None


def _from_bytes(data: bytes, shape: tuple[int, ...], datatype: str, name: str) -> NDArray[Any] | list[bytes]:
    count = math.prod(shape)
    if datatype == "BYTES":
        return _texts(data, count, name)
    kind = np.dtype("<u2" if datatype == "BF16" else DTYPES[datatype]).newbyteorder("<")
    if len(data) != count * kind.itemsize:
        raise _none(f"its output {shown(name, 80)!r} has the shape {list(shape)} of {datatype}, and {len(data)} bytes")
    values = np.frombuffer(data, dtype=kind).reshape(shape)
    if datatype == "BF16":
        return (values.astype("<u4") << 16).view("<f4")
    return values


def _texts(data: bytes, count: int, name: str) -> list[bytes]:
    """Texts, each behind its length in four bytes."""
    found: list[bytes] = []
    at = 0
    while at + 4 <= len(data) and len(found) < count:
        size = int.from_bytes(data[at : at + 4], "little")
        found.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    if at != len(data) or len(found) != count:
        raise _none(f"the texts of its output {shown(name, 80)!r} do not have the lengths that they say")
    return found


def _flat(data: list[Any]) -> list[Any]:
    """The numbers of nested lists in their order; the protocol allows both forms."""
    while any(isinstance(one, list) for one in data):
        data = [inner for one in data for inner in (one if isinstance(one, list) else [one])]
    return data


def _none(why: str) -> WireError:
    return WireError(f"sent what is no answer of the Open Inference Protocol: {why}", status=200)
