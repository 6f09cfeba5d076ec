"""Correlation with leaving one out (Attanasio et al. 2023, "ferret", `taucorr_loo`; Jain and Wallace 2019).

    correlation = Kendall's τ-b of the scores of the parts with f(x) - f(x without this part)

Higher is better. The parts are words, or cells of a grid over an image, whose scores are summed. ferret compares with the
probability, which is the value in probabilities here; it hides a token by cutting it out of the text, which is the fill
"removal".
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
    from scipy.stats import kendalltau

    return np.array(
        [
            kendalltau(scores, fall).statistic if varies(scores) and varies(fall) else np.nan
            for fall, scores in unit_falls(answers, settings)
        ]
    )


TAU_CORRELATION = Metric(
    "Kendall's correlation of the map with what hiding each part by itself does (Attanasio et al. 2023)",
    _measure,
    higher_is_better=True,
    asks=unit_asks,
    settings=UNITS,
    undefined="hiding any one part changes the score by the same amount, or all parts have the same score",
    bounds=(-1, 1),
)
