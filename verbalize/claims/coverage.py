"""How much of a map's evidence lies in the parts that a text names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verbalize.claims.kinds import CLAIM_KINDS
from verbalize.saliency import TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterable

    from verbalize.claims.claim import Claim
    from verbalize.saliency import Floats, Part, Saliency


def named_parts(claims: Iterable[Claim], count: int) -> Part:
    """Indices of the words or regions that claims name, in ascending order; indices outside 0..`count` - 1 are left out.

    Claims of kinds that are not about a part, such as "absent", "count" and "predicted", name none.
    """
    about = [claim for claim in claims if CLAIM_KINDS[claim.kind].needs_part]
    indices = {index for claim in about for part in (claim.part, claim.other) for index in part or ()}
    return tuple(sorted(index for index in indices if 0 <= index < count))


def coverage_of(claims: Iterable[Claim], saliency: Saliency) -> float:
    """The share (0..1) of the map's positive mass that lies in the parts that claims name.

    On a map without positive scores, the magnitudes of all scores are the mass. On a map of zeros the share is 0.0. Pixels
    that several named regions share count once.
    """
    weights = _weights(saliency)
    total = float(weights.sum())
    if isinstance(saliency, TokenSaliency):
        inside = weights[list(named_parts(claims, len(weights)))]
    else:
        from verbalize.parts.regions import find_regions  # imports OpenCV, which token maps never need

        regions = find_regions(saliency)
        union = np.zeros(saliency.shape, dtype=bool)
        for index in named_parts(claims, len(regions)):
            union |= regions[index].mask
        inside = weights[union]
    return min(1.0, float(inside.sum()) / total) if total else 0.0


def shares_of(saliency: Saliency) -> Floats:
    """The share of the map's mass that each of the P words or regions holds, shape (P,).

    Mass is the sum of the positive scores or, on a map without any, of all magnitudes. On a map of zeros all shares are 0.
    The shares don't sum to 1 if regions overlap or do not cover all pixels.
    """
    weights = _weights(saliency)
    total = float(weights.sum())
    if isinstance(saliency, TokenSaliency):
        held: Floats = weights
    else:
        from verbalize.parts.regions import find_regions

        held = np.array([weights[region.mask].sum() for region in find_regions(saliency)], dtype=np.float64)
    return held / total if total else np.zeros(len(held))


def _weights(saliency: Saliency) -> Floats:
    """The mass of each word or pixel, scaled so that the greatest is 1. Sums of very large scores stay finite that way."""
    if isinstance(saliency, TokenSaliency):
        scores = saliency.scores
    else:
        from verbalize.parts.floor import above_floor

        scores = above_floor(saliency)
    weights = np.maximum(scores, 0.0) if (scores > 0).any() else np.abs(scores)
    top = weights.max(initial=0.0)
    return weights / top if top else weights
