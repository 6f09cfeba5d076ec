"""A copy of a network whose operations are all modules, used once each, so that captum's hooks see every one of them.

captum's DeepLift and LRP work with hooks on modules. A ReLU or an addition that is called as a function, and a module that is
called twice, escape these hooks, and captum then silently takes the plain gradient or stops. Here the forward function is
traced (torch.fx), each call of a function becomes a module, and a module that is called twice becomes two.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from saywhy_core.errors import UsageError
from verbalize.models.image_models import precision_of

_ACTIVATIONS = {
    "relu": nn.ReLU,
    "relu_": nn.ReLU,
    "tanh": nn.Tanh,
    "tanh_": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "sigmoid_": nn.Sigmoid,
}
_POOLING = {functional.max_pool1d: nn.MaxPool1d, functional.max_pool2d: nn.MaxPool2d, functional.max_pool3d: nn.MaxPool3d}
_POOLED_BY = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")  # the order of the arguments of the functions
_MOVING = frozenset({
    *("flatten", "reshape", "view", "view_as", "permute", "transpose", "t", "squeeze", "unsqueeze", "contiguous", "getitem"),
    *("pad", "cat", "concat", "chunk", "split", "clone", "stack", "to", "type", "type_as", "_assert"),
    *("float", "half", "double", "bfloat16"),
})  # fmt: skip
"""Functions that only move values: what flows back through their gradient arrives whole."""
_ABOUT_SHAPES = frozenset({"size", "dim", "numel"})
_LINEAR_FUNCTIONS = frozenset({
    *("add", "iadd", "add_", "sub", "isub", "mean", "sum", "adaptive_avg_pool2d", "avg_pool2d", "interpolate", "neg"),
    *("adaptive_avg_pool1d", "conv1d", "conv2d", "linear"),
})  # fmt: skip
_SCALING_FUNCTIONS = frozenset({"mul", "imul", "truediv", "itruediv", "div", "mul_", "div_"})
"""Linear as long as only one of the factors comes from the image."""
_PASSING = (nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)  # in evaluation mode these change nothing
_PASSING_FUNCTIONS = frozenset({"dropout", "dropout2d", "alpha_dropout"})


@dataclass(frozen=True)
class _Slot:
    """The place of a tensor, or of a number that the shapes give, among the arguments of a function."""

    name: str


class Operation(nn.Module):  # type: ignore[misc]  # torch's types are not followed
    """A call of a function as a module: its tensors are the inputs, everything else is fixed."""

    def __init__(self, function: Any, args: Any, kwargs: Any, tensors: tuple[str, ...], name: str) -> None:
        super().__init__()
        self.function, self.tensors, self.name = function, tensors, name
        self.fixed = (args, kwargs)

    @property
    def shares(self) -> bool:
        """Whether the function is linear in its tensors, apart from a constant: its value can be shared out among them."""
        return self.name in _LINEAR_FUNCTIONS or (self.name in _SCALING_FUNCTIONS and len(self.tensors) == 1)

    def forward(self, *values: torch.Tensor, **numbers: Any) -> Any:
        """The value of the function."""
        found = {**dict(zip(self.tensors, values, strict=True)), **numbers}
        args, kwargs = fx.node.map_aggregate(self.fixed, lambda one: found[one.name] if isinstance(one, _Slot) else one)
        if isinstance(self.function, str):
            return getattr(args[0], self.function)(*args[1:], **kwargs)
        return self.function(*args, **kwargs)


def as_modules(module: nn.Module, *, share: bool = True) -> fx.GraphModule:
    """Copy a network so that all its operations are modules that are used once; the network itself is not touched.

    Args:
        module: a network in evaluation mode.
        share: whether the copy uses the same weights. Not for methods that change weights while they work.

    Returns:
        A graph whose one output are the logits, also where the network returns other values with them. Its submodules are
        named after the layers of the network. Functions are `Operation`s, except activations and
        max pooling, which are the modules of torch, and functions that only move values, which stay as they are. The copy of a
        network in half precision is in float32, because the small numbers that captum divides by vanish in half precision.

    Raises:
        UsageError: the forward function can't be traced, for example because it branches on the values of its input.
    """
    try:
        traced = fx.symbolic_trace(module)
    except Exception as error:
        reason = str(error).strip().split("\n", maxsplit=1)[0].split(". ", maxsplit=1)[0]
        raise UsageError(f"the forward function of {type(module).__name__} can't be traced: {reason}") from error
    memo = {id(one): one for one in chain(module.parameters(), module.buffers())} if share else {}
    modules, graph = dict(traced.named_modules()), traced.graph
    _answer_logits(graph)
    made: dict[str, nn.Module] = {}
    numbers: set[fx.Node] = set()
    for node in list(graph.nodes):
        if node.op in ("placeholder", "output", "get_attr"):
            continue
        if _is_number(node, numbers):
            numbers.add(node)
            continue
        if node.op == "call_module":
            layer = modules[node.target]
            if isinstance(layer, _PASSING):
                _skip(node)
            elif isinstance(layer, nn.Flatten):
                with graph.inserting_before(node):
                    flat = graph.call_function(torch.flatten, (node.args[0], layer.start_dim, layer.end_dim))
                node.replace_all_uses_with(flat)
                graph.erase_node(node)
            else:
                made[_named(node.target, made)] = copied = copy.deepcopy(layer, dict(memo))
                if getattr(copied, "inplace", False):
                    copied.inplace = False
                node.target = next(reversed(made))
        elif _name(node) in _PASSING_FUNCTIONS:
            _skip(node)
        elif _name(node) not in _MOVING:
            _wrap(node, module, numbers, made)
    root = nn.Module()
    for node in graph.nodes:
        if node.op == "get_attr":  # what is left stands in functions that move values
            made.setdefault(node.target.replace(".", "_"), _Value(_attribute(module, node.target)))
            node.target = f"{node.target.replace('.', '_')}.value"
    for name, layer in made.items():
        root.add_module(name, layer)
    result = fx.GraphModule(root, graph).eval()
    graph.eliminate_dead_code()
    result.recompile()
    result.delete_all_unused_submodules()
    if precision_of(module) in (torch.float16, torch.bfloat16):
        return copy.deepcopy(result).float()
    return result


def _answer_logits(graph: fx.Graph) -> None:
    """Leave out what a network computes for other values beside its logits, through which captum would count them twice."""
    (end,) = (node for node in graph.nodes if node.op == "output")
    answer = end.args[0]
    if isinstance(answer, Mapping):
        answer = answer.get("logits", answer)
    if isinstance(answer, list | tuple) and answer:
        answer = answer[0]
    end.args = (answer,)
    graph.eliminate_dead_code()


class _Value(nn.Module):  # type: ignore[misc]  # torch's types are not followed
    def __init__(self, value: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("value", value.detach(), persistent=False)


def _wrap(node: fx.Node, module: nn.Module, numbers: set[fx.Node], made: dict[str, nn.Module]) -> None:
    """Turn a call of a function into a call of a module."""
    source = node.target if node.op == "call_function" else str(node.target)
    inputs = [one for one in node.all_input_nodes if one.op != "get_attr"]
    tensors = [one for one in inputs if one not in numbers]
    pool = _POOLING.get(source) if callable(source) else None
    if _name(node) in _ACTIVATIONS:
        layer: nn.Module = _ACTIVATIONS[_name(node)]()
    elif pool is not None and len(inputs) == 1:
        settings = {**dict(zip(_POOLED_BY, node.args[1:], strict=False)), **node.kwargs}
        layer = pool(**{name: value for name, value in settings.items() if name in _POOLED_BY})
    else:

        def fixed(one: fx.Node) -> Any:
            return _attribute(module, one.target) if one.op == "get_attr" else _Slot(one.name)

        args, kwargs = (fx.node.map_arg(given, fixed) for given in (node.args, node.kwargs))
        layer = Operation(source, args, kwargs, tuple(one.name for one in tensors), _name(node))
    name = _named(node.name, made)
    made[name] = layer
    with node.graph.inserting_before(node):
        # create_node, because call_module would look for the new module in the network
        counted = {one.name: one for one in inputs if one in numbers and isinstance(layer, Operation)}
        called = node.graph.create_node("call_module", name, tuple(tensors), counted)
    node.replace_all_uses_with(called)
    node.graph.erase_node(node)


def _skip(node: fx.Node) -> None:
    node.replace_all_uses_with(node.all_input_nodes[0])
    node.graph.erase_node(node)


def _is_number(node: fx.Node, numbers: set[fx.Node]) -> bool:
    """Whether the value is a shape, a device or a number that comes from these."""
    if _name(node) in _ABOUT_SHAPES or (_name(node) == "getattr" and node.args[1] in ("shape", "device", "dtype", "ndim")):
        return True
    return bool(node.all_input_nodes) and all(one in numbers for one in node.all_input_nodes)


def _name(node: fx.Node) -> str:
    return str(getattr(node.target, "__name__", node.target)) if node.op == "call_function" else str(node.target)


def _named(target: Any, made: dict[str, nn.Module]) -> str:
    """A name that no module has yet, and that means nothing to a graph itself, as "half" and "type" do."""
    name = str(target).replace(".", "_")
    while name in made or hasattr(fx.GraphModule, name):
        name += "_again"
    return name


def _attribute(module: nn.Module, target: Any) -> Any:
    found: Any = module
    for part in str(target).split("."):
        found = getattr(found, part)
    return found
