"""The grid that images are kept to, so that what is found survives being saved as a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Levels: TypeAlias = int | Literal["auto", "any"] | None

AUTO: Final = "auto"
ANY: Final = "any"
PICTURE = 256  # levels per channel of an 8-bit picture
MOST_LEVELS = 65536  # of a 16-bit picture; 32-bit floats could hold no more than some 16 million
LARGE = 27_648  # numbers of an image, above which levels are found in single precision: double precision takes a while
IN_CACHE = 65_536  # numbers at a time
ROUNDING = 2.0**-22  # two spacings of the floats below 1: dividing by 255 and multiplying by 1/255 differ by less


def check_levels(levels: object) -> None:
    """See whether `levels` is "auto", "any", None or a whole number that a channel can have.

    Raises:
        UsageError: it is anything else.
    """
    whole = isinstance(levels, (int, np.integer)) and not isinstance(levels, bool)
    named = levels is None or (isinstance(levels, str) and levels in (AUTO, ANY))
    if not named and not (whole and 2 <= int(levels) <= MOST_LEVELS):  # type: ignore[call-overload]
        raise UsageError(
            f"{argument('levels')} must be a whole number from 2 to {MOST_LEVELS:,}, {AUTO!r}, or {ANY!r} for any numbers, "
            f"not {levels!r}"
        )


def read_levels(text: str) -> int | str:
    """The levels that a text on the command line says: a whole number as one, anything else as it stands."""
    return int(text) if text.isdecimal() else text


def levels_for(levels: Levels, travels: int | None, image: NDArray[np.float32]) -> int | None:
    """How many levels per channel the search in an image keeps to; None for any numbers.

    Args:
        levels: a number, which holds; None or "any" for any numbers; "auto" for the levels of the pictures that the classifier
            is sent, and without these 256 where the image is one of 8 bits.
        travels: how many levels the pictures have that the classifier is sent; None where it is sent numbers.
        image: (H, W, C) in [0, 1], the original.
    """
    if levels == AUTO:
        return travels if travels is not None else PICTURE if is_picture(image) else None
    return None if levels is None or isinstance(levels, str) else int(levels)


def is_picture(image: NDArray[np.float32]) -> bool:
    """Whether every value of an image in [0, 1] is one of an 8-bit picture, up to the rounding of 32-bit floats."""
    return bool((np.abs(on_grid(image, PICTURE) - image) <= ROUNDING).all())


def on_grid(images: NDArray[np.float32], levels: int | None) -> NDArray[np.float32]:
    """The nearest images whose values are multiples of 1 / (levels - 1); the images themselves where there is no such limit."""
    if levels is None:
        return images
    if math.prod(images.shape[-3:]) <= LARGE or levels > PICTURE:
        return np.asarray(np.rint(images.astype(np.float64) * (levels - 1)).astype(np.float32) / np.float32(levels - 1))
    # single precision, a part at a time that stays in the processor's cache: it errs only where two levels are equally near
    steps, given = np.float32(levels - 1), np.ascontiguousarray(images, dtype=np.float32).ravel()
    nearest = np.empty_like(given)
    for start in range(0, len(given), IN_CACHE):
        part = np.multiply(given[start : start + IN_CACHE], steps, out=nearest[start : start + IN_CACHE])
        np.divide(np.rint(part, out=part), steps, out=part)
    return nearest.reshape(images.shape)
