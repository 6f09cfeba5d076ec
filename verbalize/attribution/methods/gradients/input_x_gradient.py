"""Input times gradient (Shrikumar et al. 2016)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from captum.attr import InputXGradient, LayerGradientXActivation

from verbalize.attribution.method import Explainer, Method

if TYPE_CHECKING:
    import torch

    from verbalize.attribution.image_question import ImageQuestion
    from verbalize.attribution.text_question import TextQuestion


def _tokens(question: TextQuestion) -> torch.Tensor:
    """The embedding times the gradient, summed over the dimensions of the embedding (Shrikumar et al. 2016)."""
    method = LayerGradientXActivation(question.score, question.embedding)
    scores: torch.Tensor = method.attribute(question.ids, additional_forward_args=(question.mask,))
    return scores.sum(dim=-1)


def _pixels(question: ImageQuestion) -> torch.Tensor:
    """The difference from the baseline times the gradient. In Shrikumar et al. 2016 the baseline is black."""
    method = InputXGradient(lambda change, rows: question.score(change + question.baseline, rows))
    changes = (question.batch - question.baseline).requires_grad_()
    scores: torch.Tensor = method.attribute(changes, additional_forward_args=(question.rows,))
    return scores


INPUT_X_GRADIENT = Method(
    "input times gradient (Shrikumar et al. 2016)",
    tokens=Explainer(_tokens, uses=(), passes=1),
    pixels=Explainer(_pixels, uses=("baseline",), baseline="black", batched=True, passes=1),
)
