"""The image policy: how a file, a Pillow image or an array becomes height x width x channels in [0, 1] (docs/images.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import UsageError
from saywhy_core.images.deep import decode_deep, is_deep
from saywhy_core.images.netpbm import decode_netpbm, is_slow
from saywhy_core.images.opening import check_size, opened_picture
from saywhy_core.images.stripes import STRIPE, load, orientation_of, stripes, upright

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image

POLICY = 4
"""Changes whenever some file is read differently than before, so that what is kept by a file's content is not mixed up."""

PICTURES = frozenset(
    {".apng", ".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm"}
    | {".tga", ".tif", ".tiff", ".webp"}
)
"""The endings by which pictures are found in folders; a picture given by its own path may have any ending."""

_BYTE, _WORD = np.float32(255), np.float32(65535)
_PHOTOMETRIC = 262  # the TIFF tag that says what the numbers mean; 0 is "white is zero"
_OTHERS = {
    "U": "texts",
    "S": "texts",
    "c": "complex numbers",
    "m": "spans of time",
    "M": "dates",
    "V": "records",
    "O": "objects",
}
_SLACK = 1e-6  # what rounding in float32 may put below 0 or above 1


def decode_file(path: Path) -> NDArray[np.float32]:
    """Read a picture file, such as PNG, JPEG, TIFF, WebP, GIF or BMP, as H×W×C.

    Raises:
        UsageError: there is no such file, it is no picture that can be read, or it is larger than the ceilings allow.
    """
    with opened_picture(path) as (opened, stream):
        if is_slow(opened):
            return decode_netpbm(stream, opened)
        if is_deep(opened):
            return decode_deep(stream, opened)
        return decode_pil(opened)


def decode_pil(image: Image) -> NDArray[np.float32]:
    """The pixels of a Pillow image as H×W×C: 1 channel for grey modes, 3 for all others.

    Raises:
        UsageError: the values have no known range, or there are more pixels than the ceiling allows.
    """
    check_size(image.size)
    load(image)
    orientation = orientation_of(image)
    if image.mode == "F":
        return decode_array(upright(image.size, 1, orientation, map(np.asarray, stripes(image))))
    if image.mode == "I" or image.mode.startswith("I;16"):
        # Pillow turns "white is zero" round for 8 bits, but not for 16.
        inverted = image.mode.startswith("I;16") and getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0
        pixels = upright(image.size, 1, orientation, (_from_words(one, inverted=inverted) for one in stripes(image)))
        # a file says how many bits its numbers have; a picture that was made in memory, or has 32 bits, does not
        if not inverted and (image.format is None or (image.format == "TIFF" and image.mode == "I")):
            _check_bits(float(pixels.max(initial=0)) * 65535)
        return pixels
    channels = 1 if image.mode in ("1", "L", "LA", "La") else 3
    return upright(image.size, channels, orientation, map(_from_bytes, stripes(image)))


def _from_words(stripe: Image, *, inverted: bool) -> NDArray[np.float32]:
    whole = np.asarray(stripe)
    if whole.min() < 0 or whole.max() > _WORD:
        raise UsageError("its whole numbers leave 0 to 65,535; save it with 8 or 16 bits per channel")
    values: NDArray[np.float32] = whole.astype(np.float32) / _WORD
    return 1 - values if inverted else values


def _from_bytes(stripe: Image) -> NDArray[np.float32]:
    # Premultiplied values are divided by their alpha first; a palette's transparency is dropped like an alpha channel.
    straight = {"La": "LA", "RGBa": "RGBA", "P": "RGBA" if "transparency" in stripe.info else "RGB"}.get(stripe.mode)
    plain = stripe if straight is None else stripe.convert(straight)
    values: NDArray[np.float32] = np.asarray(plain.convert("L" if plain.mode in ("1", "L", "LA") else "RGB")).astype(np.float32)
    values /= _BYTE
    return values


def decode_array(array: NDArray[np.generic]) -> NDArray[np.float32]:
    """Bring the values of an array of any shape to float32 in [0, 1]; the shape stays.

    Floats are 0 to 1 already, booleans 0 and 1, unsigned 16-bit numbers 0 to 65,535, all other whole numbers 0 to 255. The
    order of bytes plays no part.

    Raises:
        UsageError: the array holds no numbers, or numbers that leave their range.
    """
    check_values(array)
    return scaled_values(array)


def check_values(array: NDArray[np.generic]) -> None:
    """See whether an array of any shape holds the values of images; see `decode_array`.

    Raises:
        UsageError: it does not.
    """
    if array.dtype.kind not in "buif" or not array.size:
        what = _OTHERS.get(array.dtype.kind, array.dtype.name)
        raise UsageError(f"an image must be an array of numbers, but this one holds {what} and has the shape {array.shape}")
    top = _top(array)
    low, high = float(array.min()), float(array.max())  # either is NaN if a value is
    if not (np.isfinite(low) and np.isfinite(high)):
        raise UsageError("an image must be float in [0, 1], but this one holds NaN or infinity")
    slack = _SLACK if array.dtype.kind == "f" else 0
    if low < -slack or high > top + slack:
        raise UsageError(
            f"an image must be float in [0, 1], or whole numbers in [0, 255], but the values of this one run from {low:g} to "
            f"{high:g}; divide by 255, or by whatever their largest possible value is"
        )
    if top == 65535:
        _check_bits(high)


def _check_bits(highest: float) -> None:
    """See that values of 16 bits are not rather those of 8."""
    if 0 < highest <= 255:
        raise UsageError(
            f"the largest of these 16-bit values is {highest:g}, which is black in 16 bits and may be white in 8; give them as "
            "uint8 (Pillow: mode L), or as floats in [0, 1]"
        )


def scaled_values(array: NDArray[np.generic]) -> NDArray[np.float32]:
    """The values as float32 in [0, 1], of an array that `check_values` has seen, or of a part of one."""
    if array.dtype == np.float32 and array.min() >= 0 and array.max() <= 1:
        return array  # type: ignore[return-value]  # the type was just looked at
    scaled: NDArray[np.float32] = array.astype(np.float32)
    scaled /= np.float32(_top(array))
    return np.clip(scaled, 0, 1, out=scaled)


def _top(array: NDArray[np.generic]) -> int:
    return 1 if array.dtype.kind in "bf" else 65535 if array.dtype.kind == "u" and array.dtype.itemsize == 2 else 255


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
        first = pixels.shape[0] in (1, 3)
        turn = f"; its shape is that of an image with its channels first: put them last, {pixels.shape[1:] + pixels.shape[:1]}"
        raise UsageError(
            f"an image must be H×W×C with 1 or 3 channels to be made {'grey' if channels == 1 else 'RGB'}, not {have}"
            f"{turn if first else ''}"
        )
    if channels == 3:
        return np.repeat(pixels, 3, axis=2)
    luma = np.empty((*pixels.shape[:2], 1), dtype=np.float32)
    step = max(1, STRIPE // max(1, pixels.shape[1]))
    for top in range(0, len(pixels), step):
        luma[top : top + step, :, 0] = pixels[top : top + step].astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    return np.clip(luma, 0, 1, out=luma)
