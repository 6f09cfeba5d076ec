"""The scores of the parts of a map. Claims about words and claims about regions are checked against this one view."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from verbalize.saliency import PixelSaliency, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from verbalize.masking.effects import Effects
    from verbalize.saliency import Floats, Prediction, Query, Saliency

_FLAT = 1e-9  # scores count as equal if they differ by less than this share of the larger one: rounding alone does that
_CANCELLED = 1e-12  # a sum below this share of the scores' magnitudes is what rounding leaves of scores that cancel


@dataclass(frozen=True)
class Evidence:
    """The scores of the parts that a claim may name: the words of a text, or the regions of a picture.

    With P parts, `net`, `positive` and `negative` have shape (P,). For each part they hold the sum of all its scores, of its
    positive scores, and of the magnitudes of its negative scores. `positive_mass` and `negative_mass` are sums over the whole
    map, including pixels that are in no region, so that a share is always a share of all the evidence. If the map is not
    `signed`, its scores only say how much a part matters, and the scores of its pixels count from its floor on. It is `flat` if
    nothing stands out: all scores are equal, or the picture shows no more than noise would.
    `prediction` is what the model predicted, and `text` the
    original text, where these are known. All scores are multiples of `unit`, which is 1 unless their sums would be too large
    for a float. `areas` holds the share of the picture that each region fills. `effects` holds what the model says of changed
    inputs, where it was asked.
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
    text: str | None = None
    unit: float = 1.0
    areas: Floats | None = None
    effects: Effects | None = None

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

    @cached_property
    def peak(self) -> float:
        """The greatest magnitude of a net score; 0 if there are no parts."""
        return float(np.abs(self.net).max(initial=0.0))

    @cached_property
    def wordlike(self) -> NDArray[np.bool_]:
        """(P,) whether a part holds a letter or a digit. Punctuation has scores, but people don't count it among the words."""
        return np.fromiter((any(sign.isalnum() for sign in name) for name in self.names), bool, len(self.names))

    def toward(self, direction: str | None) -> Floats:
        """(P,) net scores in a direction: negated for "opposes", else unchanged."""
        return -self.net if direction == "opposes" else self.net

    def tied(self, a: float, b: float) -> bool:
        """Whether two scores of this map are equal up to rounding."""
        return abs(a - b) <= _FLAT * max(abs(a), abs(b))

    def all_tied(self, scores: Floats, score: float) -> NDArray[np.bool_]:
        """Which of the scores are equal to `score` up to rounding."""
        tied: NDArray[np.bool_] = np.abs(scores - score) <= _FLAT * np.maximum(np.abs(scores), abs(score))
        return tied


def evidence_of(saliency: Saliency) -> Evidence:
    """Find the parts of a map and their scores. A pixel map without masks is cut into regions first.

    Raises:
        TypeError: the argument is not a map.
    """
    if not isinstance(saliency, TokenSaliency | PixelSaliency):
        raise TypeError(f"a map is a TokenSaliency or a PixelSaliency, not {type(saliency).__name__}")
    noise = False
    if isinstance(saliency, TokenSaliency):
        counted = saliency.scores
    else:
        from verbalize.parts.floor import above_floor
        from verbalize.parts.noise import stands_out

        counted = above_floor(saliency)
        noise = saliency.masks is None and not stands_out(saliency)
    unit = _unit(counted)
    scores = counted if unit == 1.0 else counted / unit
    above, below = np.maximum(scores, 0.0), np.maximum(-scores, 0.0)
    if isinstance(saliency, TokenSaliency):
        names, net, positive, negative = saliency.tokens, scores, above, below
        areas = None
    else:
        from verbalize.parts.regions import find_regions  # imports OpenCV, which token maps do not need

        regions = find_regions(saliency)
        names = tuple(region.name for region in regions)
        if unit == 1.0:
            sums = [(region.positive, region.negative) for region in regions]
        else:
            sums = [(float(above[region.mask].sum()), float(below[region.mask].sum())) for region in regions]
        positive, negative = np.array(sums, dtype=np.float64).reshape(-1, 2).T
        net = _without_rounding(positive - negative, positive + negative)
        areas = np.array([region.area for region in regions], dtype=np.float64)
    return Evidence(
        query=saliency.query,
        names=names,
        net=net,
        positive=positive,
        negative=negative,
        positive_mass=float(above.sum()),
        negative_mass=float(below.sum()),
        pixels=isinstance(saliency, PixelSaliency),
        flat=noise or is_flat(saliency.scores),
        signed=saliency.signed,
        prediction=saliency.prediction,
        text=saliency.text if isinstance(saliency, TokenSaliency) else None,
        unit=unit,
        areas=areas,
    )


def _unit(scores: Floats) -> float:
    """1 or, where a sum of so many scores could exceed the range of floats, a power of two that keeps it inside."""
    top = max(float(scores.max()), -float(scores.min())) if scores.size else 0.0
    bits = scores.size.bit_length()
    return 1.0 if top <= np.finfo(np.float64).max / 2.0**bits else 2.0 ** (bits + 1)


def _without_rounding(net: Floats, mass: Floats) -> Floats:
    """The net scores, with 0 in place of what rounding leaves where scores cancel."""
    cleared: Floats = np.where(np.abs(net) <= _CANCELLED * mass, 0.0, net)
    return cleared


def is_flat(scores: Floats) -> bool:
    """Whether no part stands out: there are no scores, all are zero, or there are several and they are all equal."""
    if scores.size == 0 or not scores.any():
        return True
    low, high = float(scores.min()), float(scores.max())
    return scores.size > 1 and high - low <= _FLAT * max(abs(low), abs(high))
