"""Pointing game (Zhang et al. 2018, "Top-down neural attention by excitation backprop").

    hit = 1 if the most important part lies in one of the plausible masks, else 0

Its mean over inputs is the accuracy of the pointing game; higher is better. Of several plausible masks, any counts. Parts that
tie for the first place each count by their share, so that a flat top does not win by chance. The paper also accepts a point
within 15 pixels of the mask; `margin` is that distance in pixels, 0 by default, and has no effect on texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.metric import Metric
from evals.faithfulness.settings import checked_number
from verbalize.saliency import PixelSaliency

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats

_TIED = 1e-9  # scores that differ by less than this share of the larger one are equal: rounding alone does that


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    margin = checked_number("margin", settings["margin"], 0, ends=True)
    hits = np.full(len(answers.maps), np.nan)
    for row, (saliency, masks) in enumerate(zip(answers.maps, answers.truth or (), strict=True)):
        scores = answers.importance(row)
        inside = masks.sum(axis=0) > 0
        if not scores.size or not inside.any():
            continue
        if margin and isinstance(saliency, PixelSaliency):
            inside = _widened(inside.reshape(saliency.shape), margin).reshape(-1)
        top = scores >= scores.max() - _TIED * abs(scores.max())
        hits[row] = inside[top].mean()
    return hits


def _widened(mask: Any, margin: float) -> Any:
    """The mask and all pixels within so many pixels of it."""
    from scipy.ndimage import distance_transform_edt

    return distance_transform_edt(~mask) <= margin


POINTING_GAME = Metric(
    "whether the most important part lies in a plausible mask (Zhang et al. 2018)",
    _measure,
    higher_is_better=True,
    settings={"margin": 0},
    needs=("truth",),
    scaled=False,
    bounds=(0, 1),
    undefined="its masks are empty",
)
