"""What a map says of its parts: the one view that every claim is held against, for tokens and for regions alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from verbalize.saliency import PixelSaliency, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.saliency import Floats, Query, Saliency

_FLAT = 1e-9  # scores that differ by less than this share of the largest are the same score


@dataclass(frozen=True)
class Evidence:
    """Scores of the parts that a claim may name: words of a text, or regions of a picture.

    `net`, `positive` and `negative` are (P,): the sum of a part's scores, of its positive and of its negative scores (the
    last as a magnitude). The masses are those of the whole map, parts or not, so shares are shares of everything.
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

    def __len__(self) -> int:
        return len(self.names)

    def mass(self, part: Sequence[int], of: str) -> float:
        """The part's sum of positive, negative or absolute scores, or (`of="score"`) its net score."""
        chosen = list(part)
        positive, negative = float(self.positive[chosen].sum()), float(self.negative[chosen].sum())
        return {"positive": positive, "negative": negative, "absolute": positive + negative, "score": positive - negative}[of]

    def total(self, of: str) -> float:
        """The whole map's mass of that kind."""
        masses = {"positive": self.positive_mass, "negative": self.negative_mass}
        return masses[of] if of in masses else self.positive_mass + self.negative_mass

    def toward(self, direction: str) -> Floats:
        """(P,) scores in the direction asked: as they are for "supports", turned round for "opposes"."""
        return -self.net if direction == "opposes" else self.net

    def tied(self, a: float, b: float) -> bool:
        """Whether two scores of this map are the same score, rounding aside."""
        return abs(a - b) <= _FLAT * max(abs(a), abs(b))


def evidence_of(saliency: Saliency) -> Evidence:
    """The parts of a map and their scores; a pixel map without masks is cut into regions first."""
    if isinstance(saliency, TokenSaliency):
        scores = saliency.scores
        positive, negative = np.maximum(scores, 0.0), np.maximum(-scores, 0.0)
        names, net, pixels = saliency.tokens, scores, False
    elif isinstance(saliency, PixelSaliency):
        from verbalize.parts.regions import find_regions  # brings OpenCV, which token maps never need

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
    )


def is_flat(scores: Floats) -> bool:
    """Whether no part stands out: nothing there, all zero, or two or more scores that are all the same."""
    if scores.size == 0 or not scores.any():
        return True
    low, high = float(scores.min()), float(scores.max())
    return scores.size > 1 and high - low <= _FLAT * max(abs(low), abs(high))
