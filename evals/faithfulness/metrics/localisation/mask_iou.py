"""Intersection over union of the most important parts with a plausible mask (ERASER, DeYoung et al. 2020).

    iou = max over masks of |T ∩ M| / |T ∪ M|,   T the |M| most important parts

so that a map that puts exactly the parts of a mask first has 1; higher is better. Of several plausible masks, the best counts.
T has as many parts as the mask, which makes the measure independent of a threshold. Parts that tie for the last place of T are
taken in their order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.metric import Metric

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats


def _measure(answers: Answers, settings: Mapping[str, Any]) -> Floats:
    del settings
    best = np.full(len(answers.maps), np.nan)
    for row, masks in enumerate(answers.truth or ()):
        order = np.argsort(-answers.importance(row), kind="stable")
        sizes = masks.sum(axis=1)
        real = masks[sizes > 0]
        if len(real):
            # |T| = |M|, so that the union has 2|M| - |T ∩ M| parts
            shared = np.array([mask[order[: int(mask.sum())]].sum() for mask in real], dtype=np.float64)
            best[row] = (shared / (2 * real.sum(axis=1) - shared)).max()
    return best


MASK_IOU = Metric(
    "overlap of the most important parts with a plausible mask (DeYoung et al. 2020)",
    _measure,
    higher_is_better=True,
    needs=("truth",),
    scaled=False,
    bounds=(0, 1),
    undefined="its masks are empty",
)
