"""How much each concept matters in the decision on each image: attribution to the coefficients of a bank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import torch

from saywhy_core.errors import UsageError
from verbalize.attribution.target import score_of_query
from verbalize.concepts.sobol import check_samples, design, jansen

if TYPE_CHECKING:
    from collections.abc import Callable

    from verbalize.concepts.bank import ConceptBank, Floats
    from verbalize.concepts.splitting import SplitModel
    from verbalize.saliency import Query

Estimator = Literal["sobol", "occlusion", "gradient_input", "integrated_gradients"]
SIGNED: dict[str, bool] = {"sobol": False, "occlusion": True, "gradient_input": True, "integrated_gradients": True}
_SAMPLES = 32  # points of A; CRAFT's own code takes as many
_POINTS = 32  # of the integral


def importances(
    split: SplitModel,
    bank: ConceptBank,
    coefficients: Floats,
    rebuild: Callable[[torch.Tensor], torch.Tensor],
    query: Query,
    *,
    estimator: Estimator,
    samples: int | None,
    seed: int | None,
    batch_size: int,
) -> Floats:
    """(N, K) importance of each concept for each image.

    The number that is attributed is the score of the query for the activations U W, in which concept k is scaled by m_k at all
    places of the image: m = 1 is the image as the bank knows it, m = 0 an image without the concept.

    - "sobol": total Sobol indices of m in [0, 1]^K (CRAFT, Fel et al. 2023). Not negative: it tells no direction.
    - "occlusion": score(1) - score(1 without k).
    - "gradient_input": the derivative by m_k at m = 1, which is the sum of gradient times coefficient.
    - "integrated_gradients": the derivative by m_k, averaged over m = t with t from 0 to 1 (midpoints).

    On a head that is linear in the activations the last three agree (Fel et al. 2023, "A holistic approach").

    Args:
        split: the model.
        bank: the concepts.
        coefficients: (N, P, K) of each image at P places.
        rebuild: (M, P, D) activations -> the features that the head takes.
        query: the question.
        estimator: one of the four.
        samples: points of "sobol", a power of two, 32 by default; steps of the integral, 32 by default.
        seed: of "sobol".
        batch_size: the most images in one call of the head.
    """
    if estimator not in get_args(Estimator):
        raise UsageError(f"estimator must be one of {', '.join(get_args(Estimator))}, not {estimator!r}")
    if seed is not None and estimator != "sobol":
        raise UsageError(f"seed has no effect on {estimator!r}, which draws nothing; leave it out")
    if samples is not None and estimator not in ("sobol", "integrated_gradients"):
        raise UsageError(f"samples has no effect on {estimator!r}; leave it out")
    if samples is not None and samples < 1:
        raise UsageError(f"samples must be 1 or more, not {samples!r}")
    count = len(bank)
    score = _Score(split, bank, coefficients, rebuild, query)
    if estimator in ("sobol", "occlusion"):
        if estimator == "sobol":
            number = _SAMPLES if samples is None else samples
            check_samples(number)
            points = design(count, number, 0 if seed is None else seed)
        else:
            points = np.concatenate([np.ones((1, count)), 1.0 - np.eye(count)])
        values = score.values(points, batch_size)
        return jansen(values, count) if estimator == "sobol" else values[:, :1] - values[:, 1:]
    number = (_POINTS if samples is None else samples) if estimator == "integrated_gradients" else 1
    steps = (np.arange(number) + 0.5) / number if estimator == "integrated_gradients" else np.ones(1)
    return score.slopes(steps, batch_size)


class _Score:
    """The score of the query for images whose concepts are scaled."""

    def __init__(
        self,
        split: SplitModel,
        bank: ConceptBank,
        coefficients: Floats,
        rebuild: Callable[[torch.Tensor], torch.Tensor],
        query: Query,
    ) -> None:
        device = split.model.device
        self._coefficients = torch.as_tensor(coefficients, dtype=torch.float32, device=device)
        self._directions = torch.as_tensor(bank.directions, dtype=torch.float32, device=device)
        self._offset = torch.as_tensor(bank.offset, dtype=torch.float32, device=device)
        self._split, self._rebuild, self._query = split, rebuild, query

    def _of(self, rows: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
        activations = (self._coefficients[rows] * scales[:, None, :]) @ self._directions + self._offset
        logits = self._split.head(self._rebuild(activations)).float()
        return score_of_query(logits, self._query, self._split.class_names)

    def values(self, points: Floats, batch_size: int) -> Floats:
        """(N, M) the score of each image at each of M points (M, K)."""
        scales = torch.as_tensor(points, dtype=torch.float32, device=self._coefficients.device)
        images, many = len(self._coefficients), len(scales)
        found = np.empty(images * many)
        with torch.no_grad():
            for start in range(0, len(found), batch_size):
                which = torch.arange(start, min(start + batch_size, len(found)), device=scales.device)
                found[start : start + batch_size] = self._of(which // many, scales[which % many]).double().cpu().numpy()
        return found.reshape(images, many)

    def slopes(self, steps: Floats, batch_size: int) -> Floats:
        """(N, K) the derivatives of the score by the scale of each concept, averaged over points with all scales equal."""
        images, count, many = len(self._coefficients), len(self._directions), len(steps)
        found = np.zeros((images, count))
        for start in range(0, images * many, batch_size):
            which = np.arange(start, min(start + batch_size, images * many))
            at = torch.as_tensor(steps[which % many], dtype=torch.float32, device=self._coefficients.device)
            scales = at[:, None].repeat(1, count).requires_grad_()
            with torch.enable_grad():
                total = self._of(torch.as_tensor(which // many, device=at.device), scales).sum()
                (slopes,) = torch.autograd.grad(total, scales)
            np.add.at(found, which // many, slopes.double().cpu().numpy() / many)
        return found
