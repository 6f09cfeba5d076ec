"""Relevance of attention: attention times its gradient, over the layers (Chefer, Gur and Wolf 2021, equations 5 and 6).

    Ā_l = mean_h max(0, ∂score/∂A_lh ⊙ A_lh)        R ← I, then for l = 1 … L: R ← R + Ā_l · R        score_t = Σ_i r_i R_it

A_l is heads×T×T, row i how much token i reads of each token; r are the tokens from which the logits are read, in the paper the
class token alone. The score is that of the query, so the map depends on its label. The maximum cuts off what speaks against the
label: the map has no signs. What the readers keep of themselves (the identity) is left out, so that it is no constant in the
maps of models that average their tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.attribution.method import Explainer, Method
from verbalize.attribution.methods.transformers.tokens import attention_of_images, attention_of_text, on_pixels

if TYPE_CHECKING:
    import torch

    from verbalize.attribution.image_question import ImageQuestion
    from verbalize.attribution.methods.transformers.tokens import Attention
    from verbalize.attribution.text_question import TextQuestion


def relevance(attention: Attention) -> torch.Tensor:
    """The relevance of each token for the readers: N×T, none below zero."""
    read = attention.readers
    for flow, slope in zip(reversed(attention.layers), reversed(attention.gradients), strict=True):
        # r · (I + Ā_L) · … · (I + Ā_1), from the left, so that no T×T product is needed
        read = read + (read[:, None] @ (flow * slope).clamp(min=0).mean(dim=1))[:, 0]
    return (read - attention.readers).clamp(min=0)


def _pixels(question: ImageQuestion) -> torch.Tensor:
    attention = attention_of_images(question, gradients=True)
    return on_pixels(relevance(attention), attention, question)


def _tokens(question: TextQuestion) -> torch.Tensor:
    return relevance(attention_of_text(question, gradients=True))


ATTENTION_GRADIENT = Method(
    "attention times its gradient, over the layers (Chefer et al. 2021)",
    tokens=Explainer(_tokens, signed=False, needs="attention", passes=1),
    pixels=Explainer(_pixels, signed=False, needs="attention", batched=True, passes=1),
)
