"""The tokens of a vision transformer as feature maps: which tokens stand for patches of the image, and where those lie."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST_PREFIX = 16  # class, distillation and register tokens that are looked for where no convolution tells the patches
_MAPS, _TOKENS = 4, 3  # axes: images, channels, rows, columns; images, tokens, channels


@dataclass(frozen=True)
class Placed:
    """What a layer gives as feature maps N×D×h×w, and the way back from such maps to what the layer gives.

    Args:
        whole: the tensor that the layer gives, alone or as the first of several.
        read: from such a tensor to its maps.
        back: from such a tensor and other maps to the tensor with these maps; tokens before the patches stay as they are.
        wrap: from such a tensor to all that the layer gives.
    """

    whole: torch.Tensor
    read: Callable[[torch.Tensor], torch.Tensor]
    back: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    wrap: Callable[[torch.Tensor], Any]

    def with_maps(self, maps: torch.Tensor, whole: torch.Tensor | None = None) -> Any:
        """What the layer would give with these maps N×D×h×w."""
        return self.wrap(self.back(self.whole if whole is None else whole, maps))


@dataclass
class Passed:
    """What the last forward pass of a network told about the places of its features."""

    count: int = 0  # images
    size: tuple[int, int] = (0, 0)  # rows and columns of pixels
    cut: tuple[int, int] | None = None  # rows and columns of patches, where a convolution cuts them

    def place(self, output: Any, layer: str) -> Placed:
        """What a layer gives as feature maps.

        Args:
            output: N×D×h×w maps, N×T×D or T×N×D tokens, or a tuple that begins with one of these.
            layer: the name of the layer, for errors.

        Raises:
            UsageError: the output is none of these, or the places of its tokens are unknown.
        """
        first = output[0] if isinstance(output, tuple) and output else output
        rest = output[1:] if isinstance(output, tuple) else None
        if isinstance(first, torch.Tensor):
            if first.ndim == _MAPS and first.shape[0] == self.count:
                return Placed(first, lambda whole: whole, lambda _, maps: maps, _wrapped(rest))
            if first.ndim == _TOKENS and self.count in first.shape[:2]:
                turned = first.shape[0] != self.count
                grid, prefix = patch_grid(first.shape[0 if turned else 1], self.cut, self.size)
                return Placed(first, *_token_maps(grid, prefix, turned=turned), _wrapped(rest))
        raise UsageError(
            f"layer {layer!r} gives no feature maps (N×D×h×w) and no tokens of patches (N×T×D); choose a convolutional layer, "
            "or a block or a normalisation of a transformer"
        )


@contextmanager
def watched(network: nn.Module) -> Iterator[Passed]:
    """Watch the forward passes of a network inside the block: how many images, how large, and cut into which patches."""
    found = Passed()

    def enter(_network: nn.Module, given: Any) -> None:
        images = next((one for one in given if isinstance(one, torch.Tensor) and one.ndim == _MAPS), None)
        if images is not None:
            found.count, found.size = len(images), (int(images.shape[2]), int(images.shape[3]))

    def keep_cut(_layer: nn.Module, _given: Any, output: Any) -> None:
        if isinstance(output, torch.Tensor) and output.ndim == _MAPS:
            found.cut = (int(output.shape[2]), int(output.shape[3]))

    handles = [network.register_forward_pre_hook(enter)]
    cut = patch_projection(network)
    if cut is not None:
        handles.append(cut.register_forward_hook(keep_cut))
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def patch_projection(module: nn.Module) -> nn.Module | None:
    """The convolution that cuts the image into patches: the first one whose windows do not overlap."""
    return next(
        (
            one
            for one in module.modules()
            if isinstance(one, nn.Conv2d) and max(one.stride) > 1 and tuple(one.kernel_size) == tuple(one.stride)
        ),
        None,
    )


def patch_grid(tokens: int, cut: tuple[int, int] | None, size: tuple[int, int]) -> tuple[tuple[int, int], int]:
    """Rows and columns of the patches, and how many of `tokens` stand before them.

    The convolution that cuts the patches tells it. Where there is none, or its patches were merged since, the grid has the
    proportions of the image, and as few tokens as possible stand before it.

    Args:
        tokens: how many tokens there are.
        cut: rows and columns of patches that a convolution cut; None where none did.
        size: height and width of the image in pixels.

    Raises:
        UsageError: there is no such grid.
    """
    if cut is not None and cut[0] * cut[1] <= tokens:
        return cut, tokens - cut[0] * cut[1]
    height, width = cut or size
    for prefix in range(min(tokens, _MOST_PREFIX)):
        rows = round(((tokens - prefix) * height / width) ** 0.5)
        if rows and rows * width % height == 0 and rows * (rows * width // height) == tokens - prefix:
            return (rows, rows * width // height), prefix
    raise UsageError(f"the model has {tokens} tokens, and which patches of the image they stand for is unknown")


def _token_maps(
    grid: tuple[int, int], prefix: int, *, turned: bool
) -> tuple[Callable[[torch.Tensor], torch.Tensor], Callable[[torch.Tensor, torch.Tensor], torch.Tensor]]:
    def read(whole: torch.Tensor) -> torch.Tensor:
        tokens = whole.transpose(0, 1) if turned else whole
        return tokens[:, prefix:].mT.reshape(len(tokens), -1, *grid)

    def back(whole: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
        patches = maps.flatten(2).mT
        if turned:
            return torch.cat([whole[:prefix], patches.transpose(0, 1)], dim=0)
        return torch.cat([whole[:, :prefix], patches], dim=1)

    return read, back


def _wrapped(rest: tuple[Any, ...] | None) -> Callable[[torch.Tensor], Any]:
    return (lambda first: first) if rest is None else (lambda first: (first, *rest))
