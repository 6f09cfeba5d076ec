"""Infidelity of a map in the best unit (Yeh et al. 2019; captum's `normalize=True`).

    infidelity = E over random sets I of (β Σ of the map in I - (f(x) - f(x without I)))²,  β = max(0, E[sum·fall] / E[sum²])

Lower is better. The factor β that fits best takes the unit of the map away, so that maps of different methods can be
compared. It is never negative here, because a map that says the opposite would otherwise be as good as the map itself;
captum's may be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.metric import Metric, probability_bounds
from evals.faithfulness.metrics.correlations.subsets import SUBSETS, falls_and_sums, subset_asks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    falls, sums = falls_and_sums(answers, settings)
    size = np.abs(sums).max(axis=1, keepdims=True)
    sums = sums / np.where(size > 0, size, 1.0)  # the unit of the map goes before squares of tiny numbers become zero
    squares = (sums**2).mean(axis=1)
    factor = np.maximum(0.0, (sums * falls).mean(axis=1) / np.where(squares > 0, squares, 1.0))
    error: Floats = ((factor[:, None] * sums - falls) ** 2).mean(axis=1)
    return error


INFIDELITY_SCALED = Metric(
    "infidelity of the map in the unit that fits best (Yeh et al. 2019)",
    _measure,
    higher_is_better=False,
    asks=subset_asks,
    settings=SUBSETS,
    bounds=probability_bounds((0, 1), (0, 4), (0, float("inf"))),
)
