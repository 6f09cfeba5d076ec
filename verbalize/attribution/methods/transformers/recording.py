"""What the attention of a transformer did in a forward pass, whatever wraps the transformer."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from saywhy_core.errors import UsageError
from verbalize.models.patches import patch_projection

if TYPE_CHECKING:
    from collections.abc import Iterator

_AXES = 4  # of attention: inputs, heads, reading tokens, tokens read
_NEED_WEIGHTS = 4  # the place of need_weights among the arguments of nn.MultiheadAttention


@dataclass
class Recording:
    """The attention of the last forward pass. `nodes` are the tensors in the graph of which gradients can be taken."""

    attentions: list[torch.Tensor] = field(default_factory=list)  # of each layer N×heads×T×T
    nodes: list[torch.Tensor] = field(default_factory=list)  # the same numbers, in the shape in which the model used them
    tokens: torch.Tensor | None = None  # N×T×D after the last attention, or after its layer, as it stands in the graph
    tokens_first: bool = False  # whether `tokens` is T×N×D
    grid: tuple[int, int] | None = None  # rows and columns of the patches, where a convolution cuts them
    cut: torch.Tensor | None = None  # N×C×h×w: the part of the prepared images that the convolution cuts into patches

    def check(self) -> None:
        """Check that all layers have the attention of the same tokens to each other.

        Raises:
            UsageError: they have not.
        """
        if not self.attentions or self.tokens is None:
            raise UsageError(NO_ATTENTION)
        first = self.attentions[0]
        for one in self.attentions:
            if one.ndim != _AXES or one.shape[2] != one.shape[3] or one.shape[0::2] != first.shape[0::2]:
                raise UsageError(
                    "the attention of the model is not that of all tokens to all tokens in each layer, as with windows or "
                    "merged tokens; use a method of gradients or of perturbations"
                )


NO_ATTENTION = (
    "the model shows no attention: it must be one of the library transformers, or built of torch.nn.MultiheadAttention; use a "
    "method of gradients or of perturbations, or a class activation map"
)


@contextmanager
def recording(module: nn.Module) -> Iterator[Recording]:
    """Record the attention of the forward passes of a module inside the block. Afterwards the module is as it was.

    A model of transformers is asked for its attention (its implementation of attention is "eager" inside the block, since
    faster ones don't return any), each `nn.MultiheadAttention` for its weights.

    Raises:
        UsageError: the module contains neither.
    """
    found = Recording()
    model, layers = _transformer_in(module), [one for one in module.modules() if isinstance(one, nn.MultiheadAttention)]
    if model is None and not layers:
        raise UsageError(NO_ATTENTION)
    with ExitStack() as stack:
        cut = patch_projection(module)
        if cut is not None:
            handle = cut.register_forward_hook(lambda layer, given, output: _keep_grid(found, layer, given, output))
            stack.callback(handle.remove)
        if model is not None:
            stack.enter_context(_eager(model))
            hooks = (
                model.register_forward_pre_hook(_ask_for_attention, with_kwargs=True),
                model.register_forward_hook(lambda _model, _given, output: _keep_outputs(found, output)),
            )
        else:
            enabled = torch.backends.mha.get_fastpath_enabled()  # the fast path goes past the layer that is asked
            torch.backends.mha.set_fastpath_enabled(False)
            stack.callback(torch.backends.mha.set_fastpath_enabled, enabled)
            hooks = tuple(
                hook
                for layer in layers
                for hook in (
                    layer.register_forward_pre_hook(_ask_for_weights, with_kwargs=True),
                    layer.register_forward_hook(
                        lambda layer, _given, output, first=layer is layers[0]: _keep_weights(found, layer, output, first=first)
                    ),
                )
            )
        for hook in hooks:
            stack.callback(hook.remove)
        yield found


def _transformer_in(module: nn.Module) -> Any:
    """The outermost model of transformers in a module that has attention heads."""
    for one in module.modules():
        heads = getattr(getattr(one, "config", None), "num_attention_heads", None)
        if heads is not None and hasattr(one, "set_attn_implementation"):
            return one
    return None


@contextmanager
def _eager(model: Any) -> Iterator[None]:
    before = model.config._attn_implementation  # noqa: SLF001 - transformers has no public way to ask
    if before == "eager":
        yield
        return
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def _ask_for_attention(_model: nn.Module, given: Any, named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    return given, {**named, "output_attentions": True, "output_hidden_states": True, "return_dict": True}


def _keep_outputs(found: Recording, output: Any) -> None:
    attentions = [one for one in getattr(output, "attentions", None) or () if one is not None]
    hidden = getattr(output, "hidden_states", None)
    found.attentions, found.nodes = attentions, attentions
    found.tokens = hidden[-1] if hidden else None


def _ask_for_weights(_layer: nn.Module, given: Any, named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    asked = {**named, "average_attn_weights": False}
    if len(given) > _NEED_WEIGHTS:
        return (*given[:_NEED_WEIGHTS], True, *given[_NEED_WEIGHTS + 1 :]), asked
    return given, {**asked, "need_weights": True}


def _keep_weights(found: Recording, layer: Any, output: Any, *, first: bool) -> None:
    tokens, weights = output[0], output[1]
    if first:
        found.attentions, found.nodes = [], []
    found.attentions.append(weights)
    # what is returned is a view of the tensor that was used, and no gradient flows through the view
    found.nodes.append(weights if weights._base is None else weights._base)  # noqa: SLF001
    found.tokens, found.tokens_first = tokens, not layer.batch_first


def _keep_grid(found: Recording, layer: Any, given: Any, output: Any) -> None:
    if isinstance(output, torch.Tensor) and output.ndim == _AXES:
        found.grid = (int(output.shape[2]), int(output.shape[3]))
        found.cut = given[0][:, :, : found.grid[0] * layer.stride[0], : found.grid[1] * layer.stride[1]]
