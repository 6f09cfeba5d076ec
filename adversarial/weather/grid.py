"""The values that images may have: what is checked before a change, and the levels of an endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.classifiers.callable_classifier import NOT_FINITE
from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def checked(image: ArrayLike) -> NDArray[np.float32]:
    """An image (H, W, C) as float32.

    Raises:
        UsageError: it has another shape, or values that are no floats in [0, 1].
    """
    found = np.asarray(image)
    if found.ndim != 3 or not found.size:
        raise UsageError(f"an image must be an array (H, W, C) with at least one pixel, not of shape {found.shape}")
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise UsageError(NOT_FINITE)
    if found.dtype.kind != "f" or not (found.min() >= 0 and found.max() <= 1):  # NaN fails this comparison as well
        raise UsageError("the values of an image must be floats in [0, 1]; divide by the largest possible value")
    return np.ascontiguousarray(found, dtype=np.float32)


def check_levels(levels: int | None) -> None:
    """See whether a number of levels is None or a whole number of at least 2.

    Raises:
        UsageError: it is neither.
    """
    if levels is not None and (not isinstance(levels, int) or isinstance(levels, bool) or levels < 2):
        raise UsageError(f"{argument('levels')} must be a whole number of 2 or more, or None, not {levels!r}")


def on_grid(images: NDArray[np.floating], levels: int | None) -> NDArray[np.float32]:
    """Values cut off at 0 and 1, and rounded to multiples of 1 / (levels - 1) where `levels` is given, as float32."""
    cut = np.clip(images, 0, 1)
    if levels is not None:
        cut = np.rint(cut * (levels - 1)) / (levels - 1)
    return np.asarray(cut, dtype=np.float32)
