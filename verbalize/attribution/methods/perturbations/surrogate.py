"""Linear models of what a model says when random parts of its input are absent: common ground of LIME and Kernel SHAP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from captum._utils.models.model import Model

from saywhy_core.errors import UsageError
from verbalize.attribution.method import PATCH
from verbalize.attribution.target import seeded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch.utils.data import DataLoader

    from verbalize.attribution.image_question import ImageQuestion
    from verbalize.attribution.text_question import TextQuestion

_FEWEST = 256  # samples: enough for stable values of a sentence
_PER_PART = 8  # samples per part, so that the linear model is well determined


class WeightedLinear(Model):  # type: ignore[misc]  # captum's types are not followed
    """Weighted least squares with an intercept and a ridge penalty on the other coefficients, in closed form.

    captum's own linear models need scikit-learn, which saywhy does not. Ridge with penalty 0 is scikit-learn's
    `LinearRegression`.
    """

    def __init__(self, penalty: float) -> None:
        self._penalty = penalty
        self._coefficients = torch.zeros(1, 0)

    def fit(self, train_data: DataLoader[Any], **_: object) -> None:
        """Fit to one batch of (kept parts M×P, scores M, weights M)."""
        kept, scores, weights = (one.double() for one in next(iter(train_data)))
        shares, roots = weights / weights.sum(), weights.sqrt()[:, None]
        parts = (kept - shares @ kept) * roots  # centred, so that the intercept is not penalized
        values = (scores - shares @ scores)[:, None] * roots
        if self._penalty:
            square = parts.T @ parts + self._penalty * torch.eye(parts.shape[1], dtype=parts.dtype, device=parts.device)
            found = torch.linalg.solve(square, parts.T @ values)
        else:
            found = torch.linalg.pinv(parts) @ values  # the smallest of the best coefficients, where samples are few
        self._coefficients = found.T.float()

    def representation(self) -> torch.Tensor:
        """1×P coefficients."""
        return self._coefficients

    def __call__(self, kept: torch.Tensor) -> torch.Tensor:
        """The scores without the intercept."""
        return kept @ self._coefficients[0]


def explain_words(question: TextQuestion, method: Any) -> torch.Tensor:
    """The value of each word, shared equally by its pieces: 1×L. `method` is captum's KernelShap or Lime."""
    special = question.words >= question.count  # there are none where the tokenizer adds none
    words = question.words.masked_fill(special, 0)  # special tokens are never replaced, so that they may go with any word
    if question.count == 1:
        with torch.no_grad():
            value = question.score(question.ids, question.mask) - question.score(question.baseline, question.mask)
        return (value.cpu() / (~special).sum()) * (~special).to(value.dtype)
    with seeded(question.seed):
        values: torch.Tensor = method.attribute(
            question.ids,
            baselines=question.baseline,
            additional_forward_args=(question.mask,),
            feature_mask=words.to(question.ids.device),
            n_samples=samples_of(question.options, question.count),
            perturbations_per_eval=question.batch_size,
        )
    return (values.cpu() / question.words[0].bincount()[question.words]).masked_fill(special, 0.0)


def explain_squares(question: ImageQuestion, method: Any) -> torch.Tensor:
    """The value of each square of side `patch`, shared equally by its pixels: 1×1×H×W. `method` is KernelShap or Lime."""
    squares = squares_of(question)
    areas = squares.flatten().bincount()[squares]
    if int(squares.max()) == 0:
        with torch.no_grad():
            value = question.score(question.batch) - question.score(question.baseline)
        return (value[:, None, None, None] / areas).float()
    with seeded(question.seed):
        values: torch.Tensor = method.attribute(
            question.batch,
            baselines=question.baseline,
            feature_mask=squares,
            n_samples=samples_of(question.options, int(squares.max()) + 1),
            perturbations_per_eval=question.batch_size,
        )
    return values[:, :1] / areas


def squares_of(question: ImageQuestion) -> torch.Tensor:
    """1×1×H×W: the number of the square of side `patch` that a pixel is in."""
    height, width = question.batch.shape[2:]
    rows = torch.arange(height, device=question.batch.device) // question.patch
    columns = torch.arange(width, device=question.batch.device) // question.patch
    return (rows[:, None] * (columns.max() + 1) + columns[None, :])[None, None]


def passes_for_words(settings: Mapping[str, Any], size: tuple[int, ...]) -> int:
    """How many samples are drawn for a text of some words."""
    return samples_of(settings, size[0])


def passes_for_squares(settings: Mapping[str, Any], size: tuple[int, ...]) -> int:
    """How many samples are drawn for an image of some rows and columns."""
    side = int(settings.get("patch", PATCH))
    return samples_of(settings, -(-size[0] // side) * -(-size[1] // side))


def samples_of(options: Mapping[str, Any], parts: int) -> int:
    """The `samples` that the user asked for, by default eight per part and 256 at least.

    Raises:
        UsageError: it is below 2.
    """
    found = int(options.get("samples", max(_FEWEST, _PER_PART * parts)))
    if found < 2:
        raise UsageError(f"samples must be 2 or more, not {found}")
    return found
