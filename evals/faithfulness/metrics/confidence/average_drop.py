"""Average drop (Chattopadhyay et al. 2018, "Grad-CAM++"): how much is lost on the important parts.

    drop = max(0, f(x) - f(the top share of x, all else hidden)) / f(x)

Lower is better; 0.2 means that a fifth of the confidence is lost (the paper says 20 %). The paper multiplies the image by the
map itself. Here the top `share` of the parts stays as it is, so that the values of a map don't matter beyond their order, and
texts can be measured. The ratio has no meaning where f(x) is not positive, which happens to logits and to contrastive
queries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.metric import Metric, probability_bounds
from evals.faithfulness.metrics.confidence.kept import SHARE, kept_share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    (rest,) = kept_share(settings)
    whole, left = answers.original(), answers.scores(rest)[:, 0]
    drop: Floats = np.maximum(0.0, whole - left) / np.where(whole > 0, whole, np.nan)
    return drop


AVERAGE_DROP = Metric(
    "the share of the confidence that is lost where only the most important parts stay (Chattopadhyay et al. 2018)",
    _measure,
    higher_is_better=False,
    asks=kept_share,
    settings={"share": SHARE},
    undefined="the score of the whole input is not positive, so that it has no shares",
    bounds=probability_bounds((0, 1), (0, float("inf")), (0, float("inf"))),
)
