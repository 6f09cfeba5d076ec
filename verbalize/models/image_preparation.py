"""What is done to images before a network sees them, as steps that gradients go through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from saywhy_core.bounded.preparing import prepare
from saywhy_core.classifiers import TorchClassifier
from saywhy_core.errors import UsageError
from saywhy_core.images import as_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from saywhy_core.classifiers import Classifier, InputLayout

_RESAMPLING = {0: "nearest-exact", 2: "bilinear", 3: "bicubic"}  # Pillow's numbers
_CROPPED_BELOW = 384  # pixels: ConvNeXT's processor crops smaller sizes only
_TRIALS = ((40, 56), (300, 260))  # heights and widths of pictures on which the steps are compared with the processor's own


class PreparedNetwork(nn.Module):  # type: ignore[misc]  # torch's types are not followed
    """A torch module behind an `InputLayout`: N×C×H×W in [0, 1] -> N×K logits.

    Args:
        network: the module.
        layout: what the module wants its images to be.
        probabilities: whether it returns probabilities, whose logarithms are logits.
    """

    def __init__(self, network: nn.Module, layout: InputLayout, *, probabilities: bool) -> None:
        super().__init__()
        self.network, self.layout, self.probabilities = network, layout, probabilities
        self.eval()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """The logits of a batch."""
        layout = self.layout
        layout.check_channels(images.shape[1])
        low, high = layout.value_range
        values = (images.flip(1) if layout.channels == "bgr" else images) * (high - low) + low
        if layout.mean is not None:
            values = values - values.new_tensor(layout.mean).reshape(-1, 1, 1)
        if layout.std is not None:
            values = values / values.new_tensor(layout.std).reshape(-1, 1, 1)
        scores: torch.Tensor = self.network(values.permute(0, 2, 3, 1) if layout.axes == "nhwc" else values)
        return torch.log(scores.clamp(min=1e-12)) if self.probabilities else scores


def differentiable(classifier: Classifier) -> nn.Module | None:
    """The classifier as a module from N×C×H×W in [0, 1] to N×K logits; None where only its answers can be had.

    TorchScript has gradients. A program of `torch.export` has none here: saywhy runs it step by step, without them.
    """
    kinds = ("logits", "probabilities")
    module: nn.Module | None = getattr(classifier, "differentiable", None)
    if module is not None:
        return module if classifier.scores == "logits" else None
    if (
        isinstance(classifier, TorchClassifier)
        and classifier.scores in kinds
        and isinstance(classifier.module, torch.jit.ScriptModule)
    ):
        return PreparedNetwork(classifier.module, classifier.prepare, probabilities=classifier.scores == "probabilities")
    return None


def prepare_inside(model: nn.Module, processor: Any, name: str) -> None:
    """Let an image classifier of transformers take N×C×H×W in [0, 1]: a hook does what its image processor does.

    The hook leaves the module as it is, with the names of its layers. It resizes as Pillow does, without rounding to 8 bits.

    Args:
        model: the classifier.
        processor: its image processor.
        name: where they come from, for errors.

    Raises:
        UsageError: the processor does more than resize, crop and normalise.
    """
    steps = steps_of(processor, name)
    model.register_forward_pre_hook(
        lambda module, arguments, named: _prepared(module, steps, arguments, named), with_kwargs=True
    )
    model.prepares_itself = True
    model.preparation_steps = steps


def prepares_itself(model: nn.Module) -> bool:
    """Whether images are prepared inside the model already, as after `prepare_inside`, and get the precision of its weights."""
    return bool(getattr(model, "prepares_itself", False))


def shown_part(module: nn.Module, height: int, width: int, channels: int = 3) -> tuple[int, int, int, int]:
    """The part of an image that a network sees after its preparation, which may crop.

    Args:
        module: the network, which prepares its images itself or contains one that does; of others it is the whole image.
        height: rows of pixels.
        width: columns of pixels.
        channels: of the image.

    Returns:
        The first row and the row after the last one, then the same for columns.
    """
    steps = next((one.preparation_steps for one in module.modules() if hasattr(one, "preparation_steps")), None)
    if steps is None:
        return 0, height, 0, width
    with torch.enable_grad():
        flat = torch.full((1, channels, height, width), 0.5, requires_grad=True)
        (reach,) = torch.autograd.grad(steps(flat).sum(), flat)
    inside = (reach != 0).any(dim=1)[0]
    rows, columns = inside.any(dim=1).nonzero()[:, 0], inside.any(dim=0).nonzero()[:, 0]
    if not len(rows):
        return 0, height, 0, width
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def steps_of(processor: Any, name: str) -> Callable[[torch.Tensor], torch.Tensor]:
    """What an image processor of transformers does, as a function of images N×C×H×W in [0, 1] that gradients go through.

    Raises:
        UsageError: the processor of the model `name` does more than resize, crop and normalise.
    """
    steps = preparation(processor.to_dict())
    chance = np.random.default_rng(0)
    for height, width in _TRIALS:
        picture = as_picture(np.repeat(np.repeat(chance.random((height // 4, width // 4, 3), np.float32), 4, 0), 4, 1))
        wanted = prepare(processor, [picture], name)
        pixels = torch.from_numpy(np.asarray(picture, np.float32) / 255).permute(2, 0, 1)[None]
        found = steps(pixels)
        spread = 1 / min(_each(processor.to_dict().get("image_std") or 1.0))
        if found.shape != wanted.shape or float((found - wanted).abs().mean()) > spread / 255:
            raise UsageError(
                f"the image processor of {name} does more than resize, crop and normalise, so no gradients go through it; "
                "give gradients=false to ask the model as a black box"
            )
    return steps


def _prepared(
    module: nn.Module, steps: Callable[[torch.Tensor], torch.Tensor], arguments: tuple[Any, ...], named: dict[str, Any]
) -> Any:
    first = next(module.parameters(), torch.empty(0)).dtype  # the images get it last: resizing needs more than half precision
    if "pixel_values" in named:
        return arguments, {**named, "pixel_values": steps(named["pixel_values"]).to(first)}
    return (steps(arguments[0]).to(first), *arguments[1:]), named


def preparation(settings: Mapping[str, Any]) -> Callable[[torch.Tensor], torch.Tensor]:
    """The steps of an image processor from its settings, as in its `to_dict()`, on images N×C×H×W in [0, 1]."""
    size = settings.get("size") or {}
    crop = settings.get("crop_size") if settings.get("do_center_crop") else None
    if settings.get("crop_pct") is not None and size.get("shortest_edge", _CROPPED_BELOW) < _CROPPED_BELOW:
        edge = size["shortest_edge"]
        size, crop = {"shortest_edge": int(edge / settings["crop_pct"])}, {"height": edge, "width": edge}
    elif settings.get("crop_pct") is not None and "shortest_edge" in size:
        size = {"height": size["shortest_edge"], "width": size["shortest_edge"]}
    mean, std = (_each(settings.get(one) or other) for one, other in (("image_mean", 0.0), ("image_std", 1.0)))

    def steps(images: torch.Tensor) -> torch.Tensor:
        values = images
        if settings.get("do_resize"):
            values = _resized(values, _size(size, values.shape[2], values.shape[3]), settings.get("resample", 2))
        if crop is not None:
            values = _cropped(values, crop["height"], crop["width"])
        if settings.get("do_normalize"):
            values = (values - values.new_tensor(mean).reshape(-1, 1, 1)) / values.new_tensor(std).reshape(-1, 1, 1)
        return values

    return steps


def _each(given: Any) -> list[float]:
    return [float(one) for one in (given if isinstance(given, list | tuple) else [given])]


def _size(size: Mapping[str, Any], height: int, width: int) -> tuple[int, int]:
    if size.get("height") and size.get("width"):
        return int(size["height"]), int(size["width"])
    short = size.get("shortest_edge")
    if not short:
        return height, width
    return (int(short), int(short * width / height)) if height <= width else (int(short * height / width), int(short))


def _resized(images: torch.Tensor, size: tuple[int, int], resample: Any) -> torch.Tensor:
    mode = _RESAMPLING.get(int(resample), "bilinear")  # another one is found out by the comparison
    if tuple(images.shape[2:]) == size:
        return images
    smooth = mode != "nearest-exact"
    resized = nn.functional.interpolate(images, size, mode=mode, align_corners=False if smooth else None, antialias=smooth)
    return resized.clamp(0, 1) if mode == "bicubic" else resized  # bicubic steps over edges, which a picture can't hold


def _cropped(images: torch.Tensor, height: int, width: int) -> torch.Tensor:
    have_high, have_wide = images.shape[2:]
    above, left = (max(0, want - have) for want, have in ((height, have_high), (width, have_wide)))
    if above or left:
        images = nn.functional.pad(images, (left // 2, left - left // 2, above // 2, above - above // 2))
    top, start = (images.shape[2] - height) // 2, (images.shape[3] - width) // 2
    return images[:, :, top : top + height, start : start + width]
