"""Sufficiency (DeYoung et al. 2020, "ERASER"): how much the score falls where only the most important parts stay.

    sufficiency = mean over q in bins of f(x) - f(the top share q of x, all else hidden)

Lower is better. The bins are those of `comprehensiveness`, and the parts that stay in a bin are those that are hidden
there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.faithfulness.hiding.asks import Hide
from evals.faithfulness.metric import Metric, probability_bounds
from evals.faithfulness.metrics.curves.comprehensiveness import BINS
from evals.faithfulness.settings import checked_shares

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats


def _asks(settings: Mapping[str, Any]) -> tuple[Hide]:
    return (Hide("bottom", tuple(1 - share for share in checked_shares("bins", settings["bins"]))),)


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    (rest,) = _asks(settings)
    fall: Floats = (answers.original()[:, None] - answers.scores(rest)).mean(axis=1)
    return fall


SUFFICIENCY = Metric(
    "how much the score falls where only the most important parts stay (DeYoung et al. 2020)",
    _measure,
    higher_is_better=False,
    asks=_asks,
    settings={"bins": BINS},
    bounds=probability_bounds((-1, 1), (-2, 2)),
)
