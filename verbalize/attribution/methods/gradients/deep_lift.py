"""DeepLift, rescale rule (Shrikumar et al. 2017): differences from a baseline, passed back layer by layer.

The multiplier of a non-linear unit is the difference of its output divided by that of its input (section 3.5.1), and the
values of all parts sum to the score minus the score of the baseline ("summation to delta", eq. 1). captum applies the rule to
modules such as nn.ReLU and nn.MaxPool2d only, and takes the plain gradient everywhere else. So the network is first rewritten
(`traced`), which turns functional ReLUs and repeated modules into such modules. If the values still do not sum to the
difference, the model has non-linear steps without a rule, such as GELU or attention, and it is refused.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import torch
from captum.attr import DeepLift, LayerDeepLift
from captum.attr._core.deep_lift import SUPPORTED_NON_LINEAR
from torch import nn

from saywhy_core.errors import UsageError
from verbalize.attribution.method import Explainer, Method
from verbalize.attribution.methods.gradients.traced import Operation, as_modules
from verbalize.models.image_models import logits_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from verbalize.attribution.image_question import ImageQuestion
    from verbalize.attribution.text_question import TextQuestion

_LOOSE = 0.02
"""Of the change of the score, and half of it of the sum of the absolute values: captum's max pooling misses up to 1 %."""


class _Scored(nn.Module):  # type: ignore[misc]  # torch's types are not followed
    """A score as a module, with the networks that compute it as its children, where captum sets its hooks."""

    def __init__(self, score: Callable[..., torch.Tensor], *networks: nn.Module) -> None:
        super().__init__()
        self.networks, self._score = nn.ModuleList(networks), score

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self._score(*inputs)


def _tokens(question: TextQuestion) -> torch.Tensor:
    """DeepLift of the embeddings, summed over their dimensions."""
    parts = [part for part in vars(question.classifier).values() if isinstance(part, nn.Module)]
    scored = _Scored(question.score, *parts).eval()
    method = LayerDeepLift(scored, question.embedding)
    values = _lifted(method, question.ids, question.baseline, (question.mask,)).sum(dim=-1)
    with torch.no_grad():
        change = question.score(question.ids, question.mask) - question.score(question.baseline, question.mask)
    _check_sum(values, change)
    return values


def _pixels(question: ImageQuestion) -> torch.Tensor:
    """DeepLift of the pixels. Each image is run beside its baseline, so that a call of the model holds two images at least."""
    network: nn.Module | None = question.module
    if network is None or question.score_logits is None:
        raise UsageError("deep_lift needs the layers of the model, and only the scores of this one are known")
    score = question.score
    try:
        copied = as_modules(network)
    except UsageError:
        copied = network  # captum may still manage it, which the sum of the values tells
    else:
        _check_layers(copied)
        of_logits = question.score_logits
        score = lambda images, rows: of_logits(logits_of(copied(images)), rows)  # noqa: E731
    method = DeepLift(_Scored(score, copied).eval())
    found, at_once = [], max(1, question.batch_size // 2)
    for rows in question.rows.split(at_once):
        images, absent = question.batch[rows].requires_grad_(), question.baseline[rows]
        values = _lifted(method, images, absent, (rows,))
        with torch.no_grad():
            change = question.score(images, rows) - question.score(absent, rows)
        _check_sum(values, change)
        found.append(values)
    return torch.cat(found)


def _lifted(method: Any, inputs: torch.Tensor, baselines: torch.Tensor, others: tuple[torch.Tensor, ...]) -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Setting forward, backward hooks")
        try:
            found: torch.Tensor = method.attribute(inputs, baselines=baselines, additional_forward_args=others)
        except RuntimeError as error:
            if "used more than once" not in str(error):
                raise
            raise UsageError(
                "deep_lift can't explain a model that calls one of its non-linear layers twice; give each call its own layer"
            ) from error
    return found.detach()


def _check_layers(network: nn.Module) -> None:
    """Check that each layer is linear or has a rule.

    Raises:
        UsageError: one has none.
    """
    for name, layer in network.named_children():
        own = layer.name if isinstance(layer, Operation) else type(layer).__name__
        activation = type(layer).__module__ == "torch.nn.modules.activation" and type(layer) not in SUPPORTED_NON_LINEAR
        if activation or (isinstance(layer, Operation) and not layer.shares):
            raise UsageError(f"deep_lift has no rule for the layer {name!r} ({own}) of this model; use integrated_gradients")


def _check_sum(values: torch.Tensor, change: torch.Tensor) -> None:
    """Check summation to delta for each input.

    Raises:
        UsageError: the values do not sum to the change of the score.
    """
    sums, sizes = values.flatten(1).sum(dim=1), values.flatten(1).abs().sum(dim=1)
    missed = (sums - change).abs() > _LOOSE * (change.abs() + sizes / 2) + 1e-5
    if bool(missed.any()):
        which = int(missed.nonzero()[0])
        raise UsageError(
            f"deep_lift has no rule for some non-linear step of this model, such as GELU or attention: its values sum to "
            f"{float(sums[which]):.3g}, and the score changes by {float(change[which]):.3g}; use integrated_gradients"
        )


DEEP_LIFT = Method(
    "differences from a baseline, passed back layer by layer (Shrikumar et al. 2017)",
    tokens=Explainer(_tokens, uses=("baseline",), needs="layers"),
    pixels=Explainer(_pixels, uses=("baseline",), needs="layers", batched=True),
)
