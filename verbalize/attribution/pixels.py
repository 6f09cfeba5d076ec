"""Which pixels decide: integrated gradients, input x gradient, occlusion and Shapley sampling (captum) over an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import torch
from captum.attr import InputXGradient, IntegratedGradients, Occlusion, ShapleyValueSampling

from saywhy_core.errors import UsageError
from verbalize.attribution._images import ImageQuestion, ask
from verbalize.attribution._target import method_named, seeded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike
    from torch import nn

    from verbalize.saliency import PixelSaliency, Query

BASELINES = ("black", "grey", "white", "mean", "blur")
_BATCH = 32


@dataclass(frozen=True)
class _Settings:
    baseline: torch.Tensor  # 1×C×H×W
    steps: int
    patch: int
    stride: int
    seed: int


_Method: TypeAlias = "Callable[[ImageQuestion, _Settings], torch.Tensor]"


def integrated_gradients(question: ImageQuestion, settings: _Settings) -> torch.Tensor:
    """Integrated gradients (Sundararajan et al. 2017, eq. 1); they add up to the score less the baseline's."""
    method = IntegratedGradients(question.score)
    scores: torch.Tensor = method.attribute(
        question.batch, baselines=settings.baseline, n_steps=settings.steps, internal_batch_size=_BATCH
    )
    return scores


def input_x_gradient(question: ImageQuestion, settings: _Settings) -> torch.Tensor:
    """Difference from the baseline times gradient (Shrikumar et al. 2016, whose baseline is black)."""
    method = InputXGradient(lambda change: question.score(change + settings.baseline))
    scores: torch.Tensor = method.attribute((question.batch - settings.baseline).requires_grad_())
    return scores


def occlusion(question: ImageQuestion, settings: _Settings) -> torch.Tensor:
    """The drop of the score when a square of `patch` pixels is covered (Zeiler & Fergus 2014); the mean over its squares."""
    channels, height, width = question.batch.shape[1:]
    side = (min(settings.patch, height), min(settings.patch, width))
    stride = (min(settings.stride, side[0]), min(settings.stride, side[1]))
    scores: torch.Tensor = Occlusion(question.score).attribute(
        question.batch,
        sliding_window_shapes=(channels, *side),
        strides=(channels, *stride),
        baselines=settings.baseline,
        perturbations_per_eval=_BATCH,
    )
    # captum gives each pixel its square's drop in every channel: the channels share it, so that their sum is the drop
    return scores / channels


def shapley(question: ImageQuestion, settings: _Settings) -> torch.Tensor:
    """Shapley values of squares of `patch` pixels from `steps` permutations (Castro et al. 2009), spread over their pixels."""
    channels, height, width = question.batch.shape[1:]
    rows = torch.arange(height) // settings.patch
    columns = torch.arange(width) // settings.patch
    squares = (rows[:, None] * int(columns.max() + 1) + columns[None, :]).expand(1, 1, height, width)
    with seeded(settings.seed):
        scores: torch.Tensor = ShapleyValueSampling(question.score).attribute(
            question.batch,
            baselines=settings.baseline,
            feature_mask=squares.to(question.batch.device),
            n_samples=settings.steps,
            perturbations_per_eval=_BATCH,
        )
    areas = squares.flatten().bincount()[squares].to(scores)
    return scores / (areas * channels)


METHODS: dict[str, _Method] = {
    "integrated_gradients": integrated_gradients,
    "input_x_gradient": input_x_gradient,
    "occlusion": occlusion,
    "shapley": shapley,
}


def attribute_pixels(
    model: nn.Module,
    image: ArrayLike,
    query: Query | None = None,
    *,
    class_names: Sequence[str],
    method: str = "integrated_gradients",
    baseline: str = "grey",
    steps: int = 32,
    patch: int = 6,
    stride: int | None = None,
    seed: int = 0,
    true_label: str | None = None,
    id: str | None = None,  # noqa: A002 - the record's own word for it
) -> PixelSaliency:
    """How much each pixel of `image` speaks for the query's label: a signed H×W map, the sum over the channels.

    Args:
        model: a module in evaluation mode, N×C×H×W in [0, 1] -> N×K logits.
        image: H×W×C, uint8 or float in [0, 1], RGB or grey.
        query: the question; without one, why the predicted label.
        class_names: one name a logit.
        method: one of `METHODS`.
        baseline: what stands for an absent pixel: "black", "grey" (0.5), "white", the image's "mean" colour, or its "blur".
        steps: points of the integral, or permutations of Shapley sampling.
        patch: side in pixels of the squares that occlusion covers and Shapley sampling plays with.
        stride: pixels from one square of occlusion to the next; half a square where it isn't given.
        seed: of Shapley sampling; the other methods draw nothing.
        true_label: kept in the prediction.
        id: the map's name.

    Raises:
        UsageError: not an image, a model in training mode, an unknown method, label or baseline.
    """
    explain = method_named(METHODS, method)
    apart = max(1, patch // 2) if stride is None else stride
    if min(steps, patch, apart) < 1:
        raise UsageError(f"steps, patch and stride must be 1 or more, not {steps}, {patch} and {apart}")
    question = ask(model, image, query, class_names, true_label)
    settings = _Settings(_baseline(question.batch, baseline), steps, patch, apart, seed)
    scores = explain(question, settings)[0].sum(dim=0)
    return question.map(scores, signed=True, method=method, id=id)


def _baseline(batch: torch.Tensor, name: str) -> torch.Tensor:
    match name:
        case "black" | "grey" | "white":
            return torch.full_like(batch, {"black": 0.0, "grey": 0.5, "white": 1.0}[name])
        case "mean":
            return batch.mean(dim=(2, 3), keepdim=True).expand_as(batch)
        case "blur":
            side = max(1, min(batch.shape[2:]) // 4) * 2 + 1
            return torch.nn.functional.avg_pool2d(batch, side, stride=1, padding=side // 2, count_include_pad=False)
    raise UsageError(f"the baseline must be one of {', '.join(BASELINES)}, not {name!r}")
