"""Torch modules as graphs in float64."""

from __future__ import annotations

import io
import logging
import operator
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from adversarial.bounds.networks.reading.arithmetic import Value
from adversarial.bounds.networks.reading.building import Builder
from adversarial.bounds.networks.reading.torch_operations import ASSERTIONS, IDENTITIES, OPERATIONS, ORDER_KEPT
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adversarial.bounds.networks.network import Network, Precision

# the coarsest first
PRECISIONS: dict[torch.dtype, Precision] = {
    torch.bfloat16: "bfloat16",
    torch.float16: "float16",
    torch.float32: "float32",
    torch.float64: "float64",
}
# names of torch's own that stand for operations which are in the list under the names that users write
INTERNAL = {"native_batch_norm_legit_no_training", "to_copy", "unsafe_view", "addmm", "constant_pad_nd", "mm", "rsub"}
# forms of operations that change nothing in place and are read as they stand; a program of these alone need not be taken apart,
# for which torch goes through all operations that it knows: a fifth of a second
PLAIN = {
    "add.Tensor", "avg_pool2d.default", "conv2d.default", "div.Tensor", "flatten.using_ints", "linear.default",
    "max_pool2d.default", "mul.Tensor", "relu.default", "sub.Tensor",
}  # fmt: skip
BATCHES = (2, 1)  # images of the example: with two of them, an axis of one number is not taken for the batch


def read_module(module: nn.Module, image_shape: Sequence[int]) -> Network:
    """Read a torch module that takes N x C x H x W, in evaluation mode; its output holds the scores.

    `torch.export` follows the module for an image of the given shape; its mode and numbers stay as they are. Its numbers
    are taken at their values, also those of float16 and bfloat16. A last softmax is left out; see `Network.softmax`.

    Args:
        module: the module. Its own code runs.
        image_shape: (H, W, C); an image may have (H, W) only.

    Raises:
        UsageError: the module can't be followed, as what it does depends on the values of an image, or it holds an operation
            that is not known; the error names it.
    """
    height, width, channels = shape = _checked(image_shape)
    where = f"the module {type(module).__name__}"
    numbers = [one for one in (*module.parameters(), *module.buffers()) if one.is_floating_point()]
    kinds = {one.dtype for one in numbers}
    if kinds - set(PRECISIONS):
        raise UsageError(f"{where} holds numbers of {', '.join(map(str, kinds - set(PRECISIONS)))}, which are not read")
    kind = next((one.dtype for one in numbers), torch.float32)
    device = numbers[0].device if numbers else torch.device("cpu")
    builder = Builder(where, shape)
    builder.node = "its input"
    image = builder.transpose(-1, (2, 0, 1))
    example = torch.zeros(1, channels, height, width, dtype=kind, device=device)
    program, batch = _exported(module, example, where)
    precision = next(PRECISIONS[one] for one in PRECISIONS if one in kinds | {kind})
    return builder.finish(_scores(builder, program, image, batch), precision)


def _checked(image_shape: Sequence[int]) -> tuple[int, int, int]:
    shape = tuple(image_shape)
    if len(shape) == 2:
        shape = (*shape, 1)
    if len(shape) != 3 or any(isinstance(size, bool) or not isinstance(size, int) or size < 1 for size in shape):
        raise UsageError(f"image_shape must be (height, width, channels), positive whole numbers, not {tuple(image_shape)!r}")
    return shape


def _exported(module: nn.Module, example: torch.Tensor, where: str) -> tuple[Any, int]:
    """The program of a module in evaluation mode, and for how many images it is."""
    modes = [(one, one.training) for one in module.modules()]
    try:
        module.eval()
        for batch in BATCHES:
            try:
                with warnings.catch_warnings(), torch.no_grad(), _silently():
                    warnings.simplefilter("ignore")
                    program = torch.export.export(module, (example.expand(batch, -1, -1, -1).clone(),))
                    return program if _is_plain(program) else program.run_decompositions({}), batch
            except Exception as error:  # whatever the module's own code may raise
                if batch == BATCHES[-1]:
                    said = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
                    raise UsageError(
                        f"{where} can't be followed for an image of shape {tuple(example.shape[1:])}, channels first, as it "
                        f"doesn't fit, or as what it does depends on the image's values: {said}"
                    ) from error
        raise AssertionError
    finally:
        for one, training in modes:
            one.training = training


