"""The operations of an ONNX file, one after the other, as nodes of a graph or as constants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from adversarial.bounds.networks.reading.arithmetic import Value
from adversarial.bounds.networks.reading.onnx_constants import FOLDED, array_of, fold
from adversarial.bounds.networks.reading.onnx_operations import OPERATIONS
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from adversarial.bounds.networks.reading.building import Builder

    Constant: TypeAlias = NDArray[Any]

IDENTITIES = {"Identity", "Dropout"}
ORDER_KEPT = {"Softmax", "LogSoftmax"}


class Steps:
    """Reads the nodes of a graph of ONNX.

    Args:
        builder: makes the nodes.
        graph: of the file.
        batch: how many images the file takes; 1 where it takes any number.
        version: of the operators.
    """

    def __init__(self, builder: Builder, graph: Any, *, batch: int, version: int) -> None:
        self._builder, self._graph, self._batch, self._version = builder, graph, batch, version
        self._values: dict[str, Value | Constant | None] = {"": None}

    def run(self, image: str, place: int) -> int:
        """The place of the scores, where the image is at a place."""
        self._values[image] = Value(place)
        tensors = {one.name: one for one in self._graph.initializer}
        output = self._graph.output[0].name
        for node in self._needed(output):
            kind = str(node.op_type)
            self._builder.node = f"{kind} (node {(node.name or node.output[0])!r:.80})"
            for name in node.input:
                if name in tensors and name not in self._values:
                    self._values[name] = array_of(tensors[name], self._builder)
            self._step(node, kind, last=node.output[0] == output)
        value = self._values.get(output)
        if not isinstance(value, Value):
            raise UsageError(f"{self._builder.where} returns the same scores for every image")
        return value.place

    def _step(self, node: Any, kind: str, *, last: bool) -> None:
        unknown = [name for name in node.input if name not in self._values]
        if unknown:
            raise self._builder.refuse(f"reads {unknown[0]!r:.80}, which nothing before it makes")
        inputs = [self._values[name] for name in node.input]
        given = {one.name: _attribute(one) for one in node.attribute}
        name = node.output[0]
        data = next((value for value in inputs if isinstance(value, Value)), None)
        if kind == "Shape" and data is not None:
            sizes = (self._batch, *self._builder.shape(data.place))
            self._values[name] = np.array(sizes[given.get("start", 0) : given.get("end")], np.int64)
        elif data is None:
            if kind not in FOLDED:
                raise self._unknown(node, kind)
            self._values[name] = fold(kind, inputs, given, self._builder)
        elif kind in IDENTITIES:
            if len(inputs) > 2 and inputs[2] is not None and (isinstance(inputs[2], Value) or bool(inputs[2].any())):
                raise self._builder.refuse("drops numbers at random, as in training, which is not covered")
            self._values[name] = inputs[0]
        elif kind in ORDER_KEPT:
            axis = given.get("axis", -1 if self._version >= 13 else 1)
            if not last:
                raise self._builder.refuse("stands before other operations; it is covered as the last one alone")
            if axis not in {1, -1} or len(self._builder.shape(data.place)) != 1:
                raise self._builder.refuse(f"works on axis {axis}; it is covered over the scores of an image, axis 1 of (N, K)")
            self._builder.softmax = True
            self._values[name] = inputs[0]
        elif kind in OPERATIONS:
            try:
                place = OPERATIONS[kind](self._builder, inputs, given, self._batch, self._version)
            except UsageError:
                raise
            except (
                ValueError,
                TypeError,
                IndexError,
                KeyError,
                OverflowError,
            ) as error:  # settings of odd types, in damaged files
                raise self._builder.refuse("has inputs or settings that don't fit") from error
            self._values[name] = Value(place)
        else:
            raise self._unknown(node, kind)

    def _unknown(self, node: Any, kind: str) -> UsageError:
        known = ", ".join(sorted({*OPERATIONS, *IDENTITIES}))
        return UsageError(
            f"{self._builder.where} holds an operation {kind!r:.80} (node {(node.name or node.output[0])!r:.80}) that is not "
            f"covered; covered are {known}, and a last Softmax"
        )

    def _needed(self, output: str) -> list[Any]:
        """The nodes on which an output depends, in the order of the file."""
        wanted, kept = {output}, []
        for node in reversed(self._graph.node):
            if wanted.intersection(node.output):
                kept.append(node)
                wanted.update(node.input)
                extra = [name for name in node.output[1:] if name and name in wanted]
                if extra and node.op_type != "Dropout":
                    raise UsageError(f"{self._builder.where} uses the second output of {node.op_type!r:.80}, which is not read")
        return kept[::-1]


def _attribute(attribute: Any) -> Any:
    import onnx

    value = onnx.helper.get_attribute_value(attribute)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else list(value) if _is_list(value) else value


def _is_list(value: Any) -> bool:
    return not isinstance(value, int | float | str) and hasattr(value, "__iter__") and not hasattr(value, "SerializeToString")
