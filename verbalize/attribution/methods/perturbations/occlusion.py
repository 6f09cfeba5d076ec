"""Occlusion: how far the score drops when a word or a square of pixels is covered (Zeiler and Fergus 2014; Li et al. 2016)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from captum.attr import FeatureAblation, Occlusion

from verbalize.attribution.method import PATCH, Explainer, Method
from verbalize.attribution.text_question import shared_by_pieces

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from verbalize.attribution.image_question import ImageQuestion
    from verbalize.attribution.text_question import TextQuestion


def _tokens(question: TextQuestion) -> torch.Tensor:
    """The drop of the score when all pieces of a word are replaced by the baseline (Li et al. 2016)."""
    method = FeatureAblation(question.score)
    scores: torch.Tensor = method.attribute(
        question.ids,
        baselines=question.baseline,
        additional_forward_args=(question.mask,),
        feature_mask=question.words,
        perturbations_per_eval=question.batch_size,
    )
    return shared_by_pieces(scores, question.words)


def _pixels(question: ImageQuestion) -> torch.Tensor:
    """The mean drop of the score over all squares of side `patch` that cover the pixel (Zeiler and Fergus 2014)."""
    channels, height, width = question.batch.shape[1:]
    side = (min(question.patch, height), min(question.patch, width))
    stride = (min(question.stride, side[0]), min(question.stride, side[1]))
    scores: torch.Tensor = Occlusion(question.score).attribute(
        question.batch,
        sliding_window_shapes=(channels, *side),
        strides=(channels, *stride),
        baselines=question.baseline,
        additional_forward_args=(question.rows,),
        perturbations_per_eval=max(1, question.batch_size // len(question.batch)),
    )
    # captum gives every channel of a pixel the whole drop; divided, the channels sum to it
    return scores / channels


def _passes(settings: Mapping[str, Any], size: tuple[int, ...]) -> int:
    """How many squares there are."""
    count = 1
    for length in size:
        side = min(int(settings.get("patch", PATCH)), length)
        apart = min(int(settings.get("stride", max(1, side // 2))), side)
        count *= 1 + -((side - length) // apart)
    return count


OCCLUSION = Method(
    "the drop of the score when a part is covered (Zeiler and Fergus 2014)",
    tokens=Explainer(_tokens, uses=("baseline",), needs="scores", passes=lambda _settings, size: size[0] + 1),
    pixels=Explainer(_pixels, uses=("baseline", "patch", "stride"), needs="scores", batched=True, passes=_passes),
)
