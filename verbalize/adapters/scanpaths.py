"""A scanpath as a map of where the gaze was, with the order of the regions that it visited."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.arrays import to_numpy
from saywhy_core.errors import UsageError
from verbalize.adapters.boxes import checked_size
from verbalize.adapters.given import SHARED, check_fields
from verbalize.adapters.segments import with_segments
from verbalize.adapters.spoken import spoken
from verbalize.parts.regions import find_regions
from verbalize.saliency import PixelSaliency, Query
from verbalize.write.naming import capital, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from verbalize.adapters.segments import Names
    from verbalize.saliency import Floats

_SIGMA = 0.05  # of the longer side; a picture that fills 20 degrees of the visual field is blurred by about one degree


_LARGEST = 1e15  # numbers up to it are exact as pixels, and their sums and products finite


@dataclass(frozen=True, slots=True)
class Visit:
    """Consecutive fixations in one region.

    Args:
        name: the region; `None` if the fixations lie in none.
        start: the time that was fixated before it, in the unit of the durations. Saccades don't count.
        duration: the sum of its fixations.
        fixations: how many there are.
    """

    name: str | None
    start: float
    duration: float
    fixations: int


@dataclass(frozen=True, eq=False)
class Scanpath:
    """A scanpath as a map and as visits to its regions.

    Args:
        saliency: an unsigned map: the duration of the fixations, blurred inside the regions.
        visits: the visits, in order.
        outside: fixations that lie outside the picture and count nowhere.
    """

    saliency: PixelSaliency
    visits: tuple[Visit, ...]
    outside: int = 0

    @property
    def order(self) -> tuple[str, ...]:
        """The regions, in the order in which the gaze first reached them."""
        return tuple(dict.fromkeys(visit.name for visit in self.visits if visit.name is not None))

    def in_words(self, most: int = 4) -> str:
        """The order in which the gaze reached the regions, and the region that it was on longest.

        Every sentence is computed from the fixations. Claims about maps speak of importance, and none of them of order, so that
        these sentences are no claims; those of a verbalizer about `saliency` are.

        Args:
            most: the most regions to name in order.

        Raises:
            UsageError: `most` is below 1.
        """
        if most < 1:
            raise UsageError(f"most is how many regions are named, 1 or more, not {most!r}")
        if not self.visits:
            return "No fixation lies in the picture."
        names = [spoken(name, self.saliency) for name in self.order]
        if not names:
            return "No fixation lies in a region."
        more = len(names) - most
        listing = names[:most] + ([f"{more} more region{'s' if more > 1 else ''}"] if more > 0 else [])
        said = [f"{capital(listing[0])} is the only region that the gaze reached."]
        if len(names) > 1:
            said = [f"The gaze reached {listing[0]} first, then {listed(listing[1:], 'and then' if more <= 0 else 'and')}."]
        held = {name: sum(visit.duration for visit in self.visits if visit.name == name) for name in self.order}
        best = max(held, key=held.__getitem__)
        total = sum(visit.duration for visit in self.visits)
        if len(names) > 1 and list(held.values()).count(held[best]) == 1:
            said.append(f"It was on {spoken(best, self.saliency)} longest: {held[best]:.3g} of {total:.3g}.")
        return " ".join(said)


def scanpath_to_map(
    fixations: Any,
    image_size: Sequence[int],
    query: Query,
    *,
    segments: Any = None,
    names: Names = None,
    sigma: float | None = None,
    **fields: Any,
) -> Scanpath:
    """A map of where the gaze was, and the visits to its regions in order.

    Each fixation adds its duration at its pixel, and the map is blurred by a Gaussian whose total stays 1, as usual for
    fixation maps (Le Meur and Baccino 2013). A pixel, and a fixation on it, belongs to the smallest segment that holds it; a
    larger one is left with the pixels around. With segments, the blur does not leave the region of the fixation (the rest of
    the picture counts as one), so that the sum of the scores in a region is the time that the gaze was on it.

    Args:
        fixations: (N, 3) x, y and duration of each, in order, or (N, 2) without durations, which then count 1 each. x counts
            pixels from the left, y from the top.
        image_size: (height, width) in pixels.
        query: what the gaze answers, such as `Query("looking for a mug")`.
        segments: the regions, as `with_segments` takes them; by default those that the map itself falls into.
        names: the names of the segments.
        sigma: the standard deviation of the blur in pixels, up to the longer side, of which it is a twentieth by default; 0 for
            none.
        **fields: other arguments of `PixelSaliency`, such as `image` and `id`.

    Raises:
        UsageError: the fixations have another shape, a number is not finite, a duration is negative, `sigma` is out of range,
            or names are given without segments.
    """
    check_fields(fields, (*SHARED, "image"))
    size = checked_size(image_size)
    rows = _rows(fixations)
    spread = _SIGMA * max(size) if sigma is None else float(sigma)
    if not 0.0 <= spread <= max(size):
        raise UsageError(f"sigma is a number of pixels from 0 to {max(size)}, the longer side of the picture, not {sigma!r}")
    if names is not None and segments is None:
        raise UsageError("names are those of the segments; give segments, too, or leave them out")
    column, line = (np.floor(rows[:, axis]).astype(np.int64) for axis in (0, 1))
    seen = (line >= 0) & (line < size[0]) & (column >= 0) & (column < size[1])
    line, column, durations = line[seen], column[seen], rows[seen, 2]
    fields.setdefault("method", "fixations")
    saliency = PixelSaliency(np.zeros(size), query, signed=False, floor=0.0, **fields)
    owners = np.zeros(size, dtype=np.int64)
    if segments is not None:
        saliency = with_segments(saliency, segments, names)
        saliency, owners = _apart(saliency)
    saliency = replace(saliency, scores=_blurred(line, column, durations, owners, spread))
    visits = _visits(saliency, line, column, durations) if len(line) else ()
    return Scanpath(saliency, visits, int(np.count_nonzero(~seen)))


def _apart(saliency: PixelSaliency) -> tuple[PixelSaliency, NDArray[np.int64]]:
    """The map with regions that don't overlap, each pixel in the smallest one, and (H, W) the number of its region or -1."""
    masks = np.asarray(saliency.masks)
    owners = np.full(saliency.shape, -1, dtype=np.int64)
    for index in np.argsort(-masks.sum(axis=(1, 2)), kind="stable").tolist():
        owners[masks[index]] = index
    left = [index for index in range(len(masks)) if (owners == index).any()]
    names = tuple(saliency.mask_names[index] for index in left) if saliency.mask_names else None
    return replace(saliency, masks=np.stack([owners == index for index in left]), mask_names=names), owners


