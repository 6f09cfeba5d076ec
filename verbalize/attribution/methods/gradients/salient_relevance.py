"""Salient Relevance (Li, Tian, Mueller and Chen 2019, "Beyond saliency"): places where relevance stands out, not pixels.

Layer-wise relevance propagation gives relevance to single pixels. The second step asks for context-aware saliency of that map
as if it were a picture: a place is salient if the relevance around it looks like that around few other places, and if it is
near to a focus of attention. As in the authors' code, the picture is the absolute relevance of each channel, stretched to
[0, 1].

Both steps are those of the method "lrp" and of `context_aware_saliency`, where their formulas stand. The result has no sign:
the map is salient where relevance speaks for the label and where it speaks against it. A contrastive query and a group are
answered by the relevance for their score.

Departures: the authors propagate with the z+ rule through linear layers, here all layers have the rules of "lrp"; and they read
the channels of relevance as colours and convert them to L*a*b, here the channels are compared as they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from saywhy_core.errors import UsageError
from verbalize.attribution.method import Explainer, Method, explainer_for
from verbalize.attribution.methods.gradients.context_aware import NEIGHBOURS, context_aware_saliency

if TYPE_CHECKING:
    from verbalize.attribution.image_question import ImageQuestion


def _pixels(question: ImageQuestion) -> torch.Tensor:
    """The context-aware saliency of the absolute relevance: N×1×H×W in [0, 1]."""
    sizes = {"context_patch": 7, "neighbours": NEIGHBOURS}
    for name, default in sizes.items():
        sizes[name] = value = question.options.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise UsageError(f"{name} must be a whole number of 1 or more, not {value!r}")
    relevance = explainer_for("pixels", "lrp").explain(replace(question, options={})).detach().abs()
    low, high = relevance.amin(dim=(1, 2, 3), keepdim=True), relevance.amax(dim=(1, 2, 3), keepdim=True)
    stretched = (relevance - low) / (high - low).clamp(min=torch.finfo(relevance.dtype).tiny)
    found = [
        context_aware_saliency(one, patch=sizes["context_patch"], neighbours=sizes["neighbours"]) for one in stretched.float()
    ]
    return torch.stack(found)[:, None]


SALIENT_RELEVANCE = Method(
    "Salient Relevance, context-aware saliency of LRP (Li et al. 2019)",
    pixels=Explainer(
        _pixels, uses=("context_patch", "neighbours"), signed=False, needs="layers", batched=True, passes=3, backwards=1
    ),
)
