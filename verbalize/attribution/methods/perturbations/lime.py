"""LIME (Ribeiro et al. 2016): the coefficients of a linear model that is true near the input.

Each part is present in half of the `samples`. A sample with the share s of its parts weighs exp(-d² / w²) with d = 1 - sqrt(s),
the cosine distance to the whole input, and w = 0.25, and the linear model is a ridge regression with penalty 1: both as in the
authors' package `lime`. captum's default is a lasso with a fixed penalty, which sets all coefficients to zero where scores are
small, and whose map of a contrastive query is not the difference of two maps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from captum.attr import Lime

from verbalize.attribution.method import Explainer, Method
from verbalize.attribution.methods.perturbations.surrogate import (
    WeightedLinear,
    explain_squares,
    explain_words,
    passes_for_squares,
    passes_for_words,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from verbalize.attribution.image_question import ImageQuestion
    from verbalize.attribution.text_question import TextQuestion

_WIDTH = 0.25  # of the kernel, as in the package `lime`
_PENALTY = 1.0  # as in the package `lime`


def _near(_whole: object, _changed: object, kept: torch.Tensor, **_: object) -> torch.Tensor:
    """The weight of a sample, from 1×P parts kept."""
    distance = 1 - kept.float().mean(dim=1).sqrt()
    return torch.exp(-(distance**2) / _WIDTH**2)


def _method(score: Callable[..., torch.Tensor]) -> Any:
    return Lime(score, interpretable_model=WeightedLinear(_PENALTY), similarity_func=_near)


def _tokens(question: TextQuestion) -> torch.Tensor:
    """The coefficient of each word."""
    return explain_words(question, _method(question.score))


def _pixels(question: ImageQuestion) -> torch.Tensor:
    """The coefficient of each square of side `patch`, divided among its pixels."""
    return explain_squares(question, _method(question.score))


LIME = Method(
    "a linear model that is true near the input (Ribeiro et al. 2016)",
    tokens=Explainer(_tokens, uses=("baseline", "samples", "seed"), needs="scores", passes=passes_for_words),
    pixels=Explainer(_pixels, uses=("baseline", "patch", "samples", "seed"), needs="scores", passes=passes_for_squares),
)
