"""Average gain (Zhang et al. 2024, "Opti-CAM"): how much confidence is won on the important parts alone.

    gain = max(0, f(the top share of x, all else hidden) - f(x)) / (1 - f(x))

Higher is better. It is the counterpart of `average_drop`, and means something only in probabilities of pointwise queries: their
greatest value is 1. The paper multiplies the image by the map; see `average_drop` for what is done here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.metric import Metric
from evals.faithfulness.metrics.confidence.kept import SHARE, kept_share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    (rest,) = kept_share(settings)
    whole, left = answers.original(), answers.scores(rest)[:, 0]
    room = np.where(answers.scale == "probabilities", 1 - whole, np.nan)
    gain: Floats = np.maximum(0.0, left - whole) / np.where(room > 0, room, np.nan)
    return gain


AVERAGE_GAIN = Metric(
    "the share of the missing confidence that is won where only the most important parts stay (Zhang et al. 2024)",
    _measure,
    higher_is_better=True,
    asks=kept_share,
    settings={"share": SHARE},
    undefined="it means something only in probabilities, and where the whole input leaves some to win",
    bounds=(0, 1),
)
