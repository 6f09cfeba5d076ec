"""Decoded pictures of Pillow as arrays, stripe by stripe, so that little more memory is taken than the array's."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray
    from PIL.Image import Image

STRIPE = 2**20  # pixels that are worked on at a time
_ORIENTATION = 0x0112  # the EXIF tag


def _as_it_is(array: NDArray[Any]) -> NDArray[Any]:
    return array


# What brings pixels upright, and what brings them back, by the value of the EXIF orientation tag. All of them are views.
_TURNS: dict[int, tuple[Callable[[NDArray[Any]], NDArray[Any]], Callable[[NDArray[Any]], NDArray[Any]]]] = {
    2: (lambda a: a[:, ::-1],) * 2,
    3: (lambda a: a[::-1, ::-1],) * 2,
    4: (lambda a: a[::-1],) * 2,
    5: (lambda a: a.swapaxes(0, 1),) * 2,
    6: (lambda a: np.rot90(a, -1), lambda a: np.rot90(a)),
    7: (lambda a: a[::-1, ::-1].swapaxes(0, 1),) * 2,
    8: (lambda a: np.rot90(a), lambda a: np.rot90(a, -1)),
}


def load(image: Image) -> None:
    """Load the pixels of a Pillow image without mapping its file into memory, and without a word on standard error.

    Pillow maps uncompressed files. In a TIFF that is stored on its side it then swaps height and width before it reads the
    rows, and the pixels come out scrambled.
    """
    if image.format != "TIFF":
        image.load()
        return
    name = getattr(image, "filename", "")
    image.filename = ""  # type: ignore[attr-defined]  # files have the attribute; without a name there is nothing to map
    try:
        with _silent():
            image.load()
    finally:
        image.filename = name  # type: ignore[attr-defined]


@contextmanager
def _silent() -> Iterator[None]:
    """Keep libtiff from writing about damaged files to standard error, which is closed to everybody for the block.

    It writes past Python and can't be told not to. The caller reports what is wrong.
    """
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # a process without standard error
        yield
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def orientation_of(image: Image) -> int:
    """The EXIF orientation of a loaded picture; a TIFF file was turned upright when it was loaded, and has none any more."""
    return int(image.getexif().get(_ORIENTATION, 1))


def stripes(image: Image) -> Iterator[Image]:
    """The parts of an image from top to bottom, each of full width."""
    height = max(1, STRIPE // image.width)
    for top in range(0, image.height, height):
        yield image.crop((0, top, image.width, min(top + height, image.height)))


def upright(
    size: tuple[int, int],
    channels: int,
    orientation: int,
    parts: Iterable[NDArray[Any]],
    *,
    added_to: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """An image from its stripes as they are stored, turned upright.

    Args:
        size: width and height as stored.
        channels: of the image.
        orientation: the value of the EXIF tag.
        parts: arrays, one per stripe.
        added_to: an upright image that the numbers are added to; without it, there is a new one.
    """
    width, height = size
    turn, back = _TURNS.get(orientation, (_as_it_is, _as_it_is))
    if added_to is None:
        made = np.zeros(turn(np.broadcast_to(np.float32(0), (height, width, channels))).shape, dtype=np.float32)
    else:
        made = added_to
    stored = back(made)
    top = 0
    for part in parts:
        stored[top : top + len(part)] += part.reshape(len(part), width, channels)
        top += len(part)
    return made
