"""Attention rollout: how much of each token reaches the tokens that the logits are read from (Abnar and Zuidema 2020).

Each layer passes on half of the attention, averaged over the heads, and half of the token itself, for the residual connection:

    Ã_l = (mean_h A_lh + I) / 2        R = Ã_L · … · Ã_2 · Ã_1        score_t = Σ_i r_i R_it

A is heads×T×T, row i how much token i reads of each token; r are the tokens from which the logits are read, in the paper the
class token alone. The map is the same for every class, and it has no signs.
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


def rolled_out(attention: Attention) -> torch.Tensor:
    """What the readers take of each token over all layers: N×T, each row sums to 1."""
    read = attention.readers
    for layer in reversed(attention.layers):
        # a vector times one matrix after another: the T×T products are not needed
        read = (read + (read[:, None] @ layer.mean(dim=1))[:, 0]) / 2
    return read


def _pixels(question: ImageQuestion) -> torch.Tensor:
    attention = attention_of_images(question)
    return on_pixels(rolled_out(attention), attention, question)


def _tokens(question: TextQuestion) -> torch.Tensor:
    return rolled_out(attention_of_text(question))


ROLLOUT = Method(
    "attention multiplied over the layers (Abnar and Zuidema 2020)",
    tokens=Explainer(_tokens, signed=False, needs="attention", questions=(), passes=2, backwards=1),
    pixels=Explainer(_pixels, signed=False, needs="attention", questions=(), batched=True, passes=2, backwards=1),
)
