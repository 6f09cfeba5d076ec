"""Increase in confidence (Chattopadhyay et al. 2018, "Grad-CAM++"): is the model surer of the important parts?

    increase = 1 if f(the top share of x, all else hidden) > f(x), else 0

Its mean over inputs is the share of inputs for which the score rises. Higher is better. The paper multiplies the image by the
map; see `average_drop` for what is done here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.faithfulness.metric import Metric
from evals.faithfulness.metrics.confidence.kept import SHARE, kept_share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    (rest,) = kept_share(settings)
    rises: Floats = (answers.scores(rest)[:, 0] > answers.original()).astype(float)
    return rises


INCREASE = Metric(
    "whether the score rises where only the most important parts stay (Chattopadhyay et al. 2018)",
    _measure,
    higher_is_better=True,
    asks=kept_share,
    settings={"share": SHARE},
    bounds=(0, 1),
)
