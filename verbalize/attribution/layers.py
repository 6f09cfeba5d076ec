"""The layer of a network that a method of activation maps looks at, where the user names none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAPS = 4  # axes of feature maps: images, channels, rows, columns


def default_layer(module: nn.Module, images: torch.Tensor | None = None) -> str:
    """The name of the last layer that gives feature maps N×D×h×w of more than one row and column.

    With `images`, the first of them is run once, and "last" means the one that finishes last: a block counts as a whole.
    Without images it is the last `Conv2d` in the order in which the module lists its layers.

    Args:
        module: the network.
        images: N×C×H×W, of which the first is looked at.

    Raises:
        UsageError: the module has no such layer, or goes on with a sequence of tokens, as transformers do.
    """
    if images is None:
        found = [name for name, layer in module.named_modules() if name and isinstance(layer, nn.Conv2d)]
        if not found:
            raise UsageError("the model has no Conv2d; name a layer whose output is N×D×h×w with layer=")
        return str(found[-1])
    last: list[tuple[str, int]] = []
    tokens = False

    def look(name: str, output: Any) -> None:
        nonlocal tokens
        if isinstance(output, torch.Tensor):
            if output.ndim == _MAPS and min(output.shape[2:]) > 1:
                last[:] = [(name, output.shape[2] * output.shape[3])]
                tokens = False
            elif last and output.ndim == _MAPS - 1 and output.shape[1] >= last[0][1]:
                tokens = True

    handles = [
        layer.register_forward_hook(lambda _layer, _given, output, name=name: look(name, output))
        for name, layer in module.named_modules()
        if name
    ]
    try:
        with torch.no_grad():
            module(images[:1])
    finally:
        for handle in handles:
            handle.remove()
    if not last:
        raise UsageError("no layer of the model gives feature maps N×D×h×w of more than one row and column")
    if tokens:
        raise UsageError("the model goes on with tokens, as transformers do; name a layer of feature maps with layer=")
    return last[0][0]


def check_layers(module: nn.Module, names: Sequence[str]) -> None:
    """Check that the module has layers of these names.

    Raises:
        UsageError: it has not.
    """
    known = [name for name, _ in module.named_modules() if name]
    for name in names:
        if name not in known:
            raise UsageError(f"the model has no layer {name!r}; it has {', '.join(known[:20])}")
