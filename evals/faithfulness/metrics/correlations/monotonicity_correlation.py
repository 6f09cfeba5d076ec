"""Monotonicity as a correlation (Nguyen and Martínez 2020, "On quantitative aspects of model interpretability").

    correlation = Spearman's ρ of |score of a part| with (f(x) - f(x without this part))²

Higher is better. The paper takes the mean of the squared change over values drawn for the part; here one fill stands for
them, as in Quantus where one sample is drawn. The parts are words, or cells of a grid over an image, whose scores are summed.
Signs don't matter, so a map and the same map with all signs changed have the same value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.metric import Metric
from evals.faithfulness.metrics.correlations.subsets import UNITS, unit_asks, unit_falls, varies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    from scipy.stats import spearmanr

    return np.array(
        [
            spearmanr(np.abs(scores), fall**2).statistic if varies(np.abs(scores)) and varies(fall**2) else np.nan
            for fall, scores in unit_falls(answers, settings)
        ]
    )


MONOTONICITY_CORRELATION = Metric(
    "the rank correlation of the size of scores with that of what hiding each part does (Nguyen and Martínez 2020)",
    _measure,
    higher_is_better=True,
    asks=unit_asks,
    settings=UNITS,
    undefined="hiding any one part changes the score by as much, or all parts have scores of one size",
    bounds=(-1, 1),
)
