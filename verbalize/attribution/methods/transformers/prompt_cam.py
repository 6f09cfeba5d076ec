"""Prompt-CAM: where the prompt of a class looks, in a frozen vision transformer (Chowdhury et al. 2025, section 3).

Each class c has a prompt p_c, a learned token. The prompts enter the last layer beside the tokens of the image (the paper's
"Prompt-CAM deep"), and what the layer makes of them is scored by one vector w that all classes share:

    logit_c = w · z_c        map_c = mean_h A_Lh[p_c, patches]

z_c is the output of the last layer at the place of p_c, and A_L the layer's attention. Since w is the same for all classes, a
prompt can win only by what it reads of the image, so that its attention is the map of its class. A group's map is the mean of
the maps of its members, weighted by the softmax of their logits.

The attention of each prompt sums to 1 over all tokens, so a difference of two maps would not say what speaks for one class and
not another: contrastive questions are refused. The map has no signs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from saywhy_core.errors import UsageError
from verbalize.attribution.method import Explainer, Method
from verbalize.attribution.methods.transformers.prompts import PromptedImages
from verbalize.attribution.methods.transformers.recording import recording
from verbalize.attribution.methods.transformers.tokens import grid_of, spread

if TYPE_CHECKING:
    from verbalize.attribution.image_question import ImageQuestion


def _pixels(question: ImageQuestion) -> torch.Tensor:
    prompted = question.module
    if not isinstance(prompted, PromptedImages):
        raise UsageError(
            "prompt_cam needs class prompts; train them with train_prompts(model, images, labels) and give its result"
        )
    answers: list[torch.Tensor] = []

    def cut(_model: object, _given: object, output: torch.Tensor) -> torch.Tensor:
        answers.append(output.detach().requires_grad_())
        return answers[-1]

    handle = prompted.register_forward_hook(cut)
    try:
        with torch.enable_grad(), recording(prompted) as found:
            score = question.score(question.batch, question.rows)
    finally:
        handle.remove()
    # the derivative of the score by the logits is 1 for a label, and the softmax over its members for a group
    (weights,) = torch.autograd.grad(score.sum(), answers[-1])
    classes = weights.shape[1]
    attention = found.attentions[-1].detach().float().mean(dim=1)  # N×(T+K)×(T+K)
    tokens = attention.shape[2] - classes
    grid, prefix = grid_of(found, tokens, question)
    read = torch.einsum("nk,nkt->nt", weights.float(), attention[:, tokens:, prefix:tokens])
    return spread(read, grid, question)


PROMPT_CAM = Method(
    "the attention of trained class prompts (Chowdhury et al. 2025)",
    pixels=Explainer(
        _pixels, signed=False, needs="attention", questions=("pointwise", "group"), batched=True, passes=1, backwards=0
    ),
)
