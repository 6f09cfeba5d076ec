"""The question about an image that a method answers: checking the image, scoring the query, and making the map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from saywhy_core.errors import UsageError
from saywhy_core.images import read_image
from verbalize.attribution.target import check_logits, predict, score_of_query
from verbalize.saliency import PixelSaliency, Prediction, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray
    from torch import nn


@dataclass(frozen=True)
class ImageQuestion:
    """An image, the function that scores it for the query, the prediction of the model, and the settings of the method."""

    score: Callable[[torch.Tensor], torch.Tensor]  # N×C×H×W -> N
    batch: torch.Tensor  # 1×C×H×W
    image: NDArray[np.float32]  # H×W×C
    query: Query
    prediction: Prediction
    baseline: torch.Tensor  # 1×C×H×W: the values of absent pixels
    steps: int = 1
    patch: int = 1  # pixels
    stride: int = 1  # pixels
    seed: int = 0

    def map(self, scores: torch.Tensor, *, signed: bool, method: str, id: str | None) -> PixelSaliency:  # noqa: A002
        """Make a map for the query from H×W scores. `id` and `method` are stored in it."""
        values = scores.detach().cpu().double().numpy()
        return PixelSaliency(
            values, self.query, image=self.image, signed=signed, prediction=self.prediction, id=id, method=method
        )


def ask(
    model: nn.Module, image: ArrayLike, query: Query | None, class_names: Sequence[str], true_label: str | None = None
) -> ImageQuestion:
    """Check the image and run the model on it once.

    `image` is anything that `saywhy_core.images.read_image` reads, such as an array H×W×C (uint8, or float in [0, 1]) or a
    path; `model` takes N×C×H×W in [0, 1] and returns N×K logits.

    Raises:
        UsageError: the model is in training mode, the image can't be read, the model can't take an image of its size and
            channels, or the model has no such class.
    """
    if model.training:
        raise UsageError("the model is in training mode; call model.eval() before asking it why")
    pixels = np.array(read_image(image))  # a copy: the map must not change when the caller's array does
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    batch = torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous().to(device)
    try:
        with torch.no_grad():
            logits = model(batch)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        height, width, channels = pixels.shape
        grey = "; where it takes RGB, give read_image(image, channels=3)" if channels == 1 else ""
        raise UsageError(
            f"the model can't take an image of {height} x {width} pixels with {channels} channel(s){grey}; torch says: {error}"
        ) from error
    check_logits(logits, class_names)
    prediction = predict(logits[0], class_names, true_label)
    asked = query or Query(prediction.label)
    score_of_query(logits, asked, class_names)  # an unknown label raises before the work starts

    def score(images: torch.Tensor) -> torch.Tensor:
        return score_of_query(model(images), asked, class_names)

    return ImageQuestion(score, batch, pixels, asked, prediction, baseline=torch.zeros_like(batch))
