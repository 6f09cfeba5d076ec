"""Image classifiers of transformers, with the preparation of their images inside, so that gradients reach the pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from saywhy_core.errors import UsageError
from verbalize.models.image_models import ImageModel, logits_of, precision_of
from verbalize.models.image_preparation import preparation, prepares_itself, steps_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class PreparedImages(nn.Module):  # type: ignore[misc]  # torch's types are not followed
    """An image classifier of transformers as a module that takes images as they are: N×C×H×W in [0, 1] -> N×K logits.

    Args:
        model: a model whose forward takes `pixel_values`.
        settings: what is done to the images first, as in `processor.to_dict()`: "do_resize" with "size" and "resample",
            "do_center_crop" with "crop_size", and "do_normalize" with "image_mean" and "image_std".
        interpolate: whether a vision transformer is told to interpolate the positions of its patches, so that it takes images
            of another size than those that it was trained on.
    """

    prepares_itself = True

    def __init__(self, model: nn.Module, settings: Mapping[str, Any], *, interpolate: bool = False) -> None:
        super().__init__()
        self.model, self.interpolate = model, interpolate
        self.preparation_steps: Callable[[torch.Tensor], torch.Tensor] = preparation(settings)
        self.training = model.training

    @property
    def config(self) -> Any:
        """The configuration of the model of transformers."""
        return self.model.config

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """N×K logits, in float32 where the model computes with less."""
        wanted = precision_of(self.model) or images.dtype
        named = {"interpolate_pos_encoding": True} if self.interpolate else {}
        found = logits_of(self.model(pixel_values=self.preparation_steps(images).to(wanted), **named))
        return found.to(torch.promote_types(found.dtype, torch.float32))


def from_transformers(
    model: Any, processor: Any = None, class_names: Sequence[str] = (), *, interpolate: bool = False
) -> ImageModel:
    """An image classifier of transformers, such as `ViTForImageClassification` or `ResNetForImageClassification`.

    Args:
        model: the model; it is put into evaluation mode.
        processor: its image processor, whose steps (resize, crop, normalise) are done in torch. Without one the images of a
            vision transformer are resized to the size in its configuration, and none are normalised.
        class_names: one name per logit; by default the `id2label` of the model.
        interpolate: neither resize nor crop the images of a vision transformer: it interpolates the positions of its patches.

    Raises:
        UsageError: it is no image classifier of transformers, it can't interpolate, or the processor does more than these
            steps.
    """
    if not is_transformers_images(model):
        raise UsageError(f"{type(model).__name__} is no image classifier of transformers, which takes pixel_values")
    settings: dict[str, Any] = {}
    if processor is not None:
        steps_of(processor, type(model).__name__)
        settings = dict(processor.to_dict())
    elif getattr(model.config, "patch_size", None) is not None and getattr(model.config, "image_size", None) is not None:
        size = model.config.image_size
        high, wide = (size, size) if isinstance(size, int) else size
        settings = {"do_resize": True, "size": {"height": high, "width": wide}}
    if interpolate:
        if not any(hasattr(one, "interpolate_pos_encoding") for one in model.modules()):
            raise UsageError(f"{type(model).__name__} has no positions that it can interpolate; leave out interpolate")
        settings |= {"do_resize": False, "do_center_crop": False, "crop_pct": None}
    return ImageModel(PreparedImages(model.eval(), settings, interpolate=interpolate), tuple(class_names))


def is_transformers_images(model: Any) -> bool:
    """Whether this is a model of transformers that takes prepared images."""
    return (
        isinstance(model, nn.Module)
        and hasattr(model, "config")
        and getattr(model, "main_input_name", "") == "pixel_values"
        and not prepares_itself(model)
    )
