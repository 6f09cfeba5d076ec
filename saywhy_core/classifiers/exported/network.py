"""A program as a module: its steps are computed one after the other, each by an operator of torch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from saywhy_core.bounded.watched import go_on
from saywhy_core.classifiers.classifier import ClassifierError
from saywhy_core.classifiers.exported.operators import is_unset
from saywhy_core.classifiers.exported.program import Graph, Here, Name
from saywhy_core.errors import argument
from saywhy_core.reading.ceilings import CeilingError, ceiling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from saywhy_core.classifiers.exported.program import Node, Program

_COUNTING = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}


class ExportedNetwork(torch.nn.Module):  # type: ignore[misc, unused-ignore]
    """A program of torch.export as a module from images (N, C, H, W) or (N, H, W, C) to scores.

    The first input of each shape is computed with care: before each step torch says how large its results will be, and a step
    beyond the ceiling on arrays is not taken.

    Args:
        program: the steps.
        tensors: ("weights" or "constants", name) -> tensor, for every entry of `program.held`.
        where: the file, for errors.
    """

    def __init__(self, program: Program, tensors: dict[tuple[str, str], torch.Tensor], where: str) -> None:
        super().__init__()
        self.program, self.where = program, where
        # names of the file are no names of attributes here
        self._slots = {place: f"tensor{number}" for number, place in enumerate(dict.fromkeys(program.held.values()))}
        for place, slot in self._slots.items():
            self.register_buffer(slot, tensors[place])
        self._careful: set[tuple[int, ...]] = set()
        self.register_buffer("_anchor", torch.zeros(()))

    @property
    def takes_one(self) -> bool:
        """Whether it takes a batch of one image, whatever else it takes."""
        images = self.program.shape[0] if self.program.shape else 1
        return not self.program.conditions and (images == 1 if isinstance(images, int) else images[0] <= 1)

    @property
    def steady(self) -> bool:
        """Whether no value of the input changes what is computed: no branches, and no sizes that are counted."""
        return _is_steady(self.program.graph)

    @property
    def accelerated(self) -> bool:
        """Whether it runs on something else than the processor."""
        return bool(self._anchor.device.type != "cpu")

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """The scores.

        Raises:
            ClassifierError: the images have a shape that the program was not exported for.
            CeilingError: a step needs too much memory.
        """
        shape = tuple(images.shape)
        self._check(images)
        values: dict[str, Any] = {name: getattr(self, self._slots[place]) for name, place in self.program.held.items()}
        values |= self.program.fixed
        values[self.program.image] = images.to(self.program.dtype)
        with torch.inference_mode():
            scores, *changed = self._run(self.program.graph, values, careful=None if shape in self._careful else shape[0])
            for value, place in zip(changed, self.program.changed.values(), strict=True):
                getattr(self, self._slots[place]).copy_(value)
        self._careful.add(shape)
        return torch.as_tensor(scores)

    def _check(self, images: torch.Tensor) -> None:
        wanted = self.program.shape
        if not _fits(tuple(images.shape), wanted):
            said = " by ".join(
                str(want) if isinstance(want, int) else f"{want[0]} to {want[1] or 'any'}" if want != (1, None) else "any"
                for want in wanted
            )
            raise ClassifierError(
                f"{self.where} was exported for inputs of {said}, not of {' by '.join(map(str, images.shape))}"
                f"{_other_layout(tuple(images.shape), wanted)}"
            )
        for condition in self.program.conditions:
            if not condition.holds(images.shape):
                raise ClassifierError(f"{self.where} was exported for inputs with {condition.source:.200}")

    def _run(self, graph: Graph, values: dict[str, Any], *, careful: int | None) -> list[Any]:
        for node, over in zip(graph.nodes, graph.last, strict=True):
            go_on()
            arguments = self._filled(node.arguments, values)
            keywords = self._filled(node.keywords, values)
            if isinstance(node.function, str):
                result = self._higher(node.function, arguments, careful)
            else:
                if careful is not None:
                    self._look_ahead(node, arguments, keywords, values, careful)
                result = node.function(*arguments, **keywords)
                if is_unset(node.function):
                    result.untyped_storage().fill_(0)  # the whole of it: strides may leave gaps
            _bind(node.outputs, result, values)
            for name in over:
                values.pop(name, None)
        filled: list[Any] = self._filled(graph.outputs, values)
        return filled

    def _higher(self, name: str, arguments: list[Any], careful: int | None) -> Any:
        if name == "cond":
            condition, first, second, operands = arguments
            return self._inside(first if bool(condition) else second, list(operands), careful)
        if name == "wrap_with_set_grad_enabled":  # no gradients are computed here in any case
            _, inner, *operands = arguments
            return self._inside(inner, operands, careful)
        kind, dtype, enabled, kept, inner, *operands = arguments
        kind = self._anchor.device.type if kind != "cpu" else kind
        with torch.autocast(str(kind), dtype=dtype, enabled=bool(enabled), cache_enabled=None if kept is None else bool(kept)):
            return self._inside(inner, operands, careful)

    def _inside(self, graph: Graph, operands: list[Any], careful: int | None) -> Any:
        return tuple(self._run(graph, dict(zip(graph.inputs, operands, strict=True)), careful=careful))

    def _filled(self, value: Any, values: dict[str, Any]) -> Any:
        if isinstance(value, Name):
            return values[value.name]
        if isinstance(value, (list, tuple)):
            return [self._filled(one, values) for one in value]
        if isinstance(value, dict):
            return {name: self._filled(one, values) for name, one in value.items()}
        return self._anchor.device if isinstance(value, Here) else value

    def _look_ahead(
        self, node: Node, arguments: list[Any], keywords: dict[str, Any], values: dict[str, Any], images: int
    ) -> None:
        """See how large the results of a step will be.

        Raises:
            CeilingError: larger than the ceiling on arrays, by itself or with the results that are still needed.
        """
        function = node.function
        if not isinstance(function, torch._ops.OpOverload) or not function._schema.returns:  # noqa: SLF001 - the way to a schema
            return
        if any(parameter.name == "device" for parameter in function._schema.arguments):  # noqa: SLF001
            keywords = {**keywords, "device": torch.device("meta")}
        try:
            ahead = function(*_without_numbers(arguments), **_without_numbers(keywords))
        except NotImplementedError:
            if _COUNTING.intersection(function.tags):
                self._hold(_counted([arguments, keywords]), values, images)
                return
            raise ClassifierError(
                f"{self.where} uses {function}, and torch can't say beforehand how much memory it needs; give the network as a "
                "python: target, with --trust, if it is your own"
            ) from None
        except Exception:  # noqa: BLE001 - arguments that don't fit: the step itself says so better
            return
        self._hold(sum(_bytes(one) for one in _tensors(ahead)), values, images)

    def _hold(self, coming: int, values: dict[str, Any], images: int) -> None:
        most = ceiling("array")
        held = _held(values) if coming > most // 16 else 0
        if coming > most or coming + held > most + self.own_bytes:
            alone = f"one step needs {coming:,} bytes"
            together = f"one step needs {coming:,} bytes beside the {held:,} bytes of the results before it"
            room = most if coming > most else most + self.own_bytes
            raise CeilingError(
                f"{self.where}: {alone if coming > most else together}, and {room:,} are allowed for {images} "
                f"{'image' if images == 1 else 'images'}; if you trust it, raise the ceiling, for example with "
                f"--ceiling array={2 * (coming if coming > most else coming + held)}"
            )

    @property
    def own_bytes(self) -> int:
        """Bytes of its weights."""
        return sum(_bytes(one) for one in self.buffers())


def _is_steady(graph: Graph) -> bool:
    return all(
        node.function != "cond"
        and not _COUNTING.intersection(getattr(node.function, "tags", ()))
        and all(_is_steady(one) for one in node.arguments if isinstance(one, Graph))
        for node in graph.nodes
    )


def _fits(have: tuple[int, ...], wanted: Sequence[Any]) -> bool:
    return len(have) == len(wanted) and all(
        one == want if isinstance(want, int) else want[0] <= one <= (one if want[1] is None else want[1])
        for one, want in zip(have, wanted, strict=True)
    )


def _other_layout(have: tuple[int, ...], wanted: Sequence[Any]) -> str:
    """What to say where the images would fit with their axes in the other order."""
    if len(have) != 4:
        return ""
    for layout, axes in (("nhwc", (0, 2, 3, 1)), ("nchw", (0, 3, 1, 2))):
        if _fits(tuple(have[axis] for axis in axes), wanted):
            return f"; it takes the axes in another order, so say {argument('layout', layout)}"
    return ""


def _bind(outputs: Any, result: Any, values: dict[str, Any]) -> None:
    if isinstance(outputs, list):
        if not outputs:  # a check that returns nothing
            return
        for one, part in zip(outputs, result, strict=True):
            _bind(one, part, values)
    elif outputs is not None:
        values[outputs] = result[0] if isinstance(result, tuple) and len(result) == 1 else result


def _without_numbers(value: Any) -> Any:
    """The same arguments with tensors that have sizes alone."""
    if isinstance(value, torch.Tensor):
        return torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device="meta")
    if isinstance(value, list):
        return [_without_numbers(one) for one in value]
    if isinstance(value, dict):
        return {name: _without_numbers(one) for name, one in value.items()}
    return torch.device("meta") if isinstance(value, torch.device) else value


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    return [found for one in value for found in _tensors(one)] if isinstance(value, (list, tuple)) else []


def _held(values: dict[str, Any]) -> int:
    """The bytes of results and weights; views of the same numbers count once."""
    kept = (one.untyped_storage() for one in _tensors(list(values.values())))
    return sum({one.data_ptr(): int(one.nbytes()) for one in kept}.values())


def _counted(arguments: list[Any]) -> int:
    """The most bytes of the result of a step such as `nonzero`, which has a row of whole numbers for each number given."""
    given = _tensors([*arguments[0], *arguments[1].values()])
    return sum(max(_bytes(one), one.numel() * 8 * max(1, one.ndim)) for one in given)


def _bytes(tensor: torch.Tensor) -> int:
    size: int = math.prod(tensor.shape) * tensor.dtype.itemsize
    return size
