"""Contrastive group score (RFxG, Elisha et al. 2025): group A and group B without the top share.

    cgs = ∫ ½ [mean over k in G_A of (p_k(x_q) - p_k(x)) + mean over j in G_B of (p_j(x_q) - p_j(x))] dq

as in the authors' code, which adds the changes of both groups: lower is better. The question "why group A rather than group
B?" asks for their contrast instead:

    cgs_contrast = ∫ mean over k in G_A of (p_k(x) - p_k(x_q)) - mean over j in G_B of (p_j(x) - p_j(x_q)) dq

how much further group A falls than group B: higher is better. Both are not defined where A and B are in one group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.faithfulness.metric import Metric
from evals.faithfulness.metrics.reference_frames.frames import (
    FAMILY,
    GROUP_SETTINGS,
    areas,
    asks,
    group_of,
    other_classes,
    own_classes,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats

_UNDEFINED = "its two classes are in no group or in the same one; give groups=, the members of each group by its name"


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    def score(row: int, whole: Floats, hidden: Floats) -> Floats | None:
        groups = _groups(answers, settings, row)
        if groups is None:
            return None
        change = hidden - whole
        both: Floats = 0.5 * (change[:, groups[0]].mean(axis=1) + change[:, groups[1]].mean(axis=1))
        return both

    return areas(answers, settings, score)


def _contrast(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    def score(row: int, whole: Floats, hidden: Floats) -> Floats | None:
        groups = _groups(answers, settings, row)
        if groups is None:
            return None
        fall = whole - hidden
        further: Floats = fall[:, groups[0]].mean(axis=1) - fall[:, groups[1]].mean(axis=1)
        return further

    return areas(answers, settings, score)


def _groups(answers: Answers, settings: Mapping[str, Any], row: int) -> tuple[list[int], list[int]] | None:
    first, second = own_classes(answers, row), other_classes(answers, row)
    if not second:
        return None
    one, other = group_of(answers, settings, first), group_of(answers, settings, second)
    return None if one is None or other is None or set(one) & set(other) else (one, other)


CGS = Metric(
    "change of two groups without the most important parts (RFxG, Elisha et al. 2025)",
    _measure,
    higher_is_better=False,
    asks=asks,
    settings=GROUP_SETTINGS,
    family=FAMILY,
    undefined=_UNDEFINED,
    bounds=within(1),
)
CGS_CONTRAST = Metric(
    "how much further one group falls than the other (after RFxG)",
    _contrast,
    higher_is_better=True,
    asks=asks,
    settings=GROUP_SETTINGS,
    family=FAMILY,
    undefined=_UNDEFINED,
    bounds=within(2),
)
