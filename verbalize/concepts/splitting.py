"""A model in two halves: the features of a layer, and the logits that the rest of the model makes of them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from saywhy_core.errors import UsageError
from verbalize.models.image_models import ImageModel, layer_named, logits_of
from verbalize.models.opening import as_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

_CLOSE = 1e-3  # of the largest logit: what half precision and another order of sums may change
_LOW = 3e-2  # the same for models in half precision


class _Reached(Exception):  # noqa: N818 - no error: it ends a forward pass at the layer
    """The layer has answered."""


@dataclass(frozen=True, eq=False)
class SplitModel:
    """A model in two halves at a layer: `head(features(images))` are the logits of the model.

    `features` runs the model up to the layer. `head` runs the model on a placeholder, and a hook puts the given features in the
    place of the layer's output, so that models of any structure can be split. Weights and modules are not changed.

    Args:
        model: the model.
        layer: the name of the layer, as in `model.module.named_modules()`.
        shape: C×H×W of the images.
        alone: whether one placeholder serves a whole batch: the rest of the model asks only for the features.
    """

    model: ImageModel
    layer: str
    shape: tuple[int, int, int]
    alone: bool = True
    _module: nn.Module = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_module", _layer(self.model, self.layer))

    @property
    def class_names(self) -> tuple[str, ...]:
        """One name per logit."""
        return self.model.class_names

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """N×C×H×W in [0, 1] -> what the layer gives: N×D×h×w, N×T×D or N×D. The model is run no further."""
        found: list[torch.Tensor] = []

        def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
            found.append(_tensor(output, self.layer))
            raise _Reached

        handle = self._module.register_forward_hook(keep)
        try:
            with suppress(_Reached):
                self.model.module(self.placed(images).clone())  # it may work in place
        finally:
            handle.remove()
        if not found:
            raise UsageError(f"the model never runs its layer {self.layer!r}; choose another one")
        return found[0]

    def head(self, features: torch.Tensor) -> torch.Tensor:
        """Features, as `features` gives them, -> N×K logits, of which gradients can be taken."""
        count = 1 if self.alone else len(features)
        placeholder = self.placed(torch.zeros((count, *self.shape), device=features.device))

        def put(_module: nn.Module, _inputs: Any, output: Any) -> Any:
            given = features.to(_tensor(output, self.layer).dtype).clone()  # a later layer may work in place
            return (given, *output[1:]) if isinstance(output, tuple) else given

        handle = self._module.register_forward_hook(put)
        try:
            return logits_of(self.model.module(placeholder))
        finally:
            handle.remove()

    def placed(self, images: torch.Tensor) -> torch.Tensor:
        """The images where the weights of the model are, in their type."""
        return images.to(self.model.device, _type_of(self.model.module))


def split_model(model: Any, layer: str, images: torch.Tensor, class_names: Sequence[str] | None = None) -> SplitModel:
    """Split a model at a layer, and see on some images whether the two halves make the whole.

    Args:
        model: whatever `verbalize.models.as_model` takes, if it is a torch module of images.
        layer: the name of the layer, as in `model.named_modules()`.
        images: N×C×H×W in [0, 1], one or more. Two of them are run.
        class_names: one name per logit, where the model does not know them.

    Raises:
        UsageError: there is no such layer, the model is a black box, or something goes around the layer, so that its output
            does not determine the logits.
    """
    opened = as_model(model, class_names)
    if not isinstance(opened, ImageModel):
        raise UsageError("concepts need the layers of a torch module that takes images; this model has none that can be seen")
    if images.ndim != 4 or not len(images):
        raise UsageError(f"images must be N×C×H×W with N of 1 or more, not of shape {tuple(images.shape)}")
    some = images[:2] if len(images) > 1 else images.repeat(2, 1, 1, 1)
    shape = (int(images.shape[1]), int(images.shape[2]), int(images.shape[3]))
    with torch.no_grad():
        alone = SplitModel(opened, layer, shape)
        features = alone.features(some)
        whole = opened.logits(alone.placed(some)).double()
        if len(features) == len(some):
            for split in (alone, SplitModel(opened, layer, shape, alone=False)):
                if _agrees(split, features, whole):
                    return split
    raise UsageError(
        f"the output of layer {layer!r} does not determine what the model says: something goes around it, or it runs "
        "more than once; choose another layer, through which everything passes once"
    )


def _agrees(split: SplitModel, features: torch.Tensor, whole: torch.Tensor) -> bool:
    try:
        found = split.head(features).double()
    except RuntimeError:  # the rest of the model counts on the batch of the placeholder
        if split.alone:
            return False
        raise
    if found.shape != whole.shape:
        return False
    close = _LOW if features.dtype in (torch.float16, torch.bfloat16) else _CLOSE
    return bool((found - whole).abs().max() <= close * max(1.0, float(whole.abs().max())))


def _layer(model: ImageModel, name: str) -> nn.Module:
    found: nn.Module = model.module.get_submodule(layer_named(model.module, name))
    return found


def _tensor(output: Any, layer: str) -> torch.Tensor:
    found = output[0] if isinstance(output, tuple) and output else output
    if not isinstance(found, torch.Tensor):
        raise UsageError(f"layer {layer!r} gives {type(output).__name__}, not a tensor; choose one inside it")
    return found


def _type_of(module: nn.Module) -> torch.dtype:
    return next((one.dtype for one in module.parameters() if one.is_floating_point()), torch.float32)
