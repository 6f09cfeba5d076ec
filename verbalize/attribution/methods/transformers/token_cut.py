"""TokenCut: the patches that a normalised cut separates from the others (Wang et al. 2022, equations 1 to 4).

The patches are the nodes of a graph. Two of them are joined by an edge of weight 1 if the cosine of their features, the keys
of the last layer, is at least τ, and else of weight ε:

    W_ij = 1 if cos(k_i, k_j) ≥ τ, else ε        D = diag(Σ_j W_ij)        (D - W) y = λ D y

y is the eigenvector of the second smallest λ, the relaxed solution of the normalised cut. It is split at its mean, and the part
with the largest |y| is the foreground. The score of a patch in the foreground is |y - mean(y)|, that of another patch zero.

The map is the same for every class, and it has no signs. Departures: the foreground need not be connected, while the paper
keeps one connected part for detecting single objects. Where all patches are alike, so that no cut is better than another, all
scores are zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from saywhy_core.errors import UsageError
from verbalize.attribution.method import Explainer, Method
from verbalize.attribution.methods.transformers.keys import patch_keys
from verbalize.attribution.methods.transformers.tokens import spread

if TYPE_CHECKING:
    from verbalize.attribution.image_question import ImageQuestion

TAU = 0.2  # of the paper
_EPSILON = 1e-5  # of the paper: it keeps the graph connected


def foreground(keys: torch.Tensor, tau: float) -> torch.Tensor:
    """The scores of patches by their features: N×P×D -> N×P, none below zero."""
    unit = functional.normalize(keys.double(), dim=2)
    edges = torch.where(unit @ unit.transpose(1, 2) >= tau, 1.0, _EPSILON).to(unit.dtype)
    edges = torch.maximum(edges, edges.transpose(1, 2))  # rounding may make a cosine at τ unlike its mirror image
    root = edges.sum(dim=2).rsqrt()
    # z = D^(1/2) y turns the generalised problem into one of a symmetric matrix, which is solved for all images at once
    values = torch.eye(edges.shape[1], dtype=edges.dtype, device=edges.device) - root[:, :, None] * edges * root[:, None]
    if edges.shape[1] < 2:
        return torch.zeros(keys.shape[:2], device=keys.device)
    vectors = torch.linalg.eigh(values).eigenvectors[:, :, 1] * root
    away = vectors - vectors.mean(dim=1, keepdim=True)
    peak = vectors.abs().argmax(dim=1, keepdim=True)
    scores = (away * away.gather(1, peak).sign()).clamp(min=0)
    uniform = edges.amax(dim=(1, 2)) == edges.amin(dim=(1, 2))
    # without self-edges in the comparison, patches that are all unlike each other count as alike, too
    strangers = edges.sum(dim=(1, 2)) <= edges.shape[1] * (1 + _EPSILON * edges.shape[1])
    return scores.masked_fill((uniform | strangers)[:, None], 0.0).float()


def _pixels(question: ImageQuestion) -> torch.Tensor:
    tau = question.options.get("tau", TAU)
    if isinstance(tau, bool) or not isinstance(tau, int | float) or not -1 < tau < 1:
        raise UsageError(f"tau must be a cosine between -1 and 1, not {tau!r}")
    keys, grid = patch_keys(question)
    return spread(foreground(keys, float(tau)), grid, question)


TOKEN_CUT = Method(
    "the normalised cut of the patches' features (Wang et al. 2022)",
    pixels=Explainer(
        _pixels, uses=("tau",), signed=False, needs="attention", questions=(), batched=True, passes=1, backwards=0
    ),
)
