"""RISE (Petsiuk, Das and Saenko 2018): the mean score of randomly masked images in which a pixel is kept.

A mask is a grid of s×s cells, each 1 with probability p and 0 otherwise, enlarged bilinearly to (s+1) cells of ceil(H/s) ×
ceil(W/s) pixels and cut to H×W at a random shift of less than one cell. With the score f of a masked image, the
importance of pixel u is the mean score over the masks M that keep it:

    S(u) = 1 / (N p) · sum_i f(I ∘ M_i) M_i(u)

Departures:
- The mean score of all masked images is subtracted from each f before. What is left is p-weighted evidence with a sign: above
  zero where keeping the pixel raises the score above the average, below zero where it lowers it. Without this, a score that may
  be negative (a logit, or the difference of two for a contrastive query) would add its mean, times the density of the masks.
- f is the score of the query, not a probability.
- Absent pixels have the values of `baseline` ("black" is that of the paper): I ∘ M is baseline + (image - baseline) · M.

Only scores are asked for, so that it explains black boxes. The masks depend on `seed`, their settings and the size of the image
alone: every image of a batch sees the same ones, and `batch_size` changes none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from saywhy_core.errors import UsageError
from verbalize.attribution.method import Explainer, Method

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verbalize.attribution.image_question import ImageQuestion

_MASKS, _CELLS, _KEEP = 2000, 7, 0.5  # s and p as in the paper, which takes 4000 masks or more


def _pixels(question: ImageQuestion) -> torch.Tensor:
    """The centred mean score of `masks` random masks, N×1×H×W; at most `batch_size` masked images in one call of the model."""
    masks = _whole(question, "masks", _MASKS, 2)
    cells = _whole(question, "cells", _CELLS, 1)
    keep = question.options.get("keep", _KEEP)
    if isinstance(keep, bool) or not isinstance(keep, int | float) or not 0 < keep < 1:
        raise UsageError(f"keep must be a probability between 0 and 1, not {keep!r}")
    images, absent = question.batch, question.baseline
    height, width = images.shape[2:]
    generator = torch.Generator().manual_seed(question.seed)
    weighted = torch.zeros(len(images), height * width, dtype=torch.float64, device=images.device)
    scores = weighted.new_zeros(len(images))
    covers = weighted.new_zeros(height * width)
    grids, shifts = _drawn(masks, (height, width), cells, keep, generator)  # at once, so that batches change no mask
    for start in range(0, masks, question.batch_size):
        chosen = slice(start, start + question.batch_size)
        kept = _enlarged(grids[chosen], [one[chosen] for one in shifts], (height, width)).to(images)
        count = len(kept)
        flat = kept.flatten(1).double()
        covers += flat.sum(dim=0)
        for row, (image, empty) in enumerate(zip(images, absent, strict=True)):
            masked = torch.lerp(empty, image, kept[:, None])
            with torch.no_grad():
                found = question.score(masked, question.rows.new_full((count,), row)).to(weighted)
            weighted[row] += found @ flat
            scores[row] += found.sum()
    centred = weighted - scores[:, None] / masks * covers
    return (centred / (masks * keep)).reshape(-1, 1, height, width)


def draw_masks(count: int, size: tuple[int, int], *, cells: int, keep: float, generator: torch.Generator) -> torch.Tensor:
    """Random smooth masks: count×H×W in [0, 1].

    The enlarged grid is not made as a whole. Bilinear interpolation is a weighted sum of grid rows, then of grid columns; the
    shift only moves the places at which it is taken.
    """
    return _enlarged(*_drawn(count, size, cells, keep, generator), size)


def _drawn(
    count: int, size: tuple[int, int], cells: int, keep: float, generator: torch.Generator
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The grids, count×cells×cells of 0 and 1, and the shifts down and across, (count,) pixels each."""
    grids = (torch.rand(count, cells, cells, generator=generator) < keep).float()
    return grids, [torch.randint(-(-length // cells), (count,), generator=generator) for length in size]


def _enlarged(grids: torch.Tensor, shifts: list[torch.Tensor], size: tuple[int, int]) -> torch.Tensor:
    """The masks of grids at their shifts: count×H×W."""
    cells = grids.shape[1]
    rows, columns = (_interpolation(length, cells, moved) for length, moved in zip(size, shifts, strict=True))
    return rows @ grids @ columns.mT


def _interpolation(length: int, cells: int, shifts: torch.Tensor) -> torch.Tensor:
    """The weight of each of the cells at each of the pixels, for each shift: count×length×cells."""
    cell = -(-length // cells)
    places = torch.arange(length) + shifts[:, None]
    centres = ((places + 0.5) * cells / ((cells + 1) * cell) - 0.5).clamp(0, cells - 1)
    return (1 - (centres[:, :, None] - torch.arange(cells)).abs()).clamp(min=0)


def _whole(question: ImageQuestion, name: str, default: int, least: int) -> int:
    value = question.options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UsageError(f"{name} must be a whole number of {least} or more, not {value!r}")
    return value


def _passes(settings: Mapping[str, Any], _size: tuple[int, ...]) -> int:
    return int(settings.get("masks", _MASKS))


RISE = Method(
    "RISE, the mean score of randomly masked images that keep a pixel (Petsiuk et al. 2018)",
    pixels=Explainer(
        _pixels, uses=("baseline", "masks", "cells", "keep", "seed"), signed=True, needs="scores", batched=True, passes=_passes
    ),
)
