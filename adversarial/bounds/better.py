"""Two lower bounds on the pixels that flip an image, by a proof and by a Lipschitz constant: the better one counts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from adversarial.bounds.pixel_bound import PixelBound
    from adversarial.bounds.radii.verdict import Bound


def larger_lower_bound(proved: PixelBound, grid: Bound, pixels: int) -> tuple[int, str]:
    """The larger of two lower bounds on the fewest pixels that flip an image, and the condition under which it holds.

    That of a grid counts only where it is certain, in L0, for any class, and where the grid covers every pixel of the image;
    a bound on a few chosen pixels says nothing of the others. At a tie the proof counts, which needs no constant.

    Args:
        proved: by `fewest_pixels`.
        grid: by `grid_bound`, about the same image.
        pixels: those of the image, height times width.

    Raises:
        UsageError: the bounds are about images of different classes.
    """
    if grid.label != proved.label:
        raise UsageError(f"the bounds are about different images: of class {proved.label} and of class {grid.label}")
    if grid.norm != "l0" or not grid.certain or grid.target is not None or len(set(grid.pixels)) < pixels:
        return proved.lower, proved.condition
    least = pixels + 1 if grid.radius == math.inf else math.ceil(grid.radius)
    return (proved.lower, proved.condition) if proved.lower >= least else (least, grid.condition)
