"""Kernel SHAP (Lundberg and Lee 2017, theorem 2): Shapley values as the coefficients of a weighted linear model.

`samples` sets of present parts are drawn with the probability that the Shapley kernel gives their size, besides the full and
the empty set, which weigh a million times as much, so that the values sum to the score minus that of the baseline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from captum.attr import KernelShap

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

    import torch

    from verbalize.attribution.image_question import ImageQuestion
    from verbalize.attribution.text_question import TextQuestion


def _method(score: Callable[..., torch.Tensor]) -> Any:
    method = KernelShap(score)
    method.interpretable_model = WeightedLinear(penalty=0)
    return method


def _tokens(question: TextQuestion) -> torch.Tensor:
    """The Shapley value of each word."""
    return explain_words(question, _method(question.score))


def _pixels(question: ImageQuestion) -> torch.Tensor:
    """The Shapley value of each square of side `patch`, divided among its pixels."""
    return explain_squares(question, _method(question.score))


KERNEL_SHAP = Method(
    "Shapley values from a weighted linear model (Lundberg and Lee 2017)",
    tokens=Explainer(_tokens, uses=("baseline", "samples", "seed"), needs="scores", passes=passes_for_words),
    pixels=Explainer(_pixels, uses=("baseline", "patch", "samples", "seed"), needs="scores", passes=passes_for_squares),
)
