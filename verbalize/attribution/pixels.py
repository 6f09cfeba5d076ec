"""Attribution of the pixels of an image."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from saywhy_core.errors import UsageError
from verbalize.attribution.image_question import ask
from verbalize.attribution.method import check_settings, explainer_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike
    from torch import nn

    from verbalize.saliency import PixelSaliency, Query

BASELINES = ("grey", "black", "white", "mean", "blur")  # the first is the default
_STEPS = 32  # enough for sums that are right to about a per cent on the models of the tests
_PATCH = 6  # pixels; an eighth of the side of the small images that the project ships


def attribute_pixels(
    model: nn.Module,
    image: ArrayLike,
    query: Query | None = None,
    *,
    class_names: Sequence[str],
    method: str = "integrated_gradients",
    baseline: str | None = None,
    steps: int | None = None,
    patch: int | None = None,
    stride: int | None = None,
    seed: int | None = None,
    true_label: str | None = None,
    id: str | None = None,  # noqa: A002 - the record's own word for it
) -> PixelSaliency:
    """How much each pixel of `image` speaks for the query's label: a signed H×W map, the sum over the channels.

    Args:
        model: a module in evaluation mode, N×C×H×W in [0, 1] -> N×K logits.
        image: H×W×C, uint8 or float in [0, 1], RGB or grey.
        query: the question; without one, why the model predicts its label.
        class_names: one name per logit.
        method: a name in `METHODS`; `methods_for("pixels")` lists those that explain images.
        baseline: what stands for an absent pixel: "grey" (0.5, the default), "black", "white", the "mean" colour of the image,
            or the "blur" of the image.
        steps: points of the integral of integrated gradients, or permutations of Shapley sampling; 32 by default.
        patch: side, in pixels, of the squares that occlusion covers and that are the players of Shapley sampling; 6 by default.
        stride: pixels from one square of occlusion to the next; half a square by default.
        seed: the seed of Shapley sampling; 0 by default.
        true_label: the true label, which is kept in the prediction.
        id: the id of the map.

    Raises:
        UsageError: not an image, a model in training mode, an unknown method, label or baseline, or a setting that has no
            effect on the method.
    """
    explainer = explainer_for("pixels", method)
    side = _PATCH if patch is None else patch
    apart = max(1, side // 2) if stride is None else stride
    count = _STEPS if steps is None else steps
    if min(count, side, apart) < 1:
        raise UsageError(f"steps, patch and stride must be 1 or more, not {count}, {side} and {apart}")
    if baseline is not None and baseline not in BASELINES:
        raise UsageError(f"the baseline must be one of {', '.join(BASELINES)}, not {baseline!r}")
    given = {"baseline": baseline, "steps": steps, "patch": patch, "stride": stride, "seed": seed}
    check_settings(explainer, method, given)
    asked = ask(model, image, query, class_names, true_label)
    absent = _baseline(asked.batch, baseline or BASELINES[0])
    question = replace(asked, baseline=absent, steps=count, patch=side, stride=apart, seed=seed or 0)
    scores = explainer.explain(question)[0].sum(dim=0)
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
