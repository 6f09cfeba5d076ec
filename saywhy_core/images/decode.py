"""The image policy: how a file, a Pillow image or an array becomes height x width x channels in [0, 1] (docs/images.md)."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.errors import UsageError
from saywhy_core.images.opening import check_size, opened_picture
from saywhy_core.images.png import bare_png

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image

    from saywhy_core.reading.regular_files import MeteredFile

POLICY = 3
"""Changes whenever some file is read differently than before, so that what is kept by a file's content is not mixed up."""

PICTURES = frozenset(
    {".apng", ".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm"}
    | {".tga", ".tif", ".tiff", ".webp"}
)
"""The endings by which pictures are found in folders; a picture given by its own path may have any ending."""

_BYTE, _WORD = np.float32(255), np.float32(65535)
_ORIENTATION = 0x0112  # the EXIF tag
_PHOTOMETRIC = 262  # the TIFF tag that says what the numbers mean; 0 is "white is zero"
_DEEP = re.compile(r"(RGB|RGBA|RGBX|LA);16[BLN]")  # Pillow's names of stored pixels that it would cut to 8 bits
_SLACK = 1e-6  # what rounding in float32 may put below 0 or above 1

# What brings pixels upright, by the value of the EXIF orientation tag.
_UPRIGHT: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


def decode_file(path: Path) -> NDArray[np.float32]:
    """Read a picture file, such as PNG, JPEG, TIFF, WebP, GIF or BMP, as H×W×C.

    Raises:
        UsageError: there is no such file, it is no picture that can be read, or it is larger than the ceilings allow.
    """
    with opened_picture(path) as (opened, stream):
        rawmode, top = _stored(opened)
        if opened.format == "PPM" and opened.mode == "RGB" and isinstance(top, int) and top > 255:
            return _decode_deep(stream, opened, top=top)
        if _DEEP.fullmatch(rawmode):
            return _decode_deep(stream, opened, grey=rawmode.startswith("LA"))
        return decode_pil(opened)


def decode_pil(image: Image) -> NDArray[np.float32]:
    """The pixels of a Pillow image as H×W×C: 1 channel for grey modes, 3 for all others.

    Raises:
        UsageError: the values have no known range, or there are more pixels than the ceiling allows.
    """
    check_size(image.size)
    _load(image)  # a TIFF file is turned upright by this, and then has no orientation any more
    orientation = image.getexif().get(_ORIENTATION, 1)
    values: NDArray[Any]
    if image.mode == "F":
        values = decode_array(np.asarray(image))
    elif image.mode == "I" or image.mode.startswith("I;16"):
        whole = np.asarray(image)
        if whole.size and (whole.min() < 0 or whole.max() > 65535):
            raise UsageError("its whole numbers leave 0 to 65,535; save it with 8 or 16 bits per channel")
        values = whole.astype(np.float32) / _WORD
        if image.mode.startswith("I;16") and getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0:
            values = 1 - values  # Pillow turns "white is zero" round for 8 bits, but not for 16
    else:
        # Premultiplied values are divided by their alpha first; a palette's transparency is dropped like an alpha channel.
        straight = {"La": "LA", "RGBa": "RGBA", "P": "RGBA" if "transparency" in image.info else "RGB"}.get(image.mode)
        plain = image if straight is None else image.convert(straight)
        grey = plain.mode in ("1", "L", "LA")
        values = np.asarray(plain.convert("L" if grey else "RGB")).astype(np.float32) / _BYTE
    upright = _turn(values, orientation)
    return np.ascontiguousarray(upright.reshape(*upright.shape[:2], -1))


