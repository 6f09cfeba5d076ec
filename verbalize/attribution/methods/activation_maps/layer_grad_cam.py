"""Grad-CAM with its signs (Selvaraju et al. 2017, without the ReLU; as captum's LayerGradCam).

The sum over the feature maps A_d of the layer, each weighted by the mean gradient of the score over its places. Without the
ReLU the sum keeps its signs, so that the map can also speak against the label, and a contrastive map is the difference of two
pointwise ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from verbalize.attribution.features import enlarge, features_and_gradients, layers_of
from verbalize.attribution.method import Explainer, Method

if TYPE_CHECKING:
    from verbalize.attribution.image_question import ImageQuestion


def _pixels(question: ImageQuestion) -> torch.Tensor:
    """The map of the layer, enlarged: N×1×H×W."""
    names = layers_of(question)
    parts = []
    for rows in question.rows.split(question.batch_size):
        ((maps, gradients),) = features_and_gradients(question, names, rows)
        parts.append((gradients.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1))
    return enlarge(torch.cat(parts), question)


LAYER_GRAD_CAM = Method(
    "Grad-CAM with its signs (Selvaraju et al. 2017)",
    pixels=Explainer(_pixels, uses=("layer",), signed=True, needs="layers", batched=True, passes=1),
)
