"""What explaining inputs will cost, before it begins: inputs that go through the model, forwards and backwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from saywhy_core.errors import UsageError
from verbalize.attribution.features import feature_maps
from verbalize.attribution.layers import default_layer
from verbalize.models.image_models import ImageModel, answer_to
from verbalize.spacing import word_places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verbalize.attribution.method import Count, Explainer
    from verbalize.attribution.records.inputs import InputRecord
    from verbalize.models.opening import Model


@dataclass(frozen=True)
class Cost:
    """About how many inputs are run through a model.

    Args:
        forwards: how many go through it.
        backwards: how many of them go backwards, too.
        least: whether it may be more, because the method does not say how often it runs the model.
    """

    forwards: int
    backwards: int
    least: bool = False

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.forwards + other.forwards, self.backwards + other.backwards, self.least or other.least)

    def times(self, count: int) -> Cost:
        """The cost of so many inputs that cost the same."""
        return replace(self, forwards=count * self.forwards, backwards=count * self.backwards)


def cost_of(explainer: Explainer[Any], settings: Mapping[str, Any], record: InputRecord, channels: int = 0) -> Cost:
    """What it costs to explain one input, without the prediction.

    A method that declares nothing costs one pass at least.

    Args:
        explainer: the explainer that will be used.
        settings: the settings that are given.
        record: the input.
        channels: of the layer that the method looks at (`channels_of`).
    """
    content = record.content
    size = (len(word_places(content)),) if isinstance(content, str) else tuple(np.shape(content)[:2])
    own = 1 if explainer.passes is None else _count(explainer.passes, settings, size)
    forwards = own + channels * explainer.per_channel
    if explainer.backwards is not None:
        backwards = _count(explainer.backwards, settings, size)
    else:
        backwards = 0 if explainer.needs == "scores" else forwards
    return Cost(forwards, backwards, least=explainer.passes is None)


def channels_of(explainer: Explainer[Any], model: Model, settings: Mapping[str, Any], record: InputRecord) -> int:
    """How many channels the layer has that the method looks at, where its cost depends on them, else 0.

    The model is run on the input. Where it can't be, 0: the input will be told of when its turn comes.
    """
    if not explainer.per_channel or not isinstance(model, ImageModel) or isinstance(record.content, str):
        return 0
    batch = torch.from_numpy(np.array(record.content)).permute(2, 0, 1)[None].to(model.device)
    try:
        layer = settings.get("layer") or default_layer(model.module, batch)
        with torch.no_grad(), feature_maps(model.module, [layer]) as found:
            answer_to(model.module, batch)
        return int(found[layer].shape[1]) if layer in found else 0
    except (UsageError, RuntimeError, ValueError):
        return 0


def _count(count: Count, settings: Mapping[str, Any], size: tuple[int, ...]) -> int:
    return count(settings, size) if callable(count) else count
