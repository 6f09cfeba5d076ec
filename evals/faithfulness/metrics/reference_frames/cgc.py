"""Class-group contrastivity (RFxG, Elisha et al. 2025): class A and its group without the top share.

    cgc = ∫ ½ [mean over k in G of (p_k(x_q) - p_k(x)) + (p_A(x_q) - p_A(x))] dq

as in the authors' code, which adds the change of the group to that of the class: lower is better. The question "why A rather
than the others of its group?" asks for a contrast of the two instead:

    cgc_contrast = ∫ (p_A(x) - p_A(x_q)) - mean over k in G without A of (p_k(x) - p_k(x_q)) dq

how much further the class falls than the rest of its group: higher is better.
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
        first = own_classes(answers, row)
        group = group_of(answers, settings, first)
        if group is None:
            return None
        change = hidden - whole
        both: Floats = 0.5 * (change[:, group].mean(axis=1) + change[:, first].mean(axis=1))
        return both

    return areas(answers, settings, score)


def _contrast(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    def score(row: int, whole: Floats, hidden: Floats) -> Floats | None:
        first = own_classes(answers, row)
        group = group_of(answers, settings, first)
        rest = [column for column in group or () if column not in first]
        if group is not None and not rest:
            answers.reasons[row] = "its query is about the whole group, so that the group has no other class"
        if not rest:
            return None
        fall = whole - hidden
        further: Floats = fall[:, first].mean(axis=1) - fall[:, rest].mean(axis=1)
        return further

    return areas(answers, settings, score)


CGC = Metric(
    "change of the class and of its group without the most important parts (RFxG, Elisha et al. 2025)",
    _measure,
    higher_is_better=False,
    asks=asks,
    settings=GROUP_SETTINGS,
    family=FAMILY,
    undefined=NO_GROUP,
    bounds=within(1),
)
CGC_CONTRAST = Metric(
    "how much further the class falls than the rest of its group (after RFxG)",
    _contrast,
    higher_is_better=True,
    asks=asks,
    settings=GROUP_SETTINGS,
    family=FAMILY,
    undefined=NO_GROUP,
    bounds=within(2),
)
