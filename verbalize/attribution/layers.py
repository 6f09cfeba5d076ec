"""The layer of a network that a method of activation maps looks at, where the user names none."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from saywhy_core.errors import UsageError
from verbalize.models.image_models import answer_to, layer_named
from verbalize.models.patches import watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from verbalize.models.patches import Placed

_MAPS = 4  # axes of feature maps: images, channels, rows, columns


def default_layer(module: nn.Module, images: torch.Tensor | None = None) -> str:
    """The name of the last layer that gives feature maps N×D×h×w of more than one row and column.

    With `images`, the first of them is run once, and "last" means the one that finishes last: a block counts as a whole.
    Without images it is the last `Conv2d` in the order in which the module lists its layers.

    In a vision transformer it is the last block or normalisation whose tokens of patches the logits depend on. Where they are
    read from a class token this is the normalisation before the last attention, or the block before it, since the last
    block changes the tokens of patches without any effect.

    Args:
        module: the network.
        images: N×C×H×W, of which the first is looked at.

    Raises:
        UsageError: the module has no such layer.
    """
    if images is None:
        found = [name for name, layer in module.named_modules() if name and isinstance(layer, nn.Conv2d)]
        if not found:
            raise UsageError("the model has no Conv2d; name a layer whose output is N×D×h×w with layer=")
        return str(found[-1])
    last, tokens = "", False
    pixels = images.shape[2] * images.shape[3]

    def look(name: str, layer: nn.Module, output: Any) -> None:
        nonlocal last, tokens
        if not isinstance(output, torch.Tensor):
            return
        if output.ndim == _MAPS and len(output) == 1 and min(output.shape[2:]) > 1:
            last, tokens = name, False
        elif output.ndim == _MAPS - 1 and 1 in output.shape[:2] and _is_block(layer):
            tokens = tokens or 1 < max(output.shape[:2]) <= pixels

    with torch.no_grad(), _looking(module, look):
        answer_to(module, images[:1])
    if tokens:
        return _last_tokens(module, images[:1])
    if not last:
        raise UsageError(
            "no layer of the model gives feature maps N×D×h×w of more than one row and column, or tokens of patches"
        )
    return last


def _last_tokens(module: nn.Module, image: torch.Tensor) -> str:
    """The block or normalisation that finishes last, of those whose tokens of patches the logits depend on."""
    seen: list[tuple[str, torch.Tensor, Placed]] = []
    with watched(module) as passed:

        def look(name: str, layer: nn.Module, output: Any) -> None:
            first = output[0] if isinstance(output, tuple) and output else output
            if isinstance(first, torch.Tensor) and first.ndim == _MAPS - 1 and first.requires_grad and _is_block(layer):
                with suppress(UsageError):
                    seen.append((name, first, passed.place(output, name)))

        with torch.enable_grad(), _looking(module, look):
            logits = answer_to(module, image.detach().clone().requires_grad_())
    slopes = torch.autograd.grad(logits.max(), [whole for _, whole, _ in seen], allow_unused=True) if seen else ()
    for (name, _, placed), slope in zip(reversed(seen), reversed(slopes), strict=True):
        if slope is not None and min(placed.read(slope).shape[2:]) > 1 and bool(placed.read(slope).any()):
            return str(name)
    raise UsageError("the logits depend on no tokens of patches of this model; name a layer with layer=")


def _is_block(layer: nn.Module) -> bool:
    """Whether a layer may stand for all that came before it: not a projection inside attention, and nothing without weights."""
    return not isinstance(layer, nn.Linear | nn.Embedding) and next(layer.parameters(), None) is not None


@contextmanager
def _looking(module: nn.Module, look: Callable[[str, nn.Module, Any], None]) -> Iterator[None]:
    """Hand over what every layer gives, in the order in which they finish, inside the block."""
    handles = [
        layer.register_forward_hook(lambda layer, _given, output, name=name: look(name, layer, output))
        for name, layer in module.named_modules()
        if name
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def check_layers(module: nn.Module, names: Sequence[str]) -> tuple[str, ...]:
    """The full names of layers (see `layer_named`).

    Raises:
        UsageError: the module has no layer of one of these names.
    """
    return tuple(layer_named(module, name) for name in names)
