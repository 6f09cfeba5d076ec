"""Class attention: how much the class token reads of each patch in the last layer (Caron et al. 2021, section 4).

    score_t = Σ_i r_i mean_h A_Lh[i, t]

A_L is the attention of the last layer, heads×T×T; r are the tokens from which the logits are read: the class token, or, in a
model that averages its tokens, each of these alike. The map is the same for every class, and it has no signs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.attribution.method import Explainer, Method
from verbalize.attribution.methods.transformers.tokens import attention_of_images, attention_of_text, on_pixels

if TYPE_CHECKING:
    import torch

    from verbalize.attribution.image_question import ImageQuestion
    from verbalize.attribution.text_question import TextQuestion


def _pixels(question: ImageQuestion) -> torch.Tensor:
    attention = attention_of_images(question)
    return on_pixels(attention.read(attention.layers[-1].mean(dim=1)), attention, question)


def _tokens(question: TextQuestion) -> torch.Tensor:
    attention = attention_of_text(question)
    return attention.read(attention.layers[-1].mean(dim=1))


CLASS_ATTENTION = Method(
    "the attention of the class token in the last layer (Caron et al. 2021)",
    tokens=Explainer(_tokens, signed=False, needs="attention", questions=(), passes=2, backwards=1),
    pixels=Explainer(_pixels, signed=False, needs="attention", questions=(), batched=True, passes=2, backwards=1),
)
