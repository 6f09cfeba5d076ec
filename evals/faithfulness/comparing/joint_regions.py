"""The regions of a picture that several maps call important, and what each map says of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from evals.faithfulness.comparing.overlaps import FAINT, is_flat, weights
from verbalize.parts import find_regions
from verbalize.saliency import PixelSaliency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from verbalize.parts import Region
    from verbalize.saliency import Floats

_FILLED = 2.0  # a region is among the most important of a map if its share of the top pixels is this often its share of all
_TOP_PIXELS = 0.05  # of a picture: about a region of a fifth of both sides
_ONE_SIDED = 0.5  # where the mean of the maps is less than this share of their mean magnitude, they contradict each other
_NAME = re.compile(r"(?P<size>[a-z-]+ )?(?P<colour>[a-z-]+) region (?P<place>(?:at|in) .+)")


def joint_map(maps: Sequence[PixelSaliency]) -> PixelSaliency:
    """A map whose regions are those to compare several maps in: the mean of their magnitudes, each map scaled to 1.

    Magnitudes do not cancel where the maps contradict each other. The joint map has no signs, and its masks are its regions;
    if all maps come with the same masks, these are the regions.
    """
    used = [one for one in maps if not is_flat(one)] or list(maps)
    scaled = [one.scores / (np.abs(one.scores).max() or 1.0) for one in used]
    size, mean = np.mean(np.abs(scaled), axis=0), np.mean(scaled, axis=0)
    first = maps[0]
    masks = first.masks if all(_same_masks(first, one) for one in maps) else None
    if masks is not None:
        return PixelSaliency(
            size, first.query, image=first.image, signed=False, masks=masks, mask_names=first.mask_names, id=first.saliency_id
        )
    parted = PixelSaliency(np.where(mean <= -_ONE_SIDED * size, -size, size), first.query, image=first.image)
    regions = find_regions(parted) if size.any() else ()
    return PixelSaliency(
        size, first.query, image=first.image, signed=False, id=first.saliency_id,
        masks=np.stack([region.mask for region in regions]) if regions else None,
        mask_names=short_names([region.name for region in regions]) if regions else None,
    )  # fmt: skip


def short_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names such as "larger red region at the right", without the colour where all regions at a place have the same one.

    Names at one place and of one colour differ by their size or number, so that they stay different.
    """
    found = [_NAME.fullmatch(name) for name in names]
    colours: dict[str, set[str]] = {}
    for one in found:
        if one is not None:
            colours.setdefault(one["place"], set()).add(one["colour"])
    shorter = tuple(
        name if one is None or len(colours[one["place"]]) > 1 else f"{one['size'] or ''}region {one['place']}"
        for name, one in zip(names, found, strict=True)
    )
    return shorter if len(set(shorter)) == len(set(names)) else tuple(names)


def regions_of(joint: PixelSaliency) -> tuple[Region, ...]:
    """The regions of a joint map."""
    return find_regions(joint) if joint.masks is not None else ()


def named_regions(saliency: PixelSaliency, regions: Sequence[Region]) -> NDArray[np.bool_]:
    """(R,) which regions hold twice as much of the strongest pixels of a map as their size explains."""
    return _leads(weights(saliency), regions)


def directions_of_regions(saliency: PixelSaliency, regions: Sequence[Region]) -> NDArray[np.int8]:
    """(R,) 1 where the pixels that speak most for the label lie in a region, -1 for those against it, 0 for neither or both."""
    scores = saliency.scores
    least = FAINT * np.abs(scores).max()
    sides = [_leads(np.where(sign * scores >= least, sign * scores, 0.0), regions).astype(np.int8) for sign in (1, -1)]
    nets = np.sign(region_sums(saliency, regions))
    speaks = sides[0] - sides[1]
    return np.where(speaks == nets, speaks, 0).astype(np.int8)


def region_sums(saliency: PixelSaliency, regions: Sequence[Region]) -> Floats:
    """(R,) sums of the scores in each region."""
    return np.array([float(saliency.scores[region.mask].sum()) for region in regions])


def _leads(weight: Floats, regions: Sequence[Region]) -> NDArray[np.bool_]:
    count = max(1, round(_TOP_PIXELS * weight.size))
    level = float(np.partition(weight.reshape(-1), -count)[-count])
    strongest = (weight >= level) & (weight > 0)
    total = max(int(strongest.sum()), 1)
    shares = [(float(strongest[region.mask].sum()) / total, float(region.mask.mean())) for region in regions]
    return np.array([share > 0 and share >= min(_FILLED * area, 1.0) for share, area in shares], dtype=bool)


def _same_masks(first: PixelSaliency, other: PixelSaliency) -> bool:
    if first.masks is None or other.masks is None:
        return False
    return first.mask_names == other.mask_names and np.array_equal(first.masks, other.masks)
