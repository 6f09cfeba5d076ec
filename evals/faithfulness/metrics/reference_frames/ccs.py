"""Contrastive contrastivity score (RFxG, Elisha et al. 2025): class A against class B without the top share.

    ccs = ∫ p_A(x_q) - p_B(x_q) dq,   ccs_contrast = ∫ [p_A(x) - p_B(x)] - [p_A(x_q) - p_B(x_q)] dq

where x_q is the input without its top share q. As in the authors' code, `ccs` takes the margin that is left: lower is better.
`ccs_contrast` takes how far the margin falls, so that inputs with different margins can be averaged: higher is better.
Neither is defined where the query is about all classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.faithfulness.metric import Metric
from evals.faithfulness.metrics.reference_frames.frames import FAMILY, SETTINGS, areas, asks, other_classes, own_classes, within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    def score(row: int, whole: Floats, hidden: Floats) -> Floats | None:
        del whole  # the code of RFxG takes the margin that is left, whatever it was
        first, second = own_classes(answers, row), other_classes(answers, row)
        if not second:
            return None
        margin: Floats = hidden[:, first].mean(axis=1) - hidden[:, second].mean(axis=1)
        return margin

    return areas(answers, settings, score)


def _contrast(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    def score(row: int, whole: Floats, hidden: Floats) -> Floats | None:
        first, second = own_classes(answers, row), other_classes(answers, row)
        if not second:
            return None
        margin = hidden[:, first].mean(axis=1) - hidden[:, second].mean(axis=1)
        fall: Floats = whole[first].mean() - whole[second].mean() - margin
        return fall

    return areas(answers, settings, score)


CCS = Metric(
    "margin of the class over the other one without the most important parts (RFxG, Elisha et al. 2025)",
    _measure,
    higher_is_better=False,
    asks=asks,
    settings=SETTINGS,
    family=FAMILY,
    bounds=within(1),
)
CCS_CONTRAST = Metric(
    "fall of the margin over the other class without the most important parts (after RFxG)",
    _contrast,
    higher_is_better=True,
    asks=asks,
    settings=SETTINGS,
    family=FAMILY,
    bounds=within(2),
)
