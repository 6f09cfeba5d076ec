"""Class activation maps: where the features of a layer speak for a label."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from saywhy_core.errors import UsageError
from verbalize.attribution.features import enlarge
from verbalize.attribution.image_question import as_image_model, ask_all, joined
from verbalize.attribution.layers import check_layers, default_layer
from verbalize.attribution.method import check_question, check_settings, explainer_for
from verbalize.attribution.target import BATCH, as_query, check_weights, seeded, with_gradients
from verbalize.models.image_models import BlackBoxImages
from verbalize.models.patches import watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike

    from verbalize.attribution.image_question import ImageQuestion
    from verbalize.attribution.method import Explainer
    from verbalize.models.image_models import ImageModel
    from verbalize.models.patches import Passed
    from verbalize.saliency import PixelSaliency, Query


def attribute_cam(
    model: nn.Module | ImageModel,
    image: ArrayLike,
    query: Query | None = None,
    *,
    layer: str | None = None,
    class_names: Sequence[str],
    method: str = "layer_cam",
    true_label: str | None = None,
    id: str | None = None,  # noqa: A002 - records call it so
) -> PixelSaliency:
    """Compute a class activation map: where the features of `layer` speak for the query's label.

    The map is computed at the size of the features and enlarged bilinearly to H×W. It is unsigned: values below zero are set to
    zero, as in the papers, so it can't speak against a label (a method brought by a plug-in may keep its signs). It is not
    normalized to [0, 1], because that would move its zero.

    Args:
        model: a module in evaluation mode, N×C×H×W in [0, 1] -> N×K logits.
        image: H×W×C, uint8 or float in [0, 1], RGB or grey.
        query: the question, pointwise or contrastive; if it is not given, why the model predicts its label.
        layer: the name of the layer, as in `model.named_modules()`; its output is N×D×h×w, or the tokens N×T×D of a vision
            transformer. By default the last one that gives more than one row and column (`default_layer`).
        class_names: one name per logit.
        method: a name in `METHODS`; `methods_for("layer")` lists the class activation maps.
        true_label: the correct label, which is stored in the prediction.
        id: the id of the map.

    Raises:
        UsageError: the image can't be read, the model is in training mode, the layer gives neither feature maps nor tokens of
            patches, or the method, a label or the layer is unknown.
    """
    found = explain_layer(
        as_image_model(model, class_names), [image], [query],
        method=method, settings={"layer": layer}, true_labels=[true_label], ids=[id],
    )  # fmt: skip
    return found[0]


@with_gradients
def explain_layer(
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
    """Explain N images of one shape by the features of one layer; see `attribute_cam`.

    Args:
        model: the model.
        images: N images, of which N is at most `batch_size`.
        queries: N questions; None asks why the model predicts its label.
        method: a name in `METHODS`.
        settings: "layer", "seed" and the settings of the method by name; None where one is not given.
        true_labels: N correct labels, or None.
        ids: N ids of the maps, or None.
        batch_size: the most images, changed or not, in one call of the model.

    Raises:
        UsageError: as for `attribute_cam`, the method can't answer a question, or a setting has no effect on it.
    """
    explainer = explainer_for("layer", method)
    given = check_settings(replace(explainer, uses=("layer", *explainer.uses)), method, settings)
    if isinstance(model, BlackBoxImages):
        raise UsageError(f"{method} needs the layers of the model, and only the scores of this one are known")
    asked = [as_query(one) for one in queries]
    for query in asked:
        check_question(explainer, method, query)
    questions = ask_all(model, images, asked, true_labels)
    check_weights(model.module)
    layer = given.pop("layer", None)
    layer = default_layer(model.module, questions[0].batch) if layer is None else layer
    (layer,) = check_layers(model.module, [layer])
    together = [joined(model, questions)] if explainer.batched else questions
    maps = torch.cat([_maps(explainer, one, model.module, layer, given, batch_size) for one in together])
    signed = bool(explainer.signed)
    scores = maps if signed else maps.clamp(min=0)
    return [
        question.map(values, signed=signed, method=method, id=name)
        for question, values, name in zip(questions, scores, ids, strict=True)
    ]


class _Scored(nn.Module):  # type: ignore[misc]  # torch's types are not followed
    """The network with the score of the question as its one output, N×1, which is what an extractor takes the gradient of."""

    def __init__(self, question: ImageQuestion, network: nn.Module) -> None:
        super().__init__()
        self.network, self._question = network, question
        self.maps = nn.Identity()  # where the extractor looks: the maps of the layer pass through it

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        rows = self._question.rows
        return self._question.score(images, rows if len(rows) == len(images) else None)[:, None]


def _maps(
    explainer: Explainer[Any], question: ImageQuestion, network: nn.Module, layer: str, given: dict[str, Any], batch_size: int
) -> torch.Tensor:
    """N×H×W: the maps of the features, enlarged."""
    scored, looked_at = _Scored(question, network).eval(), network.get_submodule(layer)

    def pass_on(passed: Passed, output: Any) -> Any:
        placed = passed.place(output, layer)
        # an in-place layer that follows must not change what the extractor has seen
        return placed.with_maps(scored.maps(placed.read(placed.whole)).clone())

    own = {name: value for name, value in given.items() if name != "seed"}
    # the gradient must reach the layer even where the weights are frozen
    batch = question.batch.clone().requires_grad_()
    with (
        torch.enable_grad(),
        seeded(given.get("seed", 0)),
        watched(network) as passed,
        _hooked(looked_at, lambda output: pass_on(passed, output)),
        explainer.explain(scored, "maps", **own) as cam,
    ):
        if hasattr(cam, "bs"):  # torchcam's name for the most masked images in one call of the model
            cam.bs = batch_size
        coarse = cam(0, scored(batch), normalized=False)[0]
    return enlarge(coarse.to(torch.promote_types(coarse.dtype, torch.float32)), question)[:, 0]


@contextmanager
def _hooked(layer: nn.Module, change: Callable[[Any], Any]) -> Iterator[None]:
    """Pass on what the layer gives through a function, inside the block. Hooks run in the order in which they are set."""
    handle = layer.register_forward_hook(lambda _layer, _inputs, output: change(output))
    try:
        yield
    finally:
        handle.remove()
