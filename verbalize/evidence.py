"""The scores of the parts of a map. Claims about words and claims about regions are checked against this one view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from verbalize.saliency import PixelSaliency, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.saliency import Floats, Prediction, Query, Saliency

_FLAT = 1e-9  # scores count as equal if they differ by less than this share of the larger one: rounding alone does that


@dataclass(frozen=True)
class Evidence:
    """The scores of the parts that a claim may name: the words of a text, or the regions of a picture.

    With P parts, `net`, `positive` and `negative` have shape (P,). For each part they hold the sum of all its scores, of its
    positive scores, and of the magnitudes of its negative scores. `positive_mass` and `negative_mass` are sums over the whole
    map, including pixels that are in no region, so that a share is always a share of all the evidence. If the map is not
    `signed`, its scores only say how much a part matters. `prediction` is what the model predicted, where that is known.
    """

    query: Query
    names: tuple[str, ...]
    net: Floats
    positive: Floats
    negative: Floats
    positive_mass: float
    negative_mass: float
    pixels: bool
    flat: bool
    signed: bool = True
    prediction: Prediction | None = None

    def __len__(self) -> int:
        return len(self.names)

    def mass(self, part: Sequence[int], of: str) -> float:
        """The sum of the part's positive, negative or absolute scores, as `of` says; with `of="score"`, its net score."""
        chosen = list(part)
        positive, negative = float(self.positive[chosen].sum()), float(self.negative[chosen].sum())
        return {"positive": positive, "negative": negative, "absolute": positive + negative, "score": positive - negative}[of]

    def total(self, of: str) -> float:
        """The sum over the whole map of its positive, negative or absolute scores, as `of` says."""
        masses = {"positive": self.positive_mass, "negative": self.negative_mass}
        return masses[of] if of in masses else self.positive_mass + self.negative_mass

    def toward(self, direction: str) -> Floats:
        """(P,) net scores in a direction: unchanged for "supports", negated for "opposes"."""
        return -self.net if direction == "opposes" else self.net

    def tied(self, a: float, b: float) -> bool:
        """Whether two scores of this map are equal up to rounding."""
        return abs(a - b) <= _FLAT * max(abs(a), abs(b))


def evidence_of(saliency: Saliency) -> Evidence:
    """Find the parts of a map and their scores. A pixel map without masks is cut into regions first.

    Raises:
        TypeError: the argument is not a map.
    """
    if isinstance(saliency, TokenSaliency):
        scores = saliency.scores
        positive, negative = np.maximum(scores, 0.0), np.maximum(-scores, 0.0)
        names, net, pixels = saliency.tokens, scores, False
    elif isinstance(saliency, PixelSaliency):
        from verbalize.parts.regions import find_regions  # imports OpenCV, which token maps do not need

        regions = find_regions(saliency)
        scores = saliency.scores
        names, pixels = tuple(region.name for region in regions), True
        positive = np.array([region.positive for region in regions], dtype=np.float64)
        negative = np.array([region.negative for region in regions], dtype=np.float64)
        net = positive - negative
    else:
        raise TypeError(f"a map is a TokenSaliency or a PixelSaliency, not {type(saliency).__name__}")
    return Evidence(
        query=saliency.query,
        names=names,
        net=net,
        positive=positive,
        negative=negative,
        positive_mass=float(np.maximum(scores, 0.0).sum()),
        negative_mass=float(np.maximum(-scores, 0.0).sum()),
        pixels=pixels,
        flat=is_flat(scores),
        signed=saliency.signed,
        prediction=saliency.prediction,
    )


def is_flat(scores: Floats) -> bool:
    """Whether no part stands out: there are no scores, all are zero, or there are several and they are all equal."""
    if scores.size == 0 or not scores.any():
        return True
    low, high = float(scores.min()), float(scores.max())
    return scores.size > 1 and high - low <= _FLAT * max(abs(low), abs(high))
