"""Saliency (Simonyan et al. 2014): the absolute gradient of the score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from captum.attr import LayerGradientXActivation, Saliency

from verbalize.attribution.method import Explainer, Method

if TYPE_CHECKING:
    import torch

    from verbalize.attribution.image_question import ImageQuestion
    from verbalize.attribution.text_question import TextQuestion


def _tokens(question: TextQuestion) -> torch.Tensor:
    """The Euclidean norm of the gradient with respect to the embedding of a piece."""
    method = LayerGradientXActivation(question.score, question.embedding, multiply_by_inputs=False)
    gradients: torch.Tensor = method.attribute(question.ids, additional_forward_args=(question.mask,))
    return gradients.norm(dim=-1)


def _pixels(question: ImageQuestion) -> torch.Tensor:
    """The largest absolute gradient among the channels of a pixel (Simonyan et al. 2014)."""
    method, batch = Saliency(question.score), question.batch.clone().requires_grad_()
    gradients: torch.Tensor = method.attribute(batch, abs=True, additional_forward_args=(question.rows,))
    return gradients.amax(dim=1, keepdim=True)


SALIENCY = Method(
    "the absolute gradient (Simonyan et al. 2014)",
    tokens=Explainer(_tokens, signed=False, passes=1),
    pixels=Explainer(_pixels, signed=False, batched=True, passes=1),
)
