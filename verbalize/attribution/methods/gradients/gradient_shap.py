"""Gradient SHAP, or expected gradients (Erion et al. 2021): gradients at random points between a baseline and the input.

The value is the mean over `samples` draws of (x - b) times the gradient at b + a (x - b), where x is the input, with Gaussian
noise of standard deviation `noise`, a is uniform in [0, 1] and b is one of the baselines. Without noise and with one baseline
it estimates integrated gradients. With many baselines, the images of `backgrounds`, it is expected gradients (Erion et al.
2021). The noise is that of captum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from captum.attr import GradientShap

from saywhy_core.errors import UsageError
from saywhy_core.images import read_image
from verbalize.attribution.method import Explainer, Method
from verbalize.attribution.methods.gradients.embedded import embeddings_of, score_embedded
from verbalize.attribution.target import seeded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verbalize.attribution.image_question import ImageQuestion
    from verbalize.attribution.text_question import TextQuestion

_SAMPLES = 32  # as many as the points of integrated gradients


def _tokens(question: TextQuestion) -> torch.Tensor:
    """Gradient SHAP of the embeddings, summed over their dimensions."""
    method = GradientShap(lambda vectors: score_embedded(question, vectors))
    vectors, absent = embeddings_of(question, question.ids), embeddings_of(question, question.baseline)
    return _mean(method, vectors, absent, question.options, question.seed, question.batch_size).sum(dim=-1)


def _pixels(question: ImageQuestion) -> torch.Tensor:
    """Gradient SHAP of the pixels."""
    absent = question.baseline
    if "backgrounds" in question.options:
        absent = _backgrounds(question.options["backgrounds"], question.batch)
    method = GradientShap(question.score)
    return _mean(method, question.batch, absent, question.options, question.seed, question.batch_size)


def _mean(
    method: Any, inputs: torch.Tensor, absent: torch.Tensor, options: Mapping[str, Any], seed: int, batch_size: int
) -> torch.Tensor:
    """The mean over the samples, at most `batch_size` of which are in one call of the model."""
    samples, noise = options.get("samples", _SAMPLES), options.get("noise", 0.0)
    total = torch.zeros_like(inputs)
    with seeded(seed):
        for start in range(0, samples, batch_size):
            count = min(batch_size, samples - start)
            total += count * method.attribute(inputs.detach(), baselines=absent, n_samples=count, stdevs=noise).detach()
    return total / samples


def _backgrounds(images: Any, batch: torch.Tensor) -> torch.Tensor:
    """The images as B×C×H×W, where the image to explain is.

    Raises:
        UsageError: one can't be read, or has another shape than the image to explain.
    """
    read = [np.asarray(read_image(image)) for image in images]
    shape = (*batch.shape[2:], batch.shape[1])
    wrong = next((one.shape for one in read if one.shape != shape), None)
    if wrong is not None or not read:
        found = "none is given" if wrong is None else f"one is {wrong}"
        raise UsageError(f"the backgrounds must be images of the shape {shape}, as the image to explain; {found}")
    return torch.from_numpy(np.stack(read)).permute(0, 3, 1, 2).to(batch)


def _passes(settings: Mapping[str, Any], _size: tuple[int, ...]) -> int:
    return int(settings.get("samples", _SAMPLES))


GRADIENT_SHAP = Method(
    "gradients at random points between a baseline and the input (Erion et al. 2021)",
    tokens=Explainer(_tokens, uses=("baseline", "samples", "noise", "seed"), passes=_passes),
    pixels=Explainer(_pixels, uses=("baseline", "backgrounds", "samples", "noise", "seed"), passes=_passes),
)
