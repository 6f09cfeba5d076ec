"""Colour of more than 8 bits, of which Pillow keeps 8: the file is decoded twice, once for either half of its numbers."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.images.opening import open_again
from saywhy_core.images.stripes import load, orientation_of, stripes, upright

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile

    from saywhy_core.reading.regular_files import MeteredFile

_DEEP = re.compile(r"(RGB|RGBA|RGBX|LA);16([BLN])")  # Pillow's names of stored pixels that it would cut to 8 bits
_OTHER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}  # which order takes the other byte of a number
_WORD = np.float32(65535)


def is_deep(opened: ImageFile) -> bool:
    """Whether Pillow would keep 8 bits of 16."""
    return _DEEP.fullmatch(_stored(opened)) is not None


def decode_deep(stream: MeteredFile, opened: ImageFile) -> NDArray[np.float32]:
    """Read colour, or grey with alpha, of 16 bits per channel as H×W×C in [0, 1]."""
    found = _DEEP.fullmatch(_stored(opened))
    if found is None:
        raise AssertionError("is_deep is asked first")
    if found[1] == "LA":
        # Four bytes are one pixel: two of grey and two of alpha, the upper byte first.
        _store_as(opened, "RGBA", "RGBA")
        load(opened)
        return upright(opened.size, 1, orientation_of(opened), (_pairs(one) for one in stripes(opened)))
    load(opened)
    orientation = orientation_of(opened)
    made = upright(opened.size, 3, orientation, (np.asarray(one.convert("RGB")) for one in stripes(opened)))
    _free(opened)
    made *= 256
    again = open_again(stream)
    _store_as(again, again.mode, f"{found[1]};16{_OTHER[found[2]]}")
    load(again)
    upright(again.size, 3, orientation, (np.asarray(one.convert("RGB")) for one in stripes(again)), added_to=made)
    _free(again)
    made /= _WORD
    return made


def _pairs(stripe: Any) -> NDArray[np.float32]:
    stored = np.asarray(stripe)
    values: NDArray[np.float32] = stored[:, :, :1].astype(np.float32) * 256 + stored[:, :, 1:2]
    values /= _WORD
    return values


def _stored(opened: ImageFile) -> str:
    """How the file stores its pixels, in Pillow's words."""
    arguments = opened.tile[0][3] if opened.tile else ""
    return arguments if isinstance(arguments, str) else str((arguments or ("",))[0])


def _store_as(opened: ImageFile, mode: str, rawmode: str) -> None:
    """Make Pillow take other bytes for the pixels."""
    opened._mode = mode  # noqa: SLF001 - there is no other way to say how a file is to be read
    opened.tile = [
        type(one)(one[0], one[1], one[2], rawmode if isinstance(one[3], str) else (rawmode, *one[3][1:]))  # type: ignore[index]
        for one in opened.tile
    ]


def _free(opened: ImageFile) -> None:
    """Give back what the pixels take; the image's own `close` would close the file too."""
    from PIL.Image import Image

    Image.close(opened)
