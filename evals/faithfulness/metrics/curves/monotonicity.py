"""Monotonicity (Arya et al. 2019, "One explanation does not fit all", AIX360): does each part that is added raise the score?

    monotonicity = the share of steps in which f does not fall, while parts are added from the least to the most important

Higher is better. The published value is true or false; it is true exactly where this share is 1. A fall of less than a
millionth of the greatest score counts as none, because it may be rounding. AIX360 adds one feature per step, here there are
`steps` steps. Of a model that adds up the effects of parts, the order changes nothing, so there this metric can't tell maps
apart; see `monotonicity_correlation` for the definition of Nguyen and Martínez.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.hiding.asks import Hide, steps_of
from evals.faithfulness.metric import Metric

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats


_ROUNDING = 1e-6  # of the greatest score: float32 has 24 bits, and some are lost in the layers


def _asks(settings: Mapping[str, Any]) -> tuple[Hide]:
    return (Hide("top", steps_of(settings["steps"])),)


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    (top,) = _asks(settings)
    scores = answers.scores(top)[:, ::-1]  # from nothing to the whole input, the least important parts first
    slack = _ROUNDING * np.abs(scores).max(axis=1, keepdims=True)
    holds = np.diff(scores, axis=1) >= -slack
    # of a short text, many steps add no word
    adds = np.stack([np.diff(top.counts(one.scores.size)[::-1]) != 0 for one in answers.maps])
    count = adds.sum(axis=1)
    share: Floats = np.where(count > 0, (holds & adds).sum(axis=1) / np.maximum(count, 1), np.nan)
    return share


MONOTONICITY = Metric(
    "the share of steps that do not lower the score, while parts are added from the least important on (Arya et al. 2019)",
    _measure,
    higher_is_better=True,
    asks=_asks,
    settings={"steps": 20},
    bounds=(0, 1),
)
