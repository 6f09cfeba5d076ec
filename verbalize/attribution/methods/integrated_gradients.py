"""Integrated gradients (Sundararajan et al. 2017): the gradient along the straight way from a baseline to the input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from captum.attr import IntegratedGradients, LayerIntegratedGradients

from verbalize.attribution.method import Explainer, Method
from verbalize.attribution.target import BATCH

if TYPE_CHECKING:
    import torch

    from verbalize.attribution.image_question import ImageQuestion
    from verbalize.attribution.text_question import TextQuestion


def _tokens(question: TextQuestion) -> torch.Tensor:
    """Integrated gradients over the embeddings (Sundararajan et al. 2017, eq. 1); they add up to score less baseline."""
    method = LayerIntegratedGradients(question.score, question.embedding)
    scores: torch.Tensor = method.attribute(
        question.ids,
        baselines=question.baseline,
        additional_forward_args=(question.mask,),
        n_steps=question.steps,
        internal_batch_size=BATCH,
    )
    return scores.sum(dim=-1)


def _pixels(question: ImageQuestion) -> torch.Tensor:
    """Integrated gradients (Sundararajan et al. 2017, eq. 1); they add up to the score less the baseline's."""
    method = IntegratedGradients(question.score)
    scores: torch.Tensor = method.attribute(
        question.batch, baselines=question.baseline, n_steps=question.steps, internal_batch_size=BATCH
    )
    return scores


INTEGRATED_GRADIENTS = Method(
    "integrated gradients over the way from a baseline (Sundararajan et al. 2017)",
    tokens=Explainer(_tokens, uses=("baseline", "steps")),
    pixels=Explainer(_pixels, uses=("baseline", "steps")),
)
