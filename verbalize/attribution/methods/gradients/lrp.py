"""Layer-wise relevance propagation (Bach et al. 2015): the score, shared out layer by layer down to the pixels.

A unit k with the output z_k = sum over j of z_jk passes its relevance on in shares: R_j = sum over k of z_jk / z_k R_k. With
`rule` "epsilon", the default, nothing else is done; "gamma" raises the positive weights by a quarter before sharing
(Montavon et al. 2019), and "alpha1_beta0" keeps only the positive ones (Bach et al. 2015, with beta = 0), both in the
convolutions and linear layers. Biases keep their share.

captum starts from one logit. Here the relevance starts at all logits of the query at once, each with its value times the
derivative of the score, so that a contrastive map is the map of the label minus that of the contrast (as Gu et al. 2018
subtract them), and the logits of a group count as much as they do in the logarithm of the sum of exponentials.

Additions, means and other linear steps that are called as functions, and modules that are called twice, are rewritten first
(`traced`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import captum.attr
import torch
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, GammaRule, PropagationRule
from torch import nn

from saywhy_core.errors import UsageError
from verbalize.attribution.features import module_of
from verbalize.attribution.method import Explainer, Method
from verbalize.attribution.methods.gradients.traced import Operation, as_modules
from verbalize.models.image_models import answer_to

if TYPE_CHECKING:
    from torch import fx

    from verbalize.attribution.image_question import ImageQuestion

RULES = {"epsilon": EpsilonRule, "gamma": GammaRule, "alpha1_beta0": Alpha1_Beta0_Rule}
_WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d, nn.Linear)
_LINEAR = (
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d, nn.AdaptiveAvgPool1d),
    *(nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d, nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AdaptiveMaxPool2d, nn.Upsample),
    *(nn.ZeroPad2d, nn.PixelShuffle),
)
_ACTIVATIONS = (nn.ReLU, nn.Dropout, nn.Tanh)  # captum passes relevance through these as it comes


class _Started(nn.Module):  # type: ignore[misc]  # torch's types are not followed
    """The logits times the relevance that they start with. The number is 1, because captum multiplies by it at the end."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
        weighted = (answer_to(self.network, images) * start).sum(dim=1)
        return weighted - weighted.detach() + 1


def _pixels(question: ImageQuestion) -> torch.Tensor:
    """The relevance of the pixels, summed over the channels by the caller."""
    module = module_of(question)
    rule = question.options.get("rule", "epsilon")
    if rule not in RULES:
        raise UsageError(f"the rule must be one of {', '.join(RULES)}, not {rule!r}")
    network = as_modules_for_lrp(module, rule)
    with torch.no_grad():
        logits = answer_to(module, question.batch)
    with torch.enable_grad():
        free = logits.detach().requires_grad_()
        scored = question.score_logits(free, question.rows)  # type: ignore[misc]  # modules always have it
        (slopes,) = torch.autograd.grad(scored.sum(), free)
    start = slopes * logits
    method = captum.attr.LRP(_Started(network).eval())
    found: torch.Tensor = method.attribute(question.batch.clone().requires_grad_(), additional_forward_args=(start,))
    return found.detach()


def as_modules_for_lrp(module: nn.Module, rule: str = "epsilon") -> fx.GraphModule:
    """A copy of a network in which each layer knows the rule by which it shares out relevance.

    Raises:
        UsageError: the network can't be traced, or relevance can't be propagated through one of its layers.
    """
    try:
        network = as_modules(module, share=rule == "epsilon")
    except UsageError as error:
        raise UsageError(f"lrp needs to see all layers of the model, but {error}") from error
    for name, layer in network.named_children():
        made = _rule(layer, rule)
        if made is not None:
            layer.rule = made
        elif not isinstance(layer, _ACTIVATIONS):
            what = f"the call of {layer.name}" if isinstance(layer, Operation) else type(layer).__name__
            raise UsageError(f"lrp can't propagate relevance through the layer {name!r} ({what}); use another method")
    return network


def _rule(layer: nn.Module, rule: str) -> PropagationRule | None:
    if isinstance(layer, _WEIGHTED):
        # beside positive weights only, a negative bias could bring the sum that shares are taken of to zero
        return Alpha1_Beta0_Rule(set_bias_to_zero=True) if rule == "alpha1_beta0" else RULES[rule]()
    linear = layer.shares if isinstance(layer, Operation) else isinstance(layer, _LINEAR)
    return EpsilonRule() if linear else None


LRP = Method(
    "the score shared out layer by layer (Bach et al. 2015)",
    pixels=Explainer(_pixels, uses=("rule",), needs="layers", batched=True, passes=3, backwards=1),
)
