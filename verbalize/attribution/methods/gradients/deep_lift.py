"""DeepLift, rescale rule (Shrikumar et al. 2017): differences from a baseline, passed back layer by layer.

The multiplier of a non-linear unit is the difference of its output divided by that of its input, and the
values of all parts sum to the score minus the score of the baseline ("summation to delta"). captum applies the rule to
modules such as nn.ReLU and nn.MaxPool2d only, and takes the plain gradient everywhere else. So the network is first rewritten
(`traced`), which turns functional ReLUs and repeated modules into such modules. If the values still do not sum to the
difference, the model has non-linear steps without a rule, such as GELU or attention, and it is refused.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from captum.attr import DeepLift, LayerDeepLift
from captum.attr._core.deep_lift import SUPPORTED_NON_LINEAR
from torch import nn

from saywhy_core.errors import UsageError
from verbalize.attribution.features import module_of
from verbalize.attribution.method import Explainer, Method
from verbalize.attribution.methods.gradients.traced import Operation, as_modules
from verbalize.models.image_models import answer_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from verbalize.attribution.image_question import ImageQuestion
    from verbalize.attribution.text_question import TextQuestion

_LOOSE = 0.01  # of the change of the score: well above the rounding errors of networks in float32, far below a missing rule
_NOISE = 0.002  # of the sum of the absolute values, which may cancel each other


_POINTS = 16  # of the integral over the logits, which is smooth: exact to six digits where logits change by 20


class _Weighed(nn.Module):  # type: ignore[misc]  # torch's types are not followed
    """The logits times their multipliers as a module, whose children are the networks where captum sets its hooks."""

    def __init__(self, logits: Callable[..., torch.Tensor], *networks: nn.Module) -> None:
        super().__init__()
        self.networks, self._logits = nn.ModuleList(networks), logits

    def forward(self, inputs: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        *rest, multipliers = others
        return (self._logits(inputs, *rest) * multipliers).sum(dim=1)


def _tokens(question: TextQuestion) -> torch.Tensor:
    """DeepLift of the embeddings, summed over their dimensions."""
    classifier = question.classifier
    networks = [part for part in vars(classifier).values() if isinstance(part, nn.Module)]
    method = LayerDeepLift(_Weighed(classifier.logits, *networks).eval(), question.embedding)
    with torch.no_grad():
        present, absent = (classifier.logits(ids, question.mask) for ids in (question.ids, question.baseline))
    multipliers, change = _multipliers(present, absent, question.score_logits)
    values = _lifted(method, question.ids, question.baseline, (question.mask, multipliers)).sum(dim=-1)
    _check_sum(values, change)
    return values


def _pixels(question: ImageQuestion) -> torch.Tensor:
    """DeepLift of the pixels. Each image is run beside its baseline, so that a call of the model holds two images at least."""
    network: nn.Module = module_of(question)
    try:
        copied = as_modules(network)
    except UsageError:
        copied = network  # captum may still manage it, which the sum of the values tells
    else:
        _check_layers(copied)
    method = DeepLift(_Weighed(lambda images: answer_to(copied, images), copied).eval())
    found = []
    for rows in question.rows.split(max(1, question.batch_size // 2)):
        images, baseline = question.batch[rows].requires_grad_(), question.baseline[rows]
        with torch.no_grad():
            present, absent = (answer_to(copied, one) for one in (images, baseline))
        score = question.score_logits
        multipliers, change = _multipliers(present, absent, lambda logits, score=score, rows=rows: score(logits, rows))
        values = _lifted(method, images, baseline, (multipliers,))
        _check_sum(values, change)
        found.append(values)
    return torch.cat(found)


def _multipliers(present: torch.Tensor, absent: torch.Tensor, score: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """The multiplier of each logit, N×K, and the change of the score, N.

    A single logit or a difference of two has the multipliers 1 and -1. For the logarithm of a sum of exponentials DeepLift
    gives no rule; here its gradient is averaged on the straight line between the two outputs, so that the multipliers times the
    changes of the logits sum to the change of the score.
    """
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    total = torch.zeros_like(present)
    with torch.enable_grad():
        for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
            logits = (absent + float(point) * (present - absent)).detach().requires_grad_()
            (slopes,) = torch.autograd.grad(score(logits).sum(), logits)
            total += float(weight) * slopes
    return total, (score(present) - score(absent)).detach()


def _lifted(method: Any, inputs: torch.Tensor, baselines: torch.Tensor, others: tuple[torch.Tensor, ...]) -> torch.Tensor:
    with warnings.catch_warnings(), _apart(method.model):
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


@contextmanager
def _apart(network: nn.Module) -> Iterator[None]:
    """Let each non-linear module read a copy of what the module before it gives.

    captum hooks the tensor between two modules for both. Where both are non-linear, such as a ReLU before max pooling, the
    first would see the plain gradient in the place of the multipliers of the second.
    """
    handles = [
        layer.register_forward_pre_hook(lambda _layer, inputs: tuple(one.clone() for one in inputs))
        for layer in network.modules()
        if type(layer) in SUPPORTED_NON_LINEAR
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


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
        UsageError: the values do not sum to the change of the score, or are not finite.
    """
    sums, sizes = values.flatten(1).sum(dim=1), values.flatten(1).abs().sum(dim=1)
    if not bool(torch.isfinite(sums).all()):
        raise UsageError("deep_lift divides by numbers that vanish in the precision of this model; give it in float32")
    missed = (sums - change).abs() > _LOOSE * change.abs() + _NOISE * sizes + 1e-5
    if bool(missed.any()):
        which = int(missed.nonzero()[0])
        raise UsageError(
            f"deep_lift has no rule for some non-linear step of this model, such as GELU or attention: its values sum to "
            f"{float(sums[which]):.3g}, and the score changes by {float(change[which]):.3g}; use integrated_gradients"
        )


DEEP_LIFT = Method(
    "differences from a baseline, passed back layer by layer (Shrikumar et al. 2017)",
    tokens=Explainer(_tokens, uses=("baseline",), needs="layers", passes=4, backwards=2),
    pixels=Explainer(_pixels, uses=("baseline",), needs="layers", batched=True, passes=4, backwards=2),
)
