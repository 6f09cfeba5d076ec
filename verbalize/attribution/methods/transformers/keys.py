"""The keys of the last attention layer of a vision transformer: what its tokens offer to be found by."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from saywhy_core.errors import UsageError
from verbalize.attribution.methods.transformers.recording import recording
from verbalize.attribution.methods.transformers.tokens import grid_of

if TYPE_CHECKING:
    from verbalize.attribution.image_question import ImageQuestion

_NAMES = ("key", "k_proj", "k_lin", "to_k")  # of the projection to keys, in the models of transformers and diffusers
_FUSED = ("qkv",)  # of projections to queries, keys and values in one, in this order


def patch_keys(question: ImageQuestion) -> tuple[torch.Tensor, tuple[int, int]]:
    """The keys of the patches in the last layer, all heads side by side: N×P×D in float32, and rows and columns of the patches.

    Raises:
        UsageError: the model has no attention of all tokens to all tokens, or its keys can't be found by name.
    """
    module = question.module
    if module is None:
        raise UsageError("the keys of a black box are unknown; use a method that needs only its scores")
    kept: list[torch.Tensor] = []
    with recording(module) as found, torch.no_grad(), ExitStack() as stack:
        path, layer = last_projection(module)
        name = path.rsplit(".", 1)[-1]
        handle = layer.register_forward_hook(
            lambda layer, given, named, output: kept.append(_keys(layer, name, given, named, output)), with_kwargs=True
        )
        stack.callback(handle.remove)
        question.score(question.batch, question.rows)
    found.check()
    keys = kept[-1]
    grid, prefix = grid_of(found, keys.shape[1], question)
    return keys[:, prefix:].float(), grid


def last_projection(module: nn.Module) -> tuple[str, nn.Module]:
    """The last layer that projects tokens to keys, alone or in an `nn.MultiheadAttention`: its path in the module, and itself.

    Raises:
        UsageError: there is none.
    """
    last: tuple[str, nn.Module] | None = None
    listed = {name for name, layer in module.named_modules() if isinstance(layer, nn.ModuleList | nn.Sequential)}
    in_list = False
    for path, layer in module.named_modules():
        named = isinstance(layer, nn.Linear) and path.rsplit(".", 1)[-1] in (*_NAMES, *_FUSED)
        if named or isinstance(layer, nn.MultiheadAttention):
            parts = path.split(".")
            inside = any(".".join(parts[:end]) in listed for end in range(len(parts)))
            if inside or not in_list:  # an attention outside of the list of layers pools their tokens
                last, in_list = (path, layer), inside
    if last is None:
        raise UsageError(
            f"the keys of the model's attention can't be found: no projection is called {', '.join(_NAMES + _FUSED)}"
        )
    return last


def _keys(layer: Any, name: str, given: Any, named: dict[str, Any], output: Any) -> torch.Tensor:
    if not isinstance(layer, nn.MultiheadAttention):
        projected: torch.Tensor = output.chunk(3, dim=-1)[1] if name in _FUSED else output
        return projected
    tokens = named["key"] if "key" in named else given[1]
    width = layer.embed_dim
    if layer.in_proj_weight is None:  # keys of another width have weights of their own
        weight, bias = layer.k_proj_weight, layer.in_proj_bias
    else:
        weight, bias = layer.in_proj_weight[width : 2 * width], layer.in_proj_bias
    keys = functional.linear(tokens, weight, None if bias is None else bias[width : 2 * width])
    return keys if layer.batch_first else keys.transpose(0, 1)
