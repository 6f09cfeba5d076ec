"""Faithfulness correlation (Bhatt, Weller and Moura 2020, "Evaluating and aggregating").

    correlation = Pearson's r over random sets S of a fixed size, of Σ of the map in S with f(x) - f(x without S)

Higher is better. The sets are words, or cells of a grid over an image, in the place of single pixels: a set of scattered pixels
is noise to a network, and its size would have to grow with the image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.faithfulness.metric import Metric
from evals.faithfulness.metrics.correlations.subsets import SUBSETS, falls_and_sums, row_correlations, subset_asks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    return row_correlations(*falls_and_sums(answers, settings))


FAITHFULNESS_CORRELATION = Metric(
    "the correlation of the map with what hiding random parts does (Bhatt et al. 2020)",
    _measure,
    higher_is_better=True,
    asks=subset_asks,
    settings=SUBSETS,
    undefined="the score is the same whatever is hidden, or the map has the same sum in all sets",
    bounds=(-1, 1),
)
