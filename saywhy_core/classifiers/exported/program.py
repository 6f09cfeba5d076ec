"""A program of torch.export as records: what it computes with, and in which order. All is checked when it is read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from saywhy_core.classifiers.exported.conditions import Condition
from saywhy_core.classifiers.exported.operators import operator
from saywhy_core.classifiers.exported.schema import LAYOUTS, MEMORY_FORMATS, SCALAR_TYPES, integer, only, real
from saywhy_core.classifiers.exported.symbols import FUNCTIONS
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

VERSION = 8  # the major version of the format that torch 2.5 to 2.13 write
DEEPEST = 16  # graphs in graphs, such as the two branches of torch.cond
STEPS = 10_000  # of all graphs together; the largest networks for images have some 5,000
HIGHER = {f"torch.ops.higher_order.{name}": name for name in ("wrap_with_set_grad_enabled", "wrap_with_autocast", "cond")}
_SYMBOL = re.compile(r"(?:Symbol\('(\w+)'(?:, \w+=\w+)*\)|(\w+))")

Outputs: TypeAlias = "str | list[Outputs] | None"
"""The name that a value gets, or the names of its parts."""


@dataclass(frozen=True)
class Name:
    """A value that was computed before."""

    name: str


class Here:
    """The device on which the network runs, in the place of the one on which it was exported."""


@dataclass(frozen=True)
class Node:
    """One step: a function, what it gets, and what its results are called."""

    function: Callable[..., Any] | str
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    outputs: Outputs | list[Outputs]


@dataclass
class Graph:
    """Steps in order. `last` says after which step a value is needed no more."""

    inputs: list[str]
    outputs: list[Any]
    nodes: list[Node]
    last: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True)
class Program:
    """A network of one image input and one output.

    Attributes:
        graph: the steps.
        image: the name of the input.
        shape: its four sizes; a (smallest, largest) pair for each that is free.
        dtype: its type.
        held: name of a value -> ("weights" or "constants", name of the tensor).
        fixed: name of a value -> the constant that it always is.
        changed: name of a result -> name of the tensor in `held` that it is written back to.
        conditions: what must hold for the sizes of the input.
    """

    graph: Graph
    image: str
    shape: tuple[int | tuple[int, int | None], ...]
    dtype: torch.dtype
    held: dict[str, tuple[str, str]]
    fixed: dict[str, Any]
    changed: dict[str, tuple[str, str]]
    conditions: tuple[Condition, ...]


def read_program(content: dict[str, Any], where: str) -> Program:
    """The program of the parsed JSON. Call it within `schema.reading`.

    Raises:
        UsageError: it uses anything that is not computed here, or isn't of one image and one array of scores.
    """
    version = content["schema_version"]
    if version["major"] not in (VERSION, 0):
        raise UsageError(
            f"{where} has version {version['major']!r:.20} of the format, and {VERSION} is read; export the network again"
        )
    module = content["graph_module"]
    signature, drawn = module["signature"], module["graph"]
    held: dict[str, tuple[str, str]] = {}
    fixed: dict[str, Any] = {}
    images: list[str] = []
    tensors: dict[tuple[str, str], tuple[str, str]] = {}
    for record in signature["input_specs"]:
        kind, spec = only(record)
        if kind == "user_input":
            given, value = only(spec["arg"])
            if given == "as_tensor":
                images.append(str(value["name"]))
            elif given.startswith("as_sym") or given not in ("as_none", "as_int", "as_float", "as_bool", "as_string"):
                raise UsageError(
                    f"{where} takes something else than an image ({given:.40}); a classifier takes one image tensor"
                )
        elif kind == "constant_input":
            fixed[str(spec["name"])] = _constant(spec["value"])
        elif kind in ("parameter", "buffer", "tensor_constant"):
            tensor = str(spec[f"{kind}_name"])
            place = "constants" if kind == "tensor_constant" or (kind == "buffer" and not spec["persistent"]) else "weights"
            held[str(spec["arg"]["name"])] = (place, tensor)
            tensors[kind, tensor] = (place, tensor)
        else:
            raise UsageError(f"{where} needs an object of its own ({kind:.40}), which may run code; the file was refused")
    if len(images) != 1:
        raise UsageError(f"{where} takes {len(images)} tensors; a classifier takes one image tensor")
    steps = _steps(drawn, 0)
    if steps > STEPS:
        raise UsageError(
            f"{where} has {steps:,} steps, and at most {STEPS:,} are read; "
            "if it is your own network, give it as a python: target, with --trust"
        )
    graph = _graph(drawn, where, 0)
    results, changed = [], {}
    for record, output in zip(signature["output_specs"], graph.outputs, strict=True):
        kind, spec = only(record)
        if kind == "user_output":
            results.append(output)
        elif kind in ("buffer_mutation", "parameter_mutation"):
            what = kind.partition("_")[0]
            changed[output.name] = tensors[what, str(spec[f"{what}_name"])]
        elif kind != "user_input_mutation":
            raise UsageError(f"{where} gives a result of the kind {kind!r:.40}, which no classifier has")
    scores = [one for one in results if isinstance(one, Name)]
    if len(scores) != 1:
        raise UsageError(f"{where} gives {len(scores)} arrays; a classifier gives one, of scores")
    graph.outputs = [scores[0], *(Name(name) for name in changed)]
    graph.last = _last(graph)
    _check_order(graph, {images[0], *held, *fixed})
    meta = drawn["tensor_values"][images[0]]
    ranges = content.get("range_constraints") or {}
    return Program(
        graph, images[0], tuple(_size(one, ranges) for one in meta["sizes"]), SCALAR_TYPES[meta["dtype"]], held, fixed, changed,
        tuple(Condition(str(one), where) for one in content.get("guards_code") or ()),
    )  # fmt: skip


def _size(record: Any, ranges: dict[str, Any]) -> int | tuple[int, int | None]:
    kind, value = only(record)
    if kind == "as_int":
        return integer(value)
    symbol = _SYMBOL.fullmatch(str(value["expr_str"]))
    limits = ranges.get(symbol[1] or symbol[2]) if symbol else None
    if limits is None:
        return 1, None
    least, most = limits["min_val"], limits["max_val"]
    # torch takes no size of 0 or 1 for free when it exports, and then says that 2 is the least: 1 works all the same
    return (1 if least is None or integer(least) <= 2 else least), None if most is None else integer(most)


def _constant(record: Any) -> Any:
    kind, value = only(record)
    return None if kind == "as_none" else _VALUES[kind](value)


def _graph(drawn: dict[str, Any], where: str, depth: int) -> Graph:
    if depth > DEEPEST:
        raise UsageError(f"{where} has graphs in graphs, more than {DEEPEST} deep; the file was refused")
    inputs = []
    for record in drawn["inputs"]:
        kind, value = only(record)
        if kind in ("as_tensor", "as_sym_int"):
            inputs.append(str(value["name"] if kind == "as_tensor" else value["as_name"]))
        elif kind == "as_custom_obj":
            raise UsageError(
                f"{where} needs an object of its own ({str(value['class_fqn'])!r:.60}), which may run code; it was refused"
            )
    nodes = [_node(one, where, depth) for one in drawn["nodes"]]
    graph = Graph(inputs, [_argument(one, where, depth) for one in drawn["outputs"]], nodes)
    graph.last = _last(graph)
    return graph


def _steps(drawn: dict[str, Any], depth: int) -> int:
    """How many steps a graph has, with those of the graphs in it."""
    arguments = [one["arg"] for node in drawn["nodes"] for one in node["inputs"]] if depth <= DEEPEST else []
    inner = [one["as_graph"]["graph"] for one in arguments if "as_graph" in one]
    return len(drawn["nodes"]) + sum(_steps(one, depth + 1) for one in inner)


def _node(record: dict[str, Any], where: str, depth: int) -> Node:
    target = str(record["target"])
    given = [(str(one["name"]), _argument(one["arg"], where, depth)) for one in record["inputs"]]
    outputs = _outputs(record["outputs"])
    if target in FUNCTIONS:
        return Node(FUNCTIONS[target], tuple(value for _, value in given), {}, outputs)
    if target in HIGHER:
        if record.get("is_hop_single_tensor_return") is False and not isinstance(outputs, list):
            outputs = [outputs]
        return Node(HIGHER[target], tuple(value for _, value in given), {}, outputs)
    function = operator(target, where)
    arguments, keywords = _by_schema(function, dict(given))
    return Node(function, arguments, keywords, outputs)


def _by_schema(function: Any, given: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments by place as far as none is left out, the others by name."""
    arguments: list[Any] = []
    keywords: dict[str, Any] = {}
    whole = True
    for parameter in function._schema.arguments:  # noqa: SLF001 - the public way to a schema begins with this one
        if parameter.name not in given:
            whole = False
        elif whole and not parameter.kwarg_only:
            arguments.append(given.pop(parameter.name))
        else:
            keywords[parameter.name] = given.pop(parameter.name)
    if given:
        raise ValueError(f"{function} has no parameter {next(iter(given))!r:.40}")
    return tuple(arguments), keywords


