"""Shapley values of words, or of squares of pixels, from random permutations (Castro et al. 2009)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from captum.attr import ShapleyValueSampling

from verbalize.attribution.method import PATCH, STEPS, Explainer, Method
from verbalize.attribution.methods.perturbations.surrogate import squares_of
from verbalize.attribution.target import seeded
from verbalize.attribution.text_question import shared_by_pieces

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from verbalize.attribution.image_question import ImageQuestion
    from verbalize.attribution.text_question import TextQuestion


def _tokens(question: TextQuestion) -> torch.Tensor:
    """Shapley values of the words from `steps` permutations (Castro et al. 2009). They sum to score minus baseline score."""
    method = ShapleyValueSampling(question.score)
    with seeded(question.seed):
        scores: torch.Tensor = method.attribute(
            question.ids,
            baselines=question.baseline,
            additional_forward_args=(question.mask,),
            feature_mask=question.words,
            n_samples=question.steps,
            perturbations_per_eval=question.batch_size,
        )
    return shared_by_pieces(scores, question.words)


def _pixels(question: ImageQuestion) -> torch.Tensor:
    """Shapley values of squares of side `patch` from `steps` permutations (Castro et al. 2009), divided among their pixels."""
    squares = squares_of(question)
    with seeded(question.seed):
        scores: torch.Tensor = ShapleyValueSampling(question.score).attribute(
            question.batch,
            baselines=question.baseline,
            feature_mask=squares,
            n_samples=question.steps,
            additional_forward_args=(question.rows,),
            perturbations_per_eval=max(1, question.batch_size // len(question.batch)),
        )
    areas = squares.flatten().bincount()[squares].to(scores)
    return scores / (areas * question.batch.shape[1])


def _passes(settings: Mapping[str, Any], parts: int) -> int:
    return int(settings.get("steps", STEPS)) * parts


def _of_words(settings: Mapping[str, Any], size: tuple[int, ...]) -> int:
    return _passes(settings, size[0] + 1)


def _of_squares(settings: Mapping[str, Any], size: tuple[int, ...]) -> int:
    side = int(settings.get("patch", PATCH))
    return _passes(settings, -(-size[0] // side) * -(-size[1] // side))


SHAPLEY = Method(
    "Shapley values from random permutations (Castro et al. 2009)",
    tokens=Explainer(
        _tokens,
        uses=("baseline", "steps", "seed"),
        needs="scores",
        passes=_of_words,
    ),
    pixels=Explainer(_pixels, uses=("baseline", "steps", "patch", "seed"), needs="scores", batched=True, passes=_of_squares),
)
