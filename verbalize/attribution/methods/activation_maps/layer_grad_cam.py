"""Grad-CAM with its signs (Selvaraju et al. 2017, eq. 2 without the ReLU; captum's LayerGradCam).

The sum over the feature maps A_d of the layer, each weighted by the mean gradient of the score over its places. Without the
ReLU the sum keeps its signs, so that the map can also speak against the label, and a contrastive map is the difference of two
pointwise ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from captum.attr import LayerGradCam

from verbalize.attribution.features import enlarge, feature_maps, layers_of, module_of
from verbalize.attribution.method import Explainer, Method

if TYPE_CHECKING:
    import torch

    from verbalize.attribution.image_question import ImageQuestion


def _pixels(question: ImageQuestion) -> torch.Tensor:
    """The map of the layer, enlarged: N×1×H×W."""
    (name,) = layers_of(question)
    module = module_of(question)
    method = LayerGradCam(question.score, module.get_submodule(name))
    with feature_maps(module, [name]):  # checks that the layer gives maps
        coarse: torch.Tensor = method.attribute(question.batch, additional_forward_args=(question.rows,))
    return enlarge(coarse[:, 0].detach().float(), question)


LAYER_GRAD_CAM = Method(
    "Grad-CAM with its signs (Selvaraju et al. 2017)",
    pixels=Explainer(_pixels, uses=("layer",), signed=True, needs="layers", batched=True),
)
