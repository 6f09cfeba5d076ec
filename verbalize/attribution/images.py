"""Attribution for images: a score for each pixel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from saywhy_core.errors import UsageError
from verbalize.attribution.image_question import as_image_model, ask_all, joined
from verbalize.attribution.method import PATCH, SETTINGS, STEPS, check_needs, check_question, check_settings, explainer_for
from verbalize.attribution.target import BATCH, as_query, check_weights, with_gradients
from verbalize.models.image_models import BlackBoxImages, ImageModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike
    from torch import nn

    from verbalize.saliency import PixelSaliency, Query

BASELINES = ("grey", "black", "white", "mean", "blur")  # the first is the default


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
    id: str | None = None,  # noqa: A002 - records call it so
) -> PixelSaliency:
    """Compute how much each pixel of an image speaks for the query's label: a signed H×W map, summed over the channels.

    Args:
        model: a module in evaluation mode, N×C×H×W in [0, 1] -> N×K logits.
        image: H×W×C, uint8 or float in [0, 1], RGB or grey.
        query: the question; if it is not given, why the model predicts its label.
        class_names: one name per logit.
        method: a name in `METHODS`; `methods_for("pixels")` lists those that explain images.
        baseline: the value of an absent pixel: "grey" (0.5, the default, but black for input x gradient, as in its paper),
            "black", "white", the "mean" colour of the image, or
            the "blur" of the image.
        steps: the number of points of integrated gradients, or of permutations of Shapley sampling; 32 by default.
        patch: the side, in pixels, of the squares that occlusion covers and whose Shapley values are sampled; 6 by default.
        stride: the distance, in pixels, between the squares of occlusion; half of `patch` by default.
        seed: the seed of Shapley sampling; 0 by default.
        true_label: the correct label, which is stored in the prediction.
        id: the id of the map.

    Raises:
        UsageError: the image can't be read, the model is in training mode, the method, a label or the baseline is unknown, or a
            setting has no effect on the method or is below 1.
    """
    settings = {"baseline": baseline, "steps": steps, "patch": patch, "stride": stride, "seed": seed}
    opened = as_image_model(model, class_names)
    return explain_images(opened, [image], [query], method=method, settings=settings, true_labels=[true_label], ids=[id])[0]


@with_gradients
def explain_images(
    model: ImageModel | BlackBoxImages,
    images: Sequence[ArrayLike],
    queries: Sequence[Query | None],
    *,
    method: str,
    settings: Mapping[str, Any],
    true_labels: Sequence[str | None],
    ids: Sequence[str | None],
    batch_size: int = BATCH,
) -> list[PixelSaliency]:
    """Explain N images of one shape. A method that is `batched` explains them all at once, any other one after another.

    Args:
        model: the model.
        images: N images.
        queries: N questions; None asks why the model predicts its label.
        method: a name in `METHODS`.
        settings: the settings of the method by name; None where one is not given.
        true_labels: N correct labels, or None.
        ids: N ids of the maps, or None.
        batch_size: the most changed images in one call of the model.

    Raises:
        UsageError: as for `attribute_pixels`, or the method can't answer a question, or needs more than a black box has.
    """
    explainer = explainer_for("pixels", method)
    given = check_settings(explainer, method, settings)
    side, count = given.get("patch", PATCH), given.get("steps", STEPS)
    apart = given.get("stride", max(1, side // 2))
    background = given.get("baseline", explainer.baseline or BASELINES[0])
    if background not in BASELINES:
        raise UsageError(f"the baseline must be one of {', '.join(BASELINES)}, not {background!r}")
    check_needs(explainer, method, black_box=isinstance(model, BlackBoxImages))
    own = {name: value for name, value in given.items() if name not in (*SETTINGS, "layer")}
    given_queries = [as_query(one) for one in queries]
    for query in given_queries:
        check_question(explainer, method, query)
    questions = []
    for asked in ask_all(model, images, given_queries, true_labels):
        absent = _baseline(asked.batch, background)
        questions.append(
            replace(
                asked, baseline=absent, steps=count, patch=side, stride=apart, seed=given.get("seed", 0),
                batch_size=batch_size, layer=given.get("layer"), options=own,
            )
        )  # fmt: skip
    if isinstance(model, ImageModel) and explainer.needs != "scores":
        check_weights(model.module)
    if explainer.batched:
        found = explainer.explain(joined(model, questions)).sum(dim=1)
    else:
        found = torch.cat([explainer.explain(question).sum(dim=1) for question in questions])
    signed = explainer.signed is not False
    return [
        question.map(scores, signed=signed, method=method, id=name)
        for question, scores, name in zip(questions, found, ids, strict=True)
    ]


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
