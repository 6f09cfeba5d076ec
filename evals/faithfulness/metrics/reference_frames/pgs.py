"""Pointwise group score (RFxG, Elisha et al. 2025): how far the group of class A falls without the top share.

    pgs = ∫ mean over k in G of (p_k(x) - p_k(x_q)) dq

as in the authors' code: higher is better. A map that hides everything that the model sees lowers all classes alike in logits;

    pgs_contrast = pgs - ∫ mean over k outside G of (p_k(x) - p_k(x_q)) dq

asks how much further the group falls than all other classes: higher is better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.faithfulness.metric import Metric
from evals.faithfulness.metrics.reference_frames.frames import (
    FAMILY,
    GROUP_SETTINGS,
    NO_GROUP,
    areas,
    asks,
    group_of,
    own_classes,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    def score(row: int, whole: Floats, hidden: Floats) -> Floats | None:
        group = group_of(answers, settings, own_classes(answers, row))
        if group is None:
            return None
        fall: Floats = (whole - hidden)[:, group].mean(axis=1)
        return fall

    return areas(answers, settings, score)


def _contrast(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    def score(row: int, whole: Floats, hidden: Floats) -> Floats | None:
        group = group_of(answers, settings, own_classes(answers, row))
        others = [column for column in range(len(whole)) if column not in (group or ())]
        if not others:
            answers.reasons[row] = "its group holds all classes, so that there is no other one"
        if group is None or not others:
            return None
        fall = whole - hidden
        further: Floats = fall[:, group].mean(axis=1) - fall[:, others].mean(axis=1)
        return further

    return areas(answers, settings, score)


PGS = Metric(
    "fall of the group without the most important parts (RFxG, Elisha et al. 2025)",
    _measure,
    higher_is_better=True,
    asks=asks,
    settings=GROUP_SETTINGS,
    family=FAMILY,
    undefined=NO_GROUP,
    bounds=within(1),
)
PGS_CONTRAST = Metric(
    "how much further the group falls than all other classes (after RFxG)",
    _contrast,
    higher_is_better=True,
    asks=asks,
    settings=GROUP_SETTINGS,
    family=FAMILY,
    undefined=NO_GROUP,
    bounds=within(2),
)
