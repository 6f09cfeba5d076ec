"""Where a convolutional network looks: class activation maps (torchcam)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional
from torchcam.methods import GradCAM, GradCAMpp, LayerCAM, XGradCAM

from saywhy_core.errors import UsageError
from verbalize.attribution._images import ask
from verbalize.attribution._target import method_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike
    from torch import nn

    from verbalize.saliency import PixelSaliency, Query

METHODS: dict[str, Any] = {
    "grad_cam": GradCAM,  # Selvaraju et al. 2017
    "grad_cam_pp": GradCAMpp,  # Chattopadhay et al. 2018
    "xgrad_cam": XGradCAM,  # Fu et al. 2020
    "layer_cam": LayerCAM,  # Jiang et al. 2021
}


def attribute_cam(
    model: nn.Module,
    image: ArrayLike,
    query: Query | None = None,
    *,
    layer: str,
    class_names: Sequence[str],
    method: str = "layer_cam",
    true_label: str | None = None,
    id: str | None = None,  # noqa: A002 - the record's own word for it
) -> PixelSaliency:
    """Where the features of `layer` speak for the query's label: an unsigned H×W map, bilinearly enlarged.

    Values below zero are cut off, as the methods say, so the map can't speak against a label. It isn't stretched to [0, 1]:
    that would move its zero.

    Args:
        model: a module in evaluation mode, N×C×H×W in [0, 1] -> N×K logits.
        image: H×W×C, uint8 or float in [0, 1], RGB or grey.
        query: the question, contrastive too; without one, why the predicted label.
        layer: name of the layer, as in `model.named_modules()`; its output is N×D×h×w.
        class_names: one name a logit.
        method: one of `METHODS`.
        true_label: kept in the prediction.
        id: the map's name.

    Raises:
        UsageError: not an image, a model in training mode, an unknown method, label or layer.
    """
    extractor = method_named(METHODS, method)
    names = [name for name, _ in model.named_modules() if name]
    if layer not in names:
        raise UsageError(f"the model has no layer {layer!r}; it has {', '.join(names[:20])}")
    question = ask(model, image, query, class_names, true_label)
    # the gradient must reach the layer even where the weights are frozen
    batch = question.batch.clone().requires_grad_()
    with torch.enable_grad(), extractor(model, layer) as cam:
        score = question.score(batch)[:, None]
        coarse = cam(0, score, normalized=False)[0]
    if coarse.ndim != 3:
        raise UsageError(f"layer {layer!r} gives no picture (N×D×h×w); choose a convolutional one")
    fine = functional.interpolate(coarse[:, None], size=question.batch.shape[2:], mode="bilinear", align_corners=False)
    return question.map(fine[0, 0].clamp(min=0), signed=False, method=method, id=id)
