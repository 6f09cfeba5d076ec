"""Comprehensiveness (DeYoung et al. 2020, "ERASER"): how much the score falls without the most important parts.

    comprehensiveness = mean over q in bins of f(x) - f(x without the top share q)

Higher is better. The bins are those of the ERASER benchmark for scores of tokens: 1, 5, 10, 20 and 50 %. As in its code, the
mean is over these bins; the formula in the paper also counts a bin of 0 %, whose term is zero. Of a short text, a small
share may be no word at all; its term is zero, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.faithfulness.hiding.asks import Hide
from evals.faithfulness.metric import Metric, probability_bounds
from evals.faithfulness.settings import checked_shares

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats

BINS = (0.01, 0.05, 0.1, 0.2, 0.5)


def _asks(settings: Mapping[str, Any]) -> tuple[Hide]:
    return (Hide("top", checked_shares("bins", settings["bins"])),)


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    (top,) = _asks(settings)
    fall: Floats = (answers.original()[:, None] - answers.scores(top)).mean(axis=1)
    return fall


COMPREHENSIVENESS = Metric(
    "how much the score falls without the most important parts (DeYoung et al. 2020)",
    _measure,
    higher_is_better=True,
    asks=_asks,
    settings={"bins": BINS},
    bounds=probability_bounds((-1, 1), (-2, 2)),
)
