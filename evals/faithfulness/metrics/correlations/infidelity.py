"""Infidelity (Yeh et al. 2019, "On the (in)fidelity and sensitivity of explanations").

    infidelity = E over random sets I of (Σ of the map in I - (f(x) - f(x without I)))²

Lower is better. The perturbation is the indicator of a random set of words, or of cells of a grid, so that a map of
contributions, whose scores add up to changes of f, has 0: the form for maps that are multiplied by their inputs already, such
as integrated gradients (captum: `multiply_by_inputs=True` with the indicator as perturbation). The paper hides squares of
images; sets of cells take their place, so that the same masked inputs serve `faithfulness_correlation`. A map in other units,
such as a class activation map in 0..1, can't be good: see `infidelity_scaled`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.faithfulness.metric import Metric
from evals.faithfulness.metrics.correlations.subsets import SUBSETS, falls_and_sums, subset_asks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    falls, sums = falls_and_sums(answers, settings)
    error: Floats = ((sums - falls) ** 2).mean(axis=1)
    return error


INFIDELITY = Metric(
    "the squared error of the map as a prediction of what hiding random parts does (Yeh et al. 2019)",
    _measure,
    higher_is_better=False,
    asks=subset_asks,
    settings=SUBSETS,
    flat=True,
    bounds=(0, float("inf")),
)
