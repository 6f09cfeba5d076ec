"""Class activation maps (torchcam): where the features of a convolutional layer speak for a class.

All are weighted sums of the D feature maps A of the layer, L = ReLU(sum over d of w_d A_d); they differ in the weights. With g
the gradient of the score with respect to A:

- Grad-CAM (Selvaraju et al. 2017): w_d is the mean of g over the places.
- Grad-CAM++ (Chattopadhay et al. 2018): w_d is the sum of alpha ReLU(g), alpha = g² / (2 g² + g³ sum(A_d)).
- Smooth Grad-CAM++ (Omeiza et al. 2019): Grad-CAM++ with g² and g³ averaged over `samples` noisy copies of the image, of
  standard deviation `noise`. In torchcam ReLU(g) is that of the last copy, and A that of the image without noise.
- XGrad-CAM (Fu et al. 2020): w_d is the mean of g weighted by A_d.
- Layer-CAM (Jiang et al. 2021): the weight is ReLU(g), at each place its own.
- Score-CAM (Wang et al. 2020): w_d is the softmax over d of the gain of the score when the image is multiplied by A_d,
  scaled to [0, 1]. It takes no gradient, and runs the network once per feature map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchcam.methods import GradCAM, GradCAMpp, LayerCAM, ScoreCAM, SmoothGradCAMpp, XGradCAM

from saywhy_core.errors import UsageError
from verbalize.attribution.method import Explainer, Method

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

_SAMPLES = 8  # twice torchcam's; the map of a few noisy copies is itself noisy
_NOISE = 0.1  # of the range of the pixels; 0.1 to 0.2 are usual since SmoothGrad (Smilkov et al. 2017)


def _smooth(module: nn.Module, layer: str, *, samples: int = _SAMPLES, noise: float = _NOISE) -> Any:
    if noise <= 0:
        raise UsageError(f"noise must be above 0, not {noise}: without it the copies are all alike; use grad_cam_pp")
    return SmoothGradCAMpp(module, layer, num_samples=samples, std=noise)


def _copies(settings: Mapping[str, Any], _size: tuple[int, ...]) -> int:
    return int(settings.get("samples", _SAMPLES))


GRAD_CAM = Method("Grad-CAM (Selvaraju et al. 2017)", layer=Explainer(GradCAM, signed=False, batched=True, passes=1))
GRAD_CAM_PP = Method(
    "Grad-CAM++ (Chattopadhay et al. 2018)",
    layer=Explainer(GradCAMpp, signed=False, batched=True, passes=1),
)
SMOOTH_GRAD_CAM_PP = Method(
    "Smooth Grad-CAM++ (Omeiza et al. 2019)",
    layer=Explainer(_smooth, uses=("samples", "noise", "seed"), signed=False, passes=_copies),
)
XGRAD_CAM = Method("XGrad-CAM (Fu et al. 2020)", layer=Explainer(XGradCAM, signed=False, batched=True, passes=1))
LAYER_CAM = Method("Layer-CAM (Jiang et al. 2021)", layer=Explainer(LayerCAM, signed=False, batched=True, passes=1))
SCORE_CAM = Method(
    "Score-CAM (Wang et al. 2020)",
    layer=Explainer(ScoreCAM, signed=False, needs="layers", passes=2, backwards=0, per_channel=1),
)