def _outputs(records: list[Any]) -> Outputs:
    named = [_output(one) for one in records]
    return named[0] if len(named) == 1 else named


def _output(record: Any) -> Outputs:
    kind, value = only(record)
    if kind in ("as_tensor", "as_optional_tensor"):
        return str(value["name"] if kind == "as_tensor" else only(value)[1]["name"])
    if kind in ("as_sym_int", "as_sym_float", "as_sym_bool"):
        named, name = only(value)
        return str(name) if named == "as_name" else None
    if kind in ("as_tensors", "as_sym_ints", "as_sym_floats", "as_sym_bools"):
        return [_output({"as_tensor": one} if kind == "as_tensors" else {kind.removesuffix("s"): one}) for one in value]
    return None


def _argument(record: Any, where: str, depth: int) -> Any:
    kind, value = only(record)
    if kind == "as_graph":
        return _graph(value["graph"], where, depth + 1)
    if kind in _SINGLE:
        return _SINGLE[kind](value)
    if kind in _LISTS:
        return [_SINGLE[_LISTS[kind]](one) for one in value]
    if kind in ("as_int_lists", "as_float_lists", "as_nested_tensors"):
        one_kind = {"as_int_lists": "as_int", "as_float_lists": "as_float", "as_nested_tensors": "as_tensor"}[kind]
        return [[_SINGLE[one_kind](one) for one in row] for row in value]
    raise UsageError(f"{where} has an argument of the kind {kind!r:.40}, which may run code; the file was refused")


