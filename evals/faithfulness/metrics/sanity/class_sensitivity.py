"""Class sensitivity: how alike the maps for two competing classes are (after Williamson et al. 2025, "CASE").

    class_sensitivity = Spearman's rank correlation of Φ(x, A) and Φ(x, B)

A is the label of the map's query, and B its `versus` or, without one, the class that the model finds most likely next to A.
Lower is better: a map that is the same whatever class is asked about does not explain a class. For a contrastive query, the
other map answers the mirrored question, B rather than A, so that the correlation of a faithful map is -1; all classes in
`versus` are B together. Where the query is about all classes, there is no B, and the metric is not defined. The paper compares
the top features of two maps; rank correlation needs no number of them. Unsigned maps of a contrastive query that are
magnitudes of a difference are the same for the mirrored question: their value is 1 by construction, and has no rank.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.metric import Metric
from evals.faithfulness.metrics.sanity.similarity import rank_correlations
from saywhy_core.errors import UsageError
from verbalize.query import Query
from verbalize.saliency import PixelSaliency

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats, Saliency


_SAME = 1e-9  # below 1 by rounding alone


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    del settings
    inputs = inputs_of(answers)
    if answers.explain is None:
        raise UsageError("class_sensitivity needs explain=")
    found = np.full(len(inputs), np.nan)
    asked = [(row, query) for row in range(len(inputs)) if (query := _other(answers, row)) is not None]
    if asked:
        others = answers.explain([inputs[row] for row, _ in asked], [query for _, query in asked])
        rows = [row for row, _ in asked]
        found[rows] = rank_correlations([answers.maps[row] for row in rows], list(others))
    return found


def inputs_of(answers: Answers) -> list[Any]:
    """The texts or images of the maps.

    Raises:
        UsageError: a map came without them.
    """
    found: list[Any] = [_input(one) for one in answers.maps]
    if any(one is None for one in found):
        raise UsageError("the inputs must be explained again; give maps with their text= or image=")
    return found


def _input(saliency: Saliency) -> Any:
    return saliency.image if isinstance(saliency, PixelSaliency) else saliency.text


def _other(answers: Answers, row: int) -> Query | None:
    """The question about the other class; `None` where there is none."""
    query = answers.maps[row].query
    if query.versus:
        own = query.members or (query.label,)
        several = len(query.versus) > 1
        return Query(" or ".join(query.versus), own, query.versus) if several else Query(query.versus[0], own)
    rival = answers.rival(row)
    return None if rival is None else Query(rival)


def _fixed(saliency: Saliency, value: float) -> str:
    """Why the value says nothing of the model: magnitudes of a difference are those of the mirrored difference."""
    if saliency.query.versus and not saliency.signed and value >= 1 - _SAME:
        return "magnitudes of a difference are the same for the mirrored question"
    return ""


CLASS_SENSITIVITY = Metric(
    "rank correlation with the map for the most likely other class (after Williamson et al. 2025)",
    _measure,
    higher_is_better=False,
    needs=("explain",),
    scaled=False,
    bounds=(-1, 1),
    fixed=_fixed,
    undefined="all scores of one of the two maps are equal",
)
