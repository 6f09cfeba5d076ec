"""NormGrad and meta-saliency (Rebuffi, Fong, Ji and Vedaldi 2020, "There and Back Again: Revisiting Backpropagation Saliency").

NormGrad asks how much each place of a layer adds to the gradient of weights. A 1×1 convolution that changes nothing is thought
into the network behind the layer. The gradient of its weights is a sum over the places u of the outer products g_u a_u^T of the
gradient and the features there, and the map is the Frobenius norm of each term (the paper's "virtual identity"):

    m(u) = ||g_u a_u^T||_F = ||g_u|| · ||a_u||

A norm has no sign: the map tells where evidence is, for or against. Where a global average pooling follows the layer, g_u is
the same at all places, and the map is that of the features whatever the class: an earlier layer tells classes apart.

Several layers are combined by the geometric mean of their maps at the size of the image. Departure: the maps are
not stretched to [0, 1] before. That would move their zero, and a factor of one map is only a factor of the geometric mean.

Meta-saliency asks the same of a network that has just learnt the image a bit better: the weights take one step of
gradient descent on the loss of the query, theta' = theta - rate · grad loss(theta), and the map is computed with theta'. Each
image has a step of its own. The weights of the model itself are never written to: the pass with theta' runs on copies. The loss
is the cross-entropy of the label against all other labels, or, for a contrastive query, against those in `versus`; a group
counts as one label. As in the authors' TorchRay, the second pass does not differentiate through the step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional

from saywhy_core.errors import UsageError
from verbalize.attribution.features import enlarge, features_and_gradients, layers_of, module_of
from verbalize.attribution.layers import check_layers
from verbalize.attribution.method import Explainer, Method
from verbalize.attribution.target import score_of_query

if TYPE_CHECKING:
    from verbalize.attribution.image_question import ImageQuestion

_RATE = 1e-4  # that of TorchRay: small enough that the prediction stays what it is


def _pixels(question: ImageQuestion) -> torch.Tensor:
    """The norms of gradient and features at `layer`, or combined over `layers`: N×1×H×W."""
    names = _names(question)
    return torch.cat([_norms(question, names, rows) for rows in question.rows.split(question.batch_size)])


def _after_a_step(question: ImageQuestion) -> torch.Tensor:
    """NormGrad after one step of gradient descent at `rate` on the loss of the query: 1×1×H×W."""
    rate = question.options.get("rate", _RATE)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < float("inf"):
        raise UsageError(f"rate must be a number above 0, not {rate!r}")
    names = _names(question)
    model = _Answers(question, names)
    weights = {name: weight.detach().clone().requires_grad_() for name, weight in model.named_parameters()}
    if not weights:
        raise UsageError("the model has no weights that could take a step; use norm_grad")
    maps = []
    for row in question.rows.split(1):
        with torch.enable_grad():
            loss = functional_call(model, weights, ("loss", row))
            slopes = torch.autograd.grad(loss, list(weights.values()), allow_unused=True)
        moved = {
            name: weight.detach() if slope is None else (weight - rate * slope).detach()
            for (name, weight), slope in zip(weights.items(), slopes, strict=True)
        }
        if not all(bool(torch.isfinite(weight).all()) for weight in moved.values()):
            raise UsageError(f"a step of rate {rate} makes the weights infinite; choose a smaller rate")
        maps.append(functional_call(model, moved, ("maps", row)))
    return torch.cat(maps)


class _Answers(nn.Module):  # type: ignore[misc]  # torch's types are not followed
    """The network of a question as a part of a module, so that `functional_call` can run it with other weights."""

    def __init__(self, question: ImageQuestion, names: tuple[str, ...]) -> None:
        super().__init__()
        self.network = module_of(question)
        self.question, self.names = question, names
        self.training = False

    def forward(self, what: str, row: torch.Tensor) -> torch.Tensor:
        """The loss of an image, or its NormGrad."""
        if what == "maps":
            return _norms(self.question, self.names, row)
        return _loss(self.question, row)


def _loss(question: ImageQuestion, row: torch.Tensor) -> torch.Tensor:
    """The cross-entropy of the label of the query against all labels, or against `versus`."""
    query, names = question.query, question.class_names
    if query.versus:
        return functional.softplus(-question.score(question.batch[row], row).float()).sum()
    logits = question.logits(question.batch[row]).float()  # type: ignore[misc]
    return (logits.logsumexp(dim=1) - score_of_query(logits, query, names)).sum()


def _norms(question: ImageQuestion, names: tuple[str, ...], rows: torch.Tensor) -> torch.Tensor:
    combined: Any = 1.0
    for maps, gradients in features_and_gradients(question, names, rows):
        found = enlarge(maps.norm(dim=1) * gradients.norm(dim=1), question)
        combined = combined * (found if len(names) == 1 else found.pow(1 / len(names)))
    return torch.as_tensor(combined)


def _names(question: ImageQuestion) -> tuple[str, ...]:
    several = question.options.get("layers")
    if several is None:
        return layers_of(question)
    if question.layer is not None:
        raise UsageError("layer and layers exclude each other; give one of them")
    if isinstance(several, str) or not several or len(set(several)) < len(several):
        raise UsageError(f"layers must be a sequence of different names of layers, not {several!r}")
    return check_layers(module_of(question), tuple(several))


NORM_GRAD = Method(
    "NormGrad, the norm of each place's part of a weight gradient (Rebuffi et al. 2020)",
    pixels=Explainer(_pixels, uses=("layer", "layers"), signed=False, needs="layers", batched=True, passes=1),
)
META_NORM_GRAD = Method(
    "NormGrad after one step of learning, meta-saliency (Rebuffi et al. 2020)",
    pixels=Explainer(_after_a_step, uses=("layer", "layers", "rate"), signed=False, needs="layers", passes=2),
)