def _symbolic(value: Any) -> Any:
    kind, held = only(value)
    if kind == "as_name":
        return Name(str(held))
    return _VALUES[kind](held)


def _optional(value: Any) -> Any:
    kind, held = only(value)
    return Name(str(held["name"])) if kind == "as_tensor" else None


_VALUES: dict[str, Callable[[Any], Any]] = {"as_int": integer, "as_float": real, "as_string": str, "as_bool": bool}
_SINGLE: dict[str, Callable[[Any], Any]] = {
    "as_none": lambda _: None,
    "as_tensor": lambda value: Name(str(value["name"])),
    "as_int": integer,
    "as_float": real,
    "as_bool": bool,
    "as_string": str,
    "as_complex": lambda value: complex(real(value["real"]), real(value["imag"])),
    "as_sym_int": _symbolic,
    "as_sym_float": _symbolic,
    "as_sym_bool": _symbolic,
    "as_optional_tensor": _optional,
    "as_scalar_type": lambda value: SCALAR_TYPES[value],
    "as_memory_format": lambda value: MEMORY_FORMATS[value],
    "as_layout": lambda value: LAYOUTS[value],
    "as_device": lambda _: Here(),
}
_LISTS = {
    **{f"{kind}s": kind for kind in ("as_tensor", "as_int", "as_float", "as_bool", "as_string", "as_sym_int", "as_sym_float")},
    "as_sym_bools": "as_sym_bool",
    "as_optional_tensors": "as_optional_tensor",
}


def _last(graph: Graph) -> list[list[str]]:
    """For each step, the names that no later step and no result needs."""
    needed = set(_names(graph.outputs))
    last: list[list[str]] = []
    for node in reversed(graph.nodes):
        made = set(_made(node.outputs))
        used = set(_names([node.arguments, node.keywords])) | made
        last.append([name for name in used if name not in needed])
        needed |= used
    return last[::-1]


def _check_order(graph: Graph, known: set[str]) -> None:
    """See that each step uses what there is before it.

    Raises:
        ValueError: it does not.
    """
    for node in graph.nodes:
        for one in node.arguments:
            if isinstance(one, Graph):
                _check_order(one, set(one.inputs))
        for name in _names([node.arguments, node.keywords]):
            if name not in known:
                raise ValueError(f"{name!r:.40} is used and not computed before")
        known |= set(_made(node.outputs))
    for name in _names(graph.outputs):
        if name not in known:
            raise ValueError(f"{name!r:.40} is a result and is not computed")


def _names(value: Any) -> list[str]:
    if isinstance(value, Name):
        return [value.name]
    if isinstance(value, dict):
        value = list(value.values())
    return [name for one in value for name in _names(one)] if isinstance(value, (list, tuple)) else []


def _made(outputs: Outputs) -> list[str]:
    if isinstance(outputs, list):
        return [name for one in outputs for name in _made(one)]
    return [] if outputs is None else [outputs]