def _blurred(
    line: NDArray[np.int64], column: NDArray[np.int64], durations: Floats, owners: NDArray[np.int64], sigma: float
) -> Floats:
    """(H, W) the durations at their pixels, blurred inside the part of the picture that owns these pixels."""
    from scipy.ndimage import gaussian_filter

    found = np.zeros(owners.shape)
    for owner in np.unique(owners[line, column]).tolist():
        inside = owners == owner
        chosen = inside[line, column]
        plane = np.zeros(owners.shape)
        np.add.at(plane, (line[chosen], column[chosen]), durations[chosen])
        total = plane.sum()
        if sigma and total:
            plane = np.where(inside, gaussian_filter(plane, sigma, mode="reflect"), 0.0)
            plane *= total / plane.sum()
        found += plane
    return found


def _rows(fixations: Any) -> NDArray[np.float64]:
    found = np.asarray(to_numpy(fixations), dtype=np.float64)
    if found.ndim == 1 and not found.size:  # an empty list
        found = np.zeros((0, 3))
    if found.ndim != 2 or found.shape[1] not in (2, 3):
        raise UsageError(f"fixations are (N, 3) x, y and duration, or (N, 2) x and y, not an array of shape {found.shape}")
    if not np.isfinite(found).all():
        raise UsageError("a fixation is not a finite number; leave out those that the tracker lost")
    if found.shape[1] == 2:
        found = np.column_stack([found, np.ones(len(found))])
    if found[:, 2].min(initial=0.0) < 0:
        raise UsageError("a fixation has a negative duration")
    if np.abs(found).max(initial=0.0) > _LARGEST:
        raise UsageError(f"a fixation has a number above {_LARGEST:.0e}; give pixels, and durations in seconds or milliseconds")
    return found


def _visits(
    saliency: PixelSaliency, line: NDArray[np.int64], column: NDArray[np.int64], durations: NDArray[np.float64]
) -> tuple[Visit, ...]:
    regions = sorted(find_regions(saliency), key=lambda region: region.area)
    inside = np.array([region.mask[line, column] for region in regions], dtype=bool).reshape(len(regions), len(line))
    where = [regions[int(held.argmax())].name if held.any() else None for held in inside.T]
    starts = np.concatenate([[0.0], np.cumsum(durations)[:-1]])
    changes = [index for index in range(len(where)) if index == 0 or where[index] != where[index - 1]]
    return tuple(
        Visit(where[first], float(starts[first]), float(durations[first:last].sum()), last - first)
        for first, last in zip(changes, [*changes[1:], len(where)], strict=True)
    )
