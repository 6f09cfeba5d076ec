"""Integrated gradients (Sundararajan et al. 2017): the mean gradient on the straight line from a baseline to the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from captum.attr import IntegratedGradients, LayerIntegratedGradients

from verbalize.attribution.method import STEPS, Explainer, Method

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from verbalize.attribution.image_question import ImageQuestion
    from verbalize.attribution.text_question import TextQuestion


def _tokens(question: TextQuestion) -> torch.Tensor:
    """Integrated gradients of the embeddings (Sundararajan et al. 2017). They sum to the score minus the baseline's."""
    method = LayerIntegratedGradients(question.score, question.embedding)
    scores: torch.Tensor = method.attribute(
        question.ids,
        baselines=question.baseline,
        additional_forward_args=(question.mask,),
        n_steps=question.steps,
        internal_batch_size=question.batch_size,
    )
    return scores.sum(dim=-1)


def _pixels(question: ImageQuestion) -> torch.Tensor:
    """Integrated gradients (Sundararajan et al. 2017). They sum to the score minus the baseline's."""
    method = IntegratedGradients(question.score)
    scores: torch.Tensor = method.attribute(
        question.batch,
        baselines=question.baseline,
        additional_forward_args=(question.rows,),
        n_steps=question.steps,
        internal_batch_size=max(question.batch_size, len(question.batch)),
    )
    return scores


def _passes(settings: Mapping[str, Any], _size: tuple[int, ...]) -> int:
    return int(settings.get("steps", STEPS))


INTEGRATED_GRADIENTS = Method(
    "gradients integrated from a baseline to the input (Sundararajan et al. 2017)",
    tokens=Explainer(_tokens, uses=("baseline", "steps"), passes=_passes),
    pixels=Explainer(_pixels, uses=("baseline", "steps"), batched=True, passes=_passes),
)
