"""Cut a pixel map into a few regions, each with its sums of scores, its place and its colour in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args
from weakref import WeakKeyDictionary

import cv2
import numpy as np

from saywhy_core.errors import UsageError
from verbalize.parts.colours import colour_in_words, dominant_colour
from verbalize.parts.floor import above_floor, floor_of_scores
from verbalize.parts.pieces import find_hills, tiles, waterpixels
from verbalize.parts.places import WHOLE, bounding_box, centre_of, located, place_in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from verbalize.saliency import Floats, PixelSaliency

    Labels = NDArray[np.int32]

__all__ = ["Region", "colour_in_words", "find_regions", "place_in_words"]

Method = Literal["components", "superpixels"]

_BLURS = (0.0, 0.01, 0.02, 0.04, 0.08)  # standard deviations of the smoothing, as shares of the picture's side
_FEW = 5  # a cut is good if this many components hold ...
_ENOUGH = 0.75  # ... at least this share of the kept mass, or ...
_SPECK = 0.005  # ... if components smaller than this share of the picture hold at most the remaining share
_WEAK = 0.05  # components weaker than this share of the strongest are dropped
_TIMES_MEAN = (
    2.0  # a region's pixels hold at least this many times what an even share would be; outlines then look right to the eye
)
_HALF_WAY = 0.5  # share of the highest score; from it on a pixel belongs to a region, even if the object fills the picture
_VALLEY = 0.7  # a valley that goes down to this share of the lower peak parts two regions; shallower dips are texture
_STANDS_OUT = 0.1  # with `mass`: a level background is dropped if at least this share of the mass stands out from it
_NOTHING = 1e-3  # smoothed scores up to this share of the mean magnitude count as zero: they are what cancelling leaves
_DUST = 0.01  # if the net scores of the strongest components sum to less than this share of the mass, nothing stands out
_WORKING_SIDE = 128  # pixels; maps with a longer side are smoothed, and parted at their valleys, at a reduced size

_cache: WeakKeyDictionary[PixelSaliency, dict[tuple[float | None, int, str], tuple[Region, ...]]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Region:
    """A part of a picture, with its scores, its place and its colour.

    Args:
        mask: (H, W) booleans.
        positive: the sum of the positive scores inside; on an unsigned map, of what stands above its floor (see `floor_of`).
        negative: the sum of the negative scores inside, as a magnitude.
        positive_share: `positive` as a share of the positive sum of the whole map; 0 if that sum is 0.
        negative_share: `negative` as a share of the negative sum of the whole map; 0 if that sum is 0.
        area: the share of the picture that the region fills.
        bbox: (top, left, bottom, right) in pixels, bottom and right exclusive.
        centre: (row, column) of the centroid in pixels.
        place: where the region lies, in words.
        colour: the dominant colour of the image in the region, weighted by the scores; `None` if the map has no image.
        name: the name of the region in sentences. No two regions of a map have the same name.
    """

    mask: NDArray[np.bool_]
    positive: float
    negative: float
    positive_share: float
    negative_share: float
    area: float
    bbox: tuple[int, int, int, int]
    centre: tuple[float, float]
    place: str
    colour: str | None
    name: str

    @property
    def score(self) -> float:
        """The net score: `positive` minus `negative`."""
        return self.positive - self.negative

    @property
    def share(self) -> float:
        """The share of the evidence of its own side that the region holds; on an unsigned map, its share of all importance."""
        return self.negative_share if self.sign < 0 else self.positive_share

    @property
    def mean(self) -> float:
        """The net score per pixel; 0 for a region without pixels."""
        return self.score / max(1, int(np.count_nonzero(self.mask)))

    @property
    def sign(self) -> int:
        """1 if the region speaks for the label, -1 if it speaks against it, 0 if its scores cancel or are all zero."""
        return (self.score > 0) - (self.score < 0)


def find_regions(
    saliency: PixelSaliency, *, mass: float | None = None, max_regions: int | None = None, method: Method | None = None
) -> tuple[Region, ...]:
    """Find the few regions of a pixel map that are worth naming, the strongest (by absolute net score) first.

    The regions follow the shape of the map, for each sign by itself. A pixel belongs to a region if its score exceeds twice the
    mean of the whole picture (pixels of the other sign count as 0), or half of the highest score if that is less. Connected
    pixels are one region, but a valley that goes down to seven tenths of the lower of two peaks parts them (see `find_hills`).
    How much of the evidence a region holds, and how much of the picture it fills, thus depends on the map. Scores are counted
    from the floor of the map on (see `floor_of`). On a signed map without a floor, a level background that fills two fifths
    of the picture or more does not count for the outlines, but it counts for the sums.

    If the regions are mostly specks, as in gradient maps, the map is smoothed first, by the smallest amount that leaves a few
    regions. Regions with less than a twentieth of the score of the strongest one are dropped. Regions never overlap.

    If the strongest `max_regions` regions all have one sign and there are regions of the other sign, the strongest of
    those takes the last place. If the scores cancel everywhere (a checkerboard, noise without structure), the only region is
    the whole picture. A map of zeros has no region. Noise has regions, too: ask `stands_out` whether they mean anything.

    A map with masks is not cut: each mask is a region, in the given order and under its own name. Masks may overlap.

    The time is linear in the number of pixels.

    Args:
        saliency: the map. The sums of a region come from the original scores, not from smoothed ones.
        mass: a share in (0, 1]. With it, the regions are not parted at valleys: they are the connected parts of the fewest
            pixels that hold this share of the scores of each sign. Pixels with equal scores are kept or dropped together.
        max_regions: the most regions to return, 5 by default.
        method: "components" (the default) uses the scores alone. "superpixels" keeps whole superpixels of the image and joins
            adjacent ones. They are waterpixels (Machairas et al. 2015, without the spatial term), or square tiles if the map
            has no image.

    Raises:
        UsageError: `mass`, `max_regions` or `method` is out of range, or given for a map with masks.
    """
    if saliency.masks is not None and (mass, max_regions, method) != (None, None, None):
        raise UsageError(
            "mass, max_regions and method have no effect on a map with masks, which are its regions; leave them out"
        )
    max_regions = 5 if max_regions is None else max_regions
    method = "components" if method is None else method
    if mass is not None and not 0.0 < mass <= 1.0:
        raise UsageError(f"mass is the share of the scores to keep, above 0 and at most 1, not {mass!r}")
    if max_regions < 1:
        raise UsageError(f"max_regions must be at least 1, not {max_regions!r}")
    if method not in get_args(Method):
        raise UsageError(f"method must be one of {', '.join(get_args(Method))}, not {method!r}")
    kept = _cache.setdefault(saliency, {})
    key = (None if mass is None else float(mass), int(max_regions), method)
    if key not in kept:
        kept[key] = _find(saliency, mass, max_regions, method)
    return kept[key]


def _find(saliency: PixelSaliency, mass: float | None, max_regions: int, method: Method) -> tuple[Region, ...]:
    if saliency.masks is not None:
        names = saliency.mask_names or tuple(f"mask {index + 1}" for index in range(len(saliency.masks)))
        return _describe(saliency, list(saliency.masks), names)
    scores = above_floor(saliency)
    largest = float(np.abs(scores).max()) if scores.size else 0.0
    if largest == 0.0:
        return ()
    scaled = (scores / largest).astype(np.float32)
    cut = _cut_superpixels(scaled, saliency.image, mass) if method == "superpixels" else _cut(scaled, mass)
    masks = _strongest_components(cut, scaled, max_regions)
    return _describe(saliency, masks or [np.ones(scores.shape, dtype=bool)], None)


def _cut(scaled: NDArray[np.float32], mass: float | None) -> Labels:
    """(H, W) labels of the regions after the least smoothing that leaves a few of them, or else after the best one."""
    height, width = scaled.shape
    factor = -(-max(height, width) // _WORKING_SIDE)
    small = scaled
    nothing = _NOTHING * float(np.abs(scaled).mean())
    best, best_labels, best_held = scaled, np.zeros(scaled.shape, dtype=np.int32), -1.0
    for blur in _BLURS:
        sigma = blur * float(np.sqrt(height * width)) / factor
        if blur and sigma < 0.5:
            continue
        if blur and factor > 1 and small is scaled:
            size = (-(-width // factor), -(-height // factor))
            small = cv2.resize(scaled, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        field = cv2.GaussianBlur(small, (0, 0), sigma) if blur else small
        labels, held, specks = _components(field, nothing, mass)
        good = held >= _ENOUGH or 0.0 <= specks <= 1.0 - _ENOUGH
        if good or held > best_held:
            best, best_labels, best_held = field, labels, held  # type: ignore[assignment]
        if good:
            break
    if mass is None:
        best_labels = _parted(best, nothing, factor if best.shape == scaled.shape else 1)
    if best_labels.shape != scaled.shape:
        best_labels = cv2.resize(best_labels, (width, height), interpolation=cv2.INTER_NEAREST)  # type: ignore[assignment]
    return best_labels


def _components(field: NDArray[Any], nothing: float, mass: float | None) -> tuple[Labels, float, float]:
    """(H, W) labels, positive components first; the share of the kept mass in the few largest; its share in specks.

    Both shares are -1 if no pixel was kept. Pixels that touch only at a corner are not connected, so that specks stay specks.
    """
    labels = np.zeros(field.shape, dtype=np.int32)
    for sign in (1, -1):
        values = _side(field, sign, nothing)
        if values.any():
            kept = values > _ground(values) if mass is None else _keep(values, mass)
            found = cv2.connectedComponents(kept.astype(np.uint8), connectivity=4)[1]
            labels[found > 0] = found[found > 0] + labels.max()
    weights = np.bincount(labels.ravel(), weights=np.abs(field).ravel())[1:]
    if not weights.size:
        return labels, -1.0, -1.0
    areas = np.bincount(labels.ravel())[1:]
    total = float(weights.sum())
    held = float(np.sort(weights)[-_FEW:].sum()) / total
    return labels, held, float(weights[areas < max(4.0, _SPECK * field.size)].sum()) / total


def _parted(field: NDArray[Any], nothing: float, factor: int) -> Labels:
    """(H, W) labels of the regions of a field, parted at the valleys, which are found at a size reduced by `factor`."""
    labels = np.zeros(field.shape, dtype=np.int32)
    for sign in (1, -1):
        values = _side(field, sign, nothing)
        if not values.any():
            continue
        ground, floor = _ground(values), floor_of_scores(values)
        coarse = _highest(values, factor)
        hills = find_hills(np.maximum(coarse - floor, 0.0), ground - floor, _VALLEY)
        down, across = (min(factor, length) for length in field.shape)
        fine = hills.repeat(down, axis=0).repeat(across, axis=1)[: field.shape[0], : field.shape[1]]
        found = np.where(values > ground, fine, 0)
        labels[found > 0] = found[found > 0] + labels.max()
    return labels


def _side(field: NDArray[Any], sign: int, nothing: float) -> NDArray[Any]:
    return np.where(sign * field > nothing, sign * field, 0.0)


def _ground(values: NDArray[Any]) -> float:
    """The score from which a pixel belongs to a region; `values` are the scores of one sign, 0 where the sign is another."""
    floor = floor_of_scores(values)
    above = np.maximum(values - floor, 0.0)
    return floor + min(_TIMES_MEAN * float(above.mean(dtype=np.float64)), _HALF_WAY * float(above.max()))


def _highest(values: NDArray[Any], factor: int) -> NDArray[Any]:
    """The highest value of each block of `factor` times `factor` pixels, or of as many as a thin field has."""
    if factor == 1:
        return values
    down, across = (min(factor, length) for length in values.shape)
    padded = np.pad(values, [(0, -values.shape[0] % down), (0, -values.shape[1] % across)])
    blocks = padded.reshape(padded.shape[0] // down, down, padded.shape[1] // across, across)
    return blocks.max(axis=(1, 3))  # type: ignore[no-any-return]


def _keep(values: NDArray[Any], mass: float) -> NDArray[np.bool_]:
    """The fewest pixels that hold the share `mass` of the non-negative values. Equal values stay together."""
    ordered = np.sort(values, axis=None)[::-1].astype(np.float64)
    cumulative = np.cumsum(ordered)
    total = float(cumulative[-1])
    last = min(int(np.searchsorted(cumulative, mass * total * (1 - 1e-9))), ordered.size - 1)
    kept = values >= ordered[last] * (1 - 1e-6)
    half = values.size / 2
    if np.count_nonzero(kept) > half:
        level = ordered[int(half)]
        above = values > level * (1 + 1e-6)
        if float(values[above].sum()) >= _STANDS_OUT * total:
            return above  # type: ignore[no-any-return]
    return kept  # type: ignore[no-any-return]


def _strongest_components(labels: Labels, scores: NDArray[np.float32], max_regions: int) -> list[NDArray[np.bool_]]:
    count = int(labels.max()) + 1
    flat = labels.ravel()
    net = np.bincount(flat, weights=scores.ravel(), minlength=count)
    net[0] = 0.0
    strength = np.abs(net)
    order = np.argsort(-strength, kind="stable")
    order = order[strength[order] > _WEAK * float(strength.max())]
    chosen = list(order[:max_regions])
    if float(strength[order[: max(max_regions, _FEW)]].sum()) < _DUST * float(np.abs(scores).sum()):
        return []
    if len(order) > max_regions >= 2:
        missing = [index for index in order[max_regions:] if all(net[index] * net[other] < 0 for other in chosen)]
        chosen[-1:] = missing[:1] or chosen[-1:]
    return [labels == index for index in chosen]


def _cut_superpixels(scaled: NDArray[np.float32], image: NDArray[np.float32] | None, mass: float | None) -> Labels:
    pieces = tiles(scaled.shape) if image is None else waterpixels(image)
    means = np.bincount(pieces.ravel(), weights=scaled.ravel()) / np.maximum(np.bincount(pieces.ravel()), 1)
    return _components(means[pieces], _NOTHING * float(np.abs(scaled).mean()), mass)[0]


def _describe(saliency: PixelSaliency, masks: Sequence[NDArray[np.bool_]], given: Sequence[str] | None) -> tuple[Region, ...]:
    scores = above_floor(saliency)
    largest = float(np.abs(scores).max()) if scores.size else 0.0
    scaled = scores / largest if largest else scores  # so that shares of huge scores don't overflow
    positive_mass, negative_mass = float(np.maximum(scaled, 0).sum()), float(np.maximum(-scaled, 0).sum())
    found: list[dict[str, Any]] = []
    for mask in masks:
        inside = scaled[mask]
        with np.errstate(over="ignore"):  # a sum too large for a float becomes infinite; the shares stay finite
            sums = float(np.maximum(scores[mask], 0).sum()), float(np.maximum(-scores[mask], 0).sum())
        positive, negative = float(np.maximum(inside, 0).sum()), float(np.maximum(-inside, 0).sum())
        frozen = mask.copy()
        frozen.setflags(write=False)
        found.append(
            {
                "mask": frozen,
                "positive": sums[0],
                "negative": sums[1],
                "positive_share": positive / positive_mass if positive_mass else 0.0,
                "negative_share": negative / negative_mass if negative_mass else 0.0,
                "area": len(inside) / scores.size if scores.size else 0.0,
                "bbox": bounding_box(mask),
                "centre": centre_of(mask),
                "place": place_in_words(mask, scores.shape),
                "colour": _colour(saliency, mask, inside),
            }
        )
    names = list(given) if given is not None else [_name(region["colour"], region["place"]) for region in found]
    unique = _number(names) if given is not None else _tell_apart(names, found)
    return tuple(Region(**region, name=name) for region, name in zip(found, unique, strict=True))


def _colour(saliency: PixelSaliency, mask: NDArray[np.bool_], inside: Floats) -> str | None:
    if saliency.image is None or not inside.size:
        return None
    weights = np.abs(inside)
    if not weights.any():
        weights = np.ones_like(weights)
    return dominant_colour(saliency.image[mask], weights)


def _name(colour: str | None, place: str) -> str:
    if place == WHOLE:
        return place
    return f"{colour or ''} region {located(place)}".strip()


ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def _tell_apart(names: Sequence[str], found: Sequence[dict[str, Any]]) -> list[str]:
    """Make names unique: by size, or by ordinals in reading order if more than three share a name or sizes are equal."""
    by_name: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        by_name.setdefault(name, []).append(index)
    unique = list(names)
    for name, same in by_name.items():
        if len(same) < 2:
            continue
        sizes = {found[index]["area"] for index in same}
        if len(same) <= 3 and len(sizes) == len(same):
            same.sort(key=lambda index: -found[index]["area"])
            words: tuple[str, ...] = ("larger", "smaller") if len(same) == 2 else ("largest", "middle-sized", "smallest")
        else:
            same.sort(key=_reading_order(found))
            words = tuple(ORDINALS[n] if n < len(ORDINALS) else f"{n + 1}." for n in range(len(same)))
        for word, index in zip(words, same, strict=True):
            unique[index] = f"{word} {name}"
    return unique


def _reading_order(found: Sequence[dict[str, Any]]) -> Callable[[int], tuple[float, float, int]]:
    return lambda index: (*found[index]["centre"], index)


def _number(names: Sequence[str]) -> list[str]:
    """Make the names of masks unique: to each repeated name, add the first number with which no other mask has that name."""
    taken = set(names)
    unique: list[str] = []
    for name in names:
        chosen, number = name, 0
        while names.count(name) > 1 and (chosen in taken or chosen in unique):
            number += 1
            chosen = f"{name} {number}"
        unique.append(chosen)
    return unique
