"""The feature maps of layers and their gradients, brought out by hooks that are always removed again."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from saywhy_core.errors import UsageError
from verbalize.attribution.layers import check_layers, default_layer
from verbalize.models.image_preparation import shown_part
from verbalize.models.patches import watched

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verbalize.attribution.image_question import ImageQuestion


@contextmanager
def feature_maps(module: nn.Module, names: Sequence[str]) -> Iterator[dict[str, torch.Tensor]]:
    """What layers give, by their names, for every forward pass inside the block.

    The tokens of the patches of a vision transformer are maps, too: each channel is laid out as the patches lie in the image.
    Class tokens and other tokens before the patches are left out of the maps and go on unchanged.

    The maps N×D×h×w are leaves or parts of a graph, so that gradients can be taken of them even where all weights are frozen;
    the part of the network before the first of the layers leaves no graph behind. The rest of the network goes on with copies,
    so that a following layer that works in place does not change them. Of a layer
    that is called several times, the last maps count.

    Raises:
        UsageError: there is no layer of that name, or it gives neither feature maps nor tokens of patches.
    """
    full = check_layers(module, names)
    found: dict[str, torch.Tensor] = {}
    layers = dict(module.named_modules())
    with watched(module) as passed, ExitStack() as stack:

        def keep(name: str, output: Any) -> Any:
            placed = passed.place(output, name)
            alone = not (found.keys() - {name}) or not placed.whole.requires_grad
            whole = placed.whole.detach() if alone else placed.whole
            maps = placed.read(whole)
            found[name] = maps = maps.requires_grad_(torch.is_grad_enabled()) if alone else maps
            return placed.with_maps(maps.clone(), whole)

        for name, path in zip(names, full, strict=True):
            handle = layers[path].register_forward_hook(lambda _layer, _given, output, name=name: keep(name, output))
            stack.callback(handle.remove)
        yield found


def layers_of(question: ImageQuestion) -> tuple[str, ...]:
    """The layer that the user named, or the default one.

    Raises:
        UsageError: there is no such layer.
    """
    module = module_of(question)
    names = (question.layer,) if question.layer is not None else (default_layer(module, question.batch),)
    return check_layers(module, names)


def module_of(question: ImageQuestion) -> nn.Module:
    """The network of a question whose method needs one.

    Raises:
        UsageError: only the scores of the model are known.
    """
    if question.module is None:
        raise UsageError("this method needs the layers of the model, and only the scores of this one are known")
    return question.module


def features_and_gradients(
    question: ImageQuestion, names: Sequence[str], rows: torch.Tensor
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The maps of layers for some images of a question, and the gradients of their scores: pairs of R×D×h×w, one per layer.

    One forward and one backward pass, which goes back to the first of the layers and not on to the pixels. The gradients of the
    weights are not touched. Both are float32 at least, whatever the precision of the network.

    Args:
        question: the images and their queries.
        names: the layers.
        rows: (R,) the numbers of the images.

    Raises:
        UsageError: a layer is not there, gives no feature maps, or has no part in the score.
    """
    with torch.enable_grad(), feature_maps(module_of(question), names) as found:
        score = question.score(question.batch[rows], rows)
        unused = next((name for name in names if name not in found), None)
        gradients = None if unused else torch.autograd.grad(score.sum(), [found[name] for name in names], allow_unused=True)
    for name, gradient in zip(names, gradients or [None] * len(names), strict=True):
        if gradient is None:
            raise UsageError(f"the score does not depend on layer {unused or name!r}; choose another one")
    return [(_precise(found[name]), _precise(gradient)) for name, gradient in zip(names, gradients or (), strict=True)]


def features(question: ImageQuestion, names: Sequence[str], rows: torch.Tensor) -> list[torch.Tensor]:
    """The maps of layers for some images of a question: R×D×h×w per layer, from one forward pass without gradients.

    Raises:
        UsageError: a layer is not there, gives no feature maps, or is not called by the model.
    """
    with torch.no_grad(), feature_maps(module_of(question), names) as found:
        question.score(question.batch[rows], rows)
    for name in names:
        if name not in found:
            raise UsageError(f"the model does not call layer {name!r}; choose another one")
    return [_precise(found[name]) for name in names]


def enlarge(coarse: torch.Tensor, question: ImageQuestion) -> torch.Tensor:
    """Maps R×h×w at the size of the images, by bilinear interpolation: R×1×H×W.

    They lie over the part of the image that the network sees. What its preparation crops away has the value zero.
    """
    channels, height, width = question.batch.shape[1:]
    top, bottom, left, right = (0, height, 0, width)
    if question.module is not None:
        top, bottom, left, right = shown_part(question.module, height, width, channels)
    maps = coarse.new_zeros(len(coarse), 1, height, width)
    maps[:, :, top:bottom, left:right] = functional.interpolate(
        coarse[:, None], size=(bottom - top, right - left), mode="bilinear", align_corners=False
    )
    return maps


def _precise(maps: torch.Tensor) -> torch.Tensor:
    return maps.detach().to(torch.promote_types(maps.dtype, torch.float32))
