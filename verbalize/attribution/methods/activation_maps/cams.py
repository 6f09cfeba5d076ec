"""Class activation maps (torchcam): where the features of a convolutional layer speak for a class."""

from __future__ import annotations

from torchcam.methods import GradCAM, GradCAMpp, LayerCAM, XGradCAM

from verbalize.attribution.method import Explainer, Method

GRAD_CAM = Method("Grad-CAM (Selvaraju et al. 2017)", layer=Explainer(GradCAM, signed=False))
GRAD_CAM_PP = Method("Grad-CAM++ (Chattopadhay et al. 2018)", layer=Explainer(GradCAMpp, signed=False))
XGRAD_CAM = Method("XGrad-CAM (Fu et al. 2020)", layer=Explainer(XGradCAM, signed=False))
LAYER_CAM = Method("Layer-CAM (Jiang et al. 2021)", layer=Explainer(LayerCAM, signed=False))
