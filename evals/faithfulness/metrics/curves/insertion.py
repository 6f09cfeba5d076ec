"""Insertion (Petsiuk, Das and Saenko 2018, "RISE"): the score while the most important parts come back.

    insertion = ∫₀¹ f(the top share q of x, all else hidden) dq

by the trapezoidal rule over `steps` + 1 shares. Higher is better. The paper starts from a blurred image; here the fill of the
evaluation stands in the place of hidden parts, so that insertion and deletion share their ends.
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
    return (Hide("bottom", steps_of(settings["steps"])),)


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    (bottom,) = _asks(settings)  # hiding the bottom share q is inserting the top share 1-q
    return area_under(answers.scores(bottom), bottom.shares)


INSERTION = Metric(
    "area under the score while the most important parts come back (Petsiuk et al. 2018)",
    _measure,
    higher_is_better=True,
    asks=_asks,
    settings={"steps": 20},
    bounds=probability_bounds((0, 1), (-1, 1)),
)