def _is_plain(program: Any) -> bool:
    """Whether each step of a program is in `PLAIN`."""
    steps = [node for node in program.graph.nodes if node.op not in {"placeholder", "output"}]
    plain = {f"aten.{form}" for form in PLAIN}
    return all(node.op == "call_function" and str(node.target) in plain for node in steps)


@contextmanager
def _silently() -> Iterator[None]:
    """Keep what torch tells while it follows a module, such as whole programs, to itself; the error has the reason."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(before)


def _scores(builder: Builder, program: Any, image: int, batch: int) -> int:
    """The place of the scores."""
    values: dict[str, Any] = {}
    constants = iter(_constants(program))
    output = None
    for node in program.graph.nodes:
        if node.op == "placeholder":
            constant = next(constants)
            values[node.name] = Value(image) if constant is None else constant.detach().cpu()
        elif node.op == "output":
            # what a module changes in place comes before what it returns; it is called on a copy, so that this does no harm
            returned = program.graph_signature.user_outputs
            output = values.get(str(returned[0])) if returned else None
        elif node.op == "call_function":
            values[node.name] = _called(builder, node, values, batch)
        else:
            raise UsageError(f"{builder.where} holds a step {node.op!r}, which is not covered")
    if not isinstance(output, Value):
        raise UsageError(f"{builder.where} returns the same scores for every image, or none")
    return output.place


def _constants(program: Any) -> Iterator[torch.Tensor | None]:
    """What stands for each input of the program: a number of the module, or None for the image."""
    images = 0
    for spec in program.graph_signature.input_specs:
        if spec.target is None:
            images += 1
            if images > 1 or not hasattr(spec.arg, "name"):
                raise UsageError("the module takes more than one image")
            yield None
        elif spec.target in program.state_dict:
            yield program.state_dict[spec.target]
        else:
            yield program.constants[spec.target]


def _called(builder: Builder, node: Any, values: dict[str, Any], batch: int) -> Any:
    """The value of one operation."""

    def given(argument: Any) -> Any:
        if isinstance(argument, torch.fx.Node):
            return values[argument.name]
        if isinstance(argument, list | tuple):
            return [given(one) for one in argument]
        return argument

    arguments, named = given(node.args), {name: given(value) for name, value in node.kwargs.items()}
    kind = _name(node.target)
    builder.node = f"{kind} (node {node.name!r:.80})"
    if not any(map(_depends, (*arguments, *named.values()))):
        if "device" in named:
            named["device"] = torch.device("cpu")
        return node.target(*arguments, **named)
    if kind in ASSERTIONS:
        return None
    if node.target is operator.getitem:
        if arguments[1] != 0:
            raise builder.refuse("takes another result than the first, which is not read")
        return arguments[0]
    if kind in IDENTITIES:
        return arguments[0]
    if kind in ORDER_KEPT:
        if not _is_last(node):
            raise builder.refuse("stands before other operations; it is covered as the last one alone")
        if arguments[1] not in {1, -1} or len(builder.shape(arguments[0].place)) != 1:
            raise builder.refuse(f"works on axis {arguments[1]}; it is covered over the scores of an image, axis 1 of (N, K)")
        builder.softmax = True
        return arguments[0]
    if kind not in OPERATIONS:
        raise _unknown(builder, node, kind)
    try:
        return Value(OPERATIONS[kind](builder, batch, *arguments, **named))
    except TypeError as error:
        raise builder.refuse("has arguments that are not read") from error


def _unknown(builder: Builder, node: Any, kind: str) -> UsageError:
    known = ", ".join(sorted({name.lstrip("_") for name in OPERATIONS} - INTERNAL))
    return UsageError(
        f"{builder.where} holds an operation {kind.lstrip('_')!r} (node {node.name!r:.80}) that is not covered; covered are "
        f"{known}, and a last softmax"
    )


def _is_last(node: Any) -> bool:
    users = [user for user in node.users if user.op == "output" or _name(user.target) not in ASSERTIONS]
    return all(user.op == "output" or (_name(user.target) in IDENTITIES and _is_last(user)) for user in users)


def _name(target: Any) -> str:
    """The name of an operation without the library and the form: "conv2d" for aten.conv2d.default."""
    packet = getattr(target, "overloadpacket", target)
    return str(getattr(packet, "__name__", packet))


def _depends(value: Any) -> bool:
    return any(map(_depends, value)) if isinstance(value, list) else isinstance(value, Value)
