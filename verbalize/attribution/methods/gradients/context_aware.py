"""Context-aware saliency (Goferman, Zelnik-Manor and Tal 2012): places whose surroundings look like few other places.

For the patch p_i around place i and another patch q_k, with values in [0, 1] and distances between places in units of the
longer side of the picture:

    d(p_i, q_k) = |p_i - q_k| / (1 + c · |i - k|),   c = 3

At the scale r, the place is salient if even the K most similar patches are dissimilar, where the patches q_k come
from the scales r, r/2 and r/4:

    S_r(i) = 1 - exp(-mean_k d(p_i, q_k))

The mean over the scales 1, 0.8, 0.5 and 0.3 is S. Places where S is above 0.8 of its maximum are foci of attention, and
places far from them lose, with the distance from the nearest focus in units of the longer side:

    S'(i) = S(i) (1 - d_focus(i))

Departures: the values are taken as they are, not as colours L*a*b; the norm of a difference of patches is divided by the root
of their number of values, so that it is in [0, 1], too; a patch is one of its own most similar ones, which the paper leaves
open; and the prior for the middle of the picture, which belongs to photographs, is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from scipy.ndimage import distance_transform_edt
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

SCALES = (1.0, 0.8, 0.5, 0.3)
NEIGHBOURS, PATCH = 64, 7  # K, and the side of a patch in pixels
_SIDE = 250  # pixels: larger pictures are reduced to this longer side
_NEARNESS = 3.0  # c
_FOCUS = 0.8
_PAIRS = 2**21  # distances that are in memory at once


def context_aware_saliency(
    values: torch.Tensor,
    *,
    patch: int = PATCH,
    neighbours: int = NEIGHBOURS,
    scales: Sequence[float] = SCALES,
) -> torch.Tensor:
    """The saliency of each place of a picture, in [0, 1].

    Args:
        values: C×H×W in [0, 1].
        patch: the side of a patch, in pixels.
        neighbours: the number K of most similar patches.
        scales: the sizes of the picture, as shares, whose saliency is averaged.

    Returns:
        H×W.
    """
    height, width = values.shape[1:]
    longer = min(1.0, _SIDE / max(height, width))
    found = []
    for scale in scales:
        here = _patches(values, scale * longer, patch)
        others = [here, *(_patches(values, scale * longer * part, patch) for part in (0.5, 0.25))]
        saliency = _dissimilarity(here, others, neighbours).reshape(1, 1, *here.size)
        found.append(functional.interpolate(saliency, size=(height, width), mode="bilinear", align_corners=False)[0, 0])
    mean = torch.stack(found).mean(dim=0)
    if float(mean.max()) <= 0:
        return mean
    far = distance_transform_edt((mean < _FOCUS * mean.max()).cpu().numpy())
    return mean * (1 - torch.from_numpy(far).to(mean) / max(height, width)).clamp(min=0)


@dataclass(frozen=True)
class _Patches:
    """Patches that overlap by half: P×V values, P×2 places in units of the longer side, and how many rows and columns."""

    values: torch.Tensor
    places: torch.Tensor
    size: tuple[int, int]


def _patches(picture: torch.Tensor, scale: float, patch: int) -> _Patches:
    """The patches of the reduced picture, which goes on with its last values at the edges."""
    height, width = picture.shape[1:]
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    small = functional.interpolate(picture[None], size=size, mode="bilinear", align_corners=False, antialias=True)
    half, step = patch // 2, max(1, patch // 2)
    padded = functional.pad(small, (half, patch - 1 - half, half, patch - 1 - half), mode="replicate")
    values = functional.unfold(padded, patch, stride=step)[0].mT
    rows, columns = (torch.arange(0, length, step, device=picture.device) for length in size)
    grid = torch.cartesian_prod(rows / size[0] * height, columns / size[1] * width).reshape(-1, 2)
    return _Patches(values / values.shape[1] ** 0.5, grid / max(height, width), (len(rows), len(columns)))


def _dissimilarity(here: _Patches, others: Sequence[_Patches], neighbours: int) -> torch.Tensor:
    """S_r of each patch: how far it is from its K most similar ones."""
    values = torch.cat([one.values for one in others])
    places = torch.cat([one.places for one in others]).to(values)
    count = min(neighbours, len(values))
    found = []
    for start in range(0, len(here.values), max(1, _PAIRS // len(values))):
        chosen = slice(start, start + max(1, _PAIRS // len(values)))
        apart = 1 + _NEARNESS * torch.cdist(here.places[chosen].to(values), places)
        distances = torch.cdist(here.values[chosen], values, compute_mode="donot_use_mm_for_euclid_dist") / apart
        found.append(-torch.expm1(-distances.topk(count, dim=1, largest=False).values.mean(dim=1)))
    return torch.cat(found)
