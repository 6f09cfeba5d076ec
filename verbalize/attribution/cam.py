"""Class activation maps: where the features of a convolutional layer speak for a label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from saywhy_core.errors import UsageError
from verbalize.attribution.image_question import as_image_model, ask
from verbalize.attribution.method import check_question, explainer_for
from verbalize.models.image_models import BlackBoxImages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike
    from torch import nn

    from verbalize.models.image_models import ImageModel
    from verbalize.saliency import PixelSaliency, Query


def attribute_cam(
    model: nn.Module | ImageModel,
    image: ArrayLike,
    query: Query | None = None,
    *,
    layer: str,
    class_names: Sequence[str],
    method: str = "layer_cam",
    true_label: str | None = None,
    id: str | None = None,  # noqa: A002 - records call it so
) -> PixelSaliency:
    """Compute a class activation map: where the features of `layer` speak for the query's label.

    The map is computed at the size of the features and enlarged bilinearly to H×W. It is unsigned: values below zero are set to
    zero, as in the papers, so it can't speak against a label (a method brought by a plug-in may keep its signs). It is not
    normalized to [0, 1], because that would move its zero.

    Args:
        model: a module in evaluation mode, N×C×H×W in [0, 1] -> N×K logits.
        image: H×W×C, uint8 or float in [0, 1], RGB or grey.
        query: the question, pointwise or contrastive; if it is not given, why the model predicts its label.
        layer: the name of the layer, as in `model.named_modules()`; its output is N×D×h×w.
        class_names: one name per logit.
        method: a name in `METHODS`; `methods_for("layer")` lists the class activation maps.
        true_label: the correct label, which is stored in the prediction.
        id: the id of the map.

    Raises:
        UsageError: the image can't be read, the model is in training mode, the layer is not convolutional, or the
            method, a label or the layer is unknown.
    """
    explainer = explainer_for("layer", method)
    opened = as_image_model(model, class_names)
    if isinstance(opened, BlackBoxImages):
        raise UsageError(f"{method} needs the layers of the model, and only the scores of this one are known")
    names = [name for name, _ in opened.module.named_modules() if name]
    if layer not in names:
        raise UsageError(f"the model has no layer {layer!r}; it has {', '.join(names[:20])}")
    question = ask(opened, image, query, class_names, true_label)
    check_question(explainer, method, question.query, question.prediction.label)
    # the gradient must reach the layer even where the weights are frozen
    batch = question.batch.clone().requires_grad_()
    with torch.enable_grad(), explainer.explain(opened.module, layer) as cam:
        score = question.score(batch)[:, None]
        coarse = cam(0, score, normalized=False)[0]
    if coarse.ndim != 3:
        raise UsageError(f"layer {layer!r} gives no feature maps (N×D×h×w); choose a convolutional one")
    fine = functional.interpolate(coarse[:, None], size=question.batch.shape[2:], mode="bilinear", align_corners=False)
    scores = fine[0, 0] if explainer.signed else fine[0, 0].clamp(min=0)
    return question.map(scores, signed=bool(explainer.signed), method=method, id=id)
