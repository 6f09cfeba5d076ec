"""Pixel maps from grey pictures (unsigned, 0 to 1) and from two-dimensional `.npy` arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.errors import UsageError
from saywhy_core.images import load_array, read_image
from verbalize.formats.format import Format, ReadOptions
from verbalize.saliency import PixelSaliency, SaliencyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")


def _read_file(path: Path, options: ReadOptions) -> Iterator[PixelSaliency]:
    """Read the pixel map in a file, and the picture it belongs to where the options name one.

    Raises:
        SaliencyError: an unreadable picture, a picture in colour, an array that is not two-dimensional and numeric.
    """
    if path.suffix.lower() == ".npy":
        scores = _array(path)
        signed = bool(scores.size) and bool(scores.min() < 0)
    else:
        scores, signed = _grey(path), False
    image = None if options.image is None else _read(options.image, 3)
    yield PixelSaliency(scores, options.query(), image=image, signed=signed, id=path.stem)


def _array(path: Path) -> NDArray[np.float64]:
    try:
        array = load_array(path)
    except UsageError as error:
        raise SaliencyError(str(error)) from None
    if array.ndim != 2 or not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
        raise SaliencyError(f"{str(path)!r} holds {array.dtype} of shape {array.shape}; a map is numeric (height, width)")
    return np.asarray(array, dtype=np.float64)


def _read(source: Any, channels: int | None = None) -> NDArray[np.float32]:
    try:
        return read_image(source, channels=channels)
    except UsageError as error:
        raise SaliencyError(str(error)) from None


def _grey(path: Path) -> NDArray[np.float64]:
    pixels = _read(path)
    if not (pixels == pixels[:, :, :1]).all():
        raise SaliencyError(f"{str(path)!r} is in colour; a map is grey (colours can't be read back into numbers)")
    return pixels[:, :, 0].astype(np.float64)


FORMAT = Format("pixels", "a grey PNG or a 2-D NPY array", suffixes=(".npy", *_IMAGE_SUFFIXES), read_file=_read_file)
