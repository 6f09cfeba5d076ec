"""The question about an image that a method answers: checking the image, scoring the query, and making the map."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from saywhy_core.errors import UsageError
from saywhy_core.images import read_image
from verbalize.attribution.target import BATCH, check_logits, predict, score_of_query
from verbalize.models.image_models import BlackBoxImages, ImageModel
from verbalize.models.opening import as_model
from verbalize.saliency import PixelSaliency, Prediction, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from torch import nn


@dataclass(frozen=True)
class ImageQuestion:
    """N images of one shape, the function that scores them for their queries, and the settings of the method.

    `image`, `query` and `prediction` are those of the first image. `rows` are the numbers 0 to N - 1: a method that scores
    changed images hands over the row of each (`question.score(changed, rows)`, as one of captum's additional arguments), so
    that each is scored for the query of its image. Without rows there must be one image, or one query for all.
    """

    score: Callable[..., torch.Tensor]  # M×C×H×W, and (M,) rows -> M
    batch: torch.Tensor  # N×C×H×W
    image: NDArray[np.float32]  # H×W×C
    query: Query
    prediction: Prediction
    baseline: torch.Tensor  # N×C×H×W: the values of absent pixels
    steps: int = 1
    patch: int = 1  # pixels
    stride: int = 1  # pixels
    seed: int = 0
    batch_size: int = BATCH  # changed images per call of the model
    module: nn.Module | None = None  # None for a black box
    layer: str | None = None  # the layer that the user named
    class_names: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)  # settings that only this method has
    logits: Callable[[torch.Tensor], torch.Tensor] | None = None  # M×C×H×W -> M×K
    score_logits: Callable[..., torch.Tensor] | None = None  # M×K logits, and (M,) rows -> M

    @property
    def rows(self) -> torch.Tensor:
        """(N,) the numbers of the images."""
        return torch.arange(len(self.batch), device=self.batch.device)

    def map(self, scores: torch.Tensor, *, signed: bool, method: str, id: str | None) -> PixelSaliency:  # noqa: A002
        """Make a map for the query from H×W scores. `id` and `method` are stored in it."""
        values = scores.detach().cpu().double().numpy()
        return PixelSaliency(
            values, self.query, image=self.image, signed=signed, prediction=self.prediction, id=id, method=method
        )


def ask(
    model: Any, image: ArrayLike, query: Query | None, class_names: Sequence[str], true_label: str | None = None
) -> ImageQuestion:
    """Check one image and run the model on it once; see `ask_all`."""
    return ask_all(as_image_model(model, class_names), [image], [query], [true_label])[0]


def ask_all(
    model: ImageModel | BlackBoxImages,
    images: Sequence[ArrayLike],
    queries: Sequence[Query | None],
    true_labels: Sequence[str | None],
) -> list[ImageQuestion]:
    """Check N images of one shape and run the model on them once: one question per image.

    An image is anything that `saywhy_core.images.read_image` reads, such as an array H×W×C (uint8, or float in [0, 1]) or a
    path; where no query is given, the question is why the model predicts its label.

    Raises:
        UsageError: an image can't be read, the model can't take images of this size and channels, or the model has no such
            class.
    """
    pixels = [np.array(read_image(image)) for image in images]  # copies: a map must not change when the caller's array does
    device = model.device if isinstance(model, ImageModel) else torch.device("cpu")
    batch = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous().to(device)
    try:
        with torch.no_grad():
            logits = model.logits(batch)
    except (torch.OutOfMemoryError, UsageError):
        raise
    except (RuntimeError, ValueError) as error:  # transformers checks sizes and channels itself
        height, width, channels = pixels[0].shape
        grey = "; where it takes RGB, give read_image(image, channels=3)" if channels == 1 else ""
        raise UsageError(
            f"the model can't take an image of {height} x {width} pixels with {channels} channel(s){grey}; it says: {error}"
        ) from error
    names = tuple(model.class_names)
    check_logits(logits, names)
    questions = []
    for index, (image, query, true_label) in enumerate(zip(pixels, queries, true_labels, strict=True)):
        prediction = predict(logits[index], names, true_label)
        asked = query or Query(prediction.label)
        score_of_query(logits[index : index + 1], asked, names)  # an unknown label raises before the work starts
        one = batch[index : index + 1]
        score, score_logits = _scorers(model, [asked], names)
        questions.append(
            ImageQuestion(
                score=score, score_logits=score_logits, batch=one, image=image, query=asked, prediction=prediction,
                baseline=torch.zeros_like(one), module=model.module if isinstance(model, ImageModel) else None,
                class_names=names, logits=model.logits,
            )
        )  # fmt: skip
    return questions


def joined(model: ImageModel | BlackBoxImages, questions: Sequence[ImageQuestion]) -> ImageQuestion:
    """Several questions with the same settings as one, for a method that explains many images at once."""
    first = questions[0]
    score, score_logits = _scorers(model, [one.query for one in questions], first.class_names)
    return replace(
        first,
        score=score,
        score_logits=score_logits,
        batch=torch.cat([one.batch for one in questions]),
        baseline=torch.cat([one.baseline for one in questions]),
    )


def as_image_model(model: Any, class_names: Sequence[str] | None) -> ImageModel | BlackBoxImages:
    """A model of images; see `verbalize.models.as_model`.

    Raises:
        UsageError: it is a model of texts, or none.
    """
    opened = as_model(model, class_names)
    if not isinstance(opened, ImageModel | BlackBoxImages):
        raise UsageError("this model reads texts; give it a text")
    return opened


def _scorers(
    model: ImageModel | BlackBoxImages, queries: Sequence[Query], names: tuple[str, ...]
) -> tuple[Callable[..., torch.Tensor], Callable[..., torch.Tensor]]:
    """The functions that score images, and their logits, for the queries of their rows."""
    alike = all(query == queries[0] for query in queries)

    def score_logits(logits: torch.Tensor, rows: torch.Tensor | None = None) -> torch.Tensor:
        if alike:
            return score_of_query(logits, queries[0], names)
        if rows is None:
            raise UsageError("images with several queries are scored together; the method must hand over their rows")
        found = logits.new_zeros(len(logits))
        asked = rows.tolist()
        for query in dict.fromkeys(queries):
            where = torch.tensor([queries[row] == query for row in asked], device=logits.device)
            if bool(where.any()):
                found = found.masked_scatter(where, score_of_query(logits[where], query, names))
        return found

    def score(images: torch.Tensor, rows: torch.Tensor | None = None) -> torch.Tensor:
        return score_logits(model.logits(images), rows)

    return score, score_logits