def decode_array(array: NDArray[np.generic]) -> NDArray[np.float32]:
    """Bring the values of an array of any shape to float32 in [0, 1]; the shape stays.

    Floats are 0 to 1 already, booleans 0 and 1, unsigned 16-bit numbers 0 to 65,535, all other whole numbers 0 to 255. The
    order of bytes plays no part.

    Raises:
        UsageError: the array holds no numbers, or numbers that leave their range.
    """
    if array.dtype.kind not in "buif" or not array.size:
        raise UsageError(f"an image must be an array of numbers, but this one is {array.dtype} of shape {array.shape}")
    top = 1 if array.dtype.kind in "bf" else 65535 if array.dtype.kind == "u" and array.dtype.itemsize == 2 else 255
    if not np.isfinite(array).all():
        raise UsageError("an image must be float in [0, 1], but this one holds NaN or infinity")
    low, high = float(array.min()), float(array.max())
    slack = _SLACK if array.dtype.kind == "f" else 0
    if low < -slack or high > top + slack:
        raise UsageError(
            f"an image must be float in [0, 1], or whole numbers in [0, 255], but the values of this one run from {low:g} to "
            f"{high:g}; divide by 255, or by whatever their largest possible value is"
        )
    if top == 65535 and 0 < high <= 255:
        raise UsageError(
            f"the largest of these 16-bit values is {high:g}, which is black in 16 bits and may be white in 8; make the array "
            "uint8, or float in [0, 1]"
        )
    if array.dtype == np.float32 and low >= 0 and high <= 1:
        return array  # type: ignore[return-value]  # the type was just looked at
    scaled: NDArray[np.float32] = array.astype(np.float32) / np.float32(top)
    return scaled.clip(0, 1)


def set_channels(pixels: NDArray[np.float32], channels: int | None) -> NDArray[np.float32]:
    """The image H×W×C with 1 or 3 channels, as asked; None leaves it as it is.

    Grey is repeated into three channels. Colour becomes grey as 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), like
    Pillow's mode L but without rounding to 8 bits.

    Raises:
        UsageError: the image has neither 1 nor 3 channels.
    """
    if channels not in (None, 1, 3):
        raise UsageError(f"channels must be 1 (grey) or 3 (RGB), not {channels!r}")
    have = pixels.shape[2]
    if channels is None or have == channels:
        return pixels
    if have not in (1, 3):
        raise UsageError(
            f"an image must be H×W×C with 1 or 3 channels to be made {'grey' if channels == 1 else 'RGB'}, not {have}"
        )
    if channels == 3:
        return np.repeat(pixels, 3, axis=2)
    luma: NDArray[np.float32] = (pixels.astype(np.float64) @ np.array([0.299, 0.587, 0.114]))[:, :, None].astype(np.float32)
    return luma.clip(0, 1)


def _turn(values: NDArray[Any], orientation: int) -> NDArray[Any]:
    turn = _UPRIGHT.get(orientation)
    return values if turn is None else turn(values)


def _stored(opened: Image) -> tuple[str, object]:
    """How the file stores its pixels, in Pillow's words, and what stands beside that (the largest value of a PPM)."""
    tile = getattr(opened, "tile", None)
    arguments = tile[0].args if tile else ()
    if isinstance(arguments, str):
        return arguments, None
    first, second = (*(arguments or ()), "", "")[:2]
    return str(first), second


def _load(image: Image) -> None:
    """Load the pixels of a Pillow image without mapping its file into memory.

    Pillow maps uncompressed files. In a TIFF that is stored on its side it then swaps height and width before it reads the
    rows, and the pixels come out scrambled.
    """
    name = getattr(image, "filename", "")
    if image.format != "TIFF" or not name:
        image.load()
        return
    image.filename = ""  # type: ignore[attr-defined]  # files have the attribute; without a name there is nothing to map
    try:
        image.load()
    finally:
        image.filename = name  # type: ignore[attr-defined]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep OpenCV from writing about damaged files to standard error; the caller reports them."""
    from cv2.utils import logging

    before = logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(before)


def _decode_deep(stream: MeteredFile, opened: Image, *, top: int = 65535, grey: bool = False) -> NDArray[np.float32]:
    """Read colour of more than 8 bits with OpenCV, since Pillow keeps only 8 of the bits; `top` is the largest value."""
    import cv2

    if opened.format != "PPM":
        _load(opened)  # raises where the file is damaged; OpenCV would only print that. PPM has nothing to check, and is slow.
    stream.seek(0)
    content = stream.read()
    # OpenCV wants something behind the last pixel, which a file may lack.
    if content.startswith(b"P3"):
        content += b"\n"
    elif opened.format == "PNG":
        content = bare_png(content)
    with _quiet():
        values = cv2.imdecode(np.frombuffer(content, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 3:
        raise UsageError("its colours have more than 8 bits and are damaged or stored in an unknown way; save it again")
    if opened.format != "TIFF":  # OpenCV turns a TIFF upright itself, and nothing else when it is to change nothing
        values = _turn(values, opened.getexif().get(_ORIENTATION, 1))
    chosen = values[:, :, :1] if grey else values[:, :, 2::-1]
    return np.ascontiguousarray((chosen.astype(np.float32) / np.float32(top)).clip(0, 1))
