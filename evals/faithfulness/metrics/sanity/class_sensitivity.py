"""Class sensitivity: how alike the maps for two competing classes are (after Williamson et al. 2025, "CASE").

    class_sensitivity = Spearman's rank correlation of Φ(x, A) and Φ(x, B)

A is the label of the map's query, and B its `versus` or, without one, the class that the model finds most likely next to A.
Lower is better: a map that is the same whatever class is asked about does not explain a class. For a contrastive query, the
other map answers the mirrored question, B rather than A, so that the correlation of a faithful map is -1. The paper compares
the top features of two maps; rank correlation needs no number of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.hiding.asks import WHOLE
from evals.faithfulness.metric import Metric
from evals.faithfulness.metrics.sanity.similarity import rank_correlations
from saywhy_core.errors import UsageError
from verbalize.query import Query
from verbalize.saliency import PixelSaliency

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats, Saliency


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    del settings
    inputs = inputs_of(answers)
    if answers.explain is None:
        raise UsageError("class_sensitivity needs explain=")
    others = answers.explain(inputs, [_other(answers, row) for row in range(len(inputs))])
    return rank_correlations(list(answers.maps), list(others))


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


def _other(answers: Answers, row: int) -> Query:
    query = answers.maps[row].query
    if query.versus:
        return Query(query.versus[0], (query.label,)) if not query.members else Query(query.versus[0], query.members)
    names = list(answers.class_names)
    logits = answers.logits(WHOLE)[row, 0].copy()
    logits[[names.index(name) for name in (query.members or (query.label,))]] = -np.inf
    return Query(names[int(logits.argmax())])


CLASS_SENSITIVITY = Metric(
    "rank correlation with the map for the most likely other class (after Williamson et al. 2025)",
    _measure,
    higher_is_better=False,
    needs=("explain",),
    scaled=False,
    bounds=(-1, 1),
    undefined="all scores of one of the two maps are equal",
)
