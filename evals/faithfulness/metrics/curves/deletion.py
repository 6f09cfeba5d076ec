"""Deletion (Petsiuk, Das and Saenko 2018, "RISE"): the score while the most important parts are hidden.

    deletion = ∫₀¹ f(x without the top share q) dq

by the trapezoidal rule over `steps` + 1 shares. Lower is better. The paper hides pixels one row's worth at a time and fills
them with zeros; here the number of steps and the fill are settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.faithfulness.answers import area_under
from evals.faithfulness.hiding.asks import Hide, steps_of
from evals.faithfulness.metric import Metric, probability_bounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats


def _asks(settings: Mapping[str, Any]) -> tuple[Hide]:
    return (Hide("top", steps_of(settings["steps"])),)


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    (top,) = _asks(settings)
    return area_under(answers.scores(top), top.shares)


DELETION = Metric(
    "area under the score while the most important parts are hidden (Petsiuk et al. 2018)",
    _measure,
    higher_is_better=False,
    asks=_asks,
    settings={"steps": 20},
    bounds=probability_bounds((0, 1), (-1, 1)),
)
