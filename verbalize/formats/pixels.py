"""Pixel maps: a grey PNG (unsigned, 0 to 1) or a 2-D NPY array."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from verbalize.saliency import PixelSaliency, SaliencyError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from verbalize.formats._common import ReadOptions

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")


def read(path: Path, options: ReadOptions) -> PixelSaliency:
    """The map in a file.

    Raises:
        SaliencyError: an unreadable picture, a picture in colour, an array that is not two-dimensional and numeric.
    """
    if path.suffix.lower() == ".npy":
        scores = _array(path)
        signed = bool(scores.size) and bool(scores.min() < 0)
    else:
        scores, signed = _grey(path), False
    image = read_image(options.image) if isinstance(options.image, (str, Path)) else options.image
    return PixelSaliency(scores, options.query(), image=image, signed=signed, id=path.stem)


def read_image(path: str | Path) -> NDArray[np.float32]:
    """A picture as (H, W, 3) float32 in [0, 1], RGB.

    Raises:
        SaliencyError: the file is no picture that can be read.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return np.asarray(np.asarray(picture.convert("RGB")) / np.float32(255), dtype=np.float32)
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError) as error:
        raise SaliencyError(f"the picture {str(path)!r} can't be read: {error}") from None


def _array(path: Path) -> NDArray[np.float64]:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise SaliencyError(f"the array file {str(path)!r} can't be read: {error}") from None
    if array.ndim != 2 or not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
        raise SaliencyError(f"{str(path)!r} holds {array.dtype} of shape {array.shape}; a map is numeric (height, width)")
    return np.asarray(array, dtype=np.float64)


def _grey(path: Path) -> NDArray[np.float64]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            pixels: NDArray[Any] = np.asarray(picture if picture.mode not in ("P", "1") else picture.convert("RGB"))
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError) as error:
        raise SaliencyError(f"the picture {str(path)!r} can't be read: {error}") from None
    if pixels.ndim == 3:
        grey = pixels[:, :, :3]
        if not (grey == grey[:, :, :1]).all():
            raise SaliencyError(f"{str(path)!r} is in colour; a map is grey (colours can't be read back into numbers)")
        pixels = grey[:, :, 0]
    top = {"uint8": 255.0, "uint16": 65535.0, "int32": 65535.0}.get(str(pixels.dtype), 1.0)
    return pixels.astype(np.float64) / top
