"""Images as encoded pictures, for endpoints that take those: 8 bits per channel."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    from numpy.typing import NDArray

Encoding: TypeAlias = Literal["png", "jpeg"]
LEVELS = 256
"""Values that a channel of a picture of 8 bits has."""
_QUALITY = 95  # of JPEG: the highest that Pillow's documentation recommends


def check_encoding(encoding: object) -> None:
    """See that a picture can be encoded so.

    Raises:
        UsageError: it can't.
    """
    if encoding not in ("png", "jpeg"):
        raise UsageError(f"{argument('encoding')} must be 'png' or 'jpeg', not {encoding!r}")


def encoded(image: NDArray[np.float32], encoding: Encoding) -> bytes:
    """The (H, W, 1 or 3) image in [0, 1] as a picture: rounded to 8 bits, and with JPEG changed beyond that.

    Raises:
        UsageError: it has another number of channels.
    """
    import PIL.Image

    if image.shape[-1] not in {1, 3}:
        raise UsageError(f"pictures have 1 or 3 channels, not {image.shape[-1]}")
    values = np.rint(image * np.float32(255)).astype(np.uint8)
    picture, stream = PIL.Image.fromarray(values[..., 0] if image.shape[-1] == 1 else values), BytesIO()
    if encoding == "png":
        picture.save(stream, "PNG", compress_level=1)  # pixels that a search changed hardly pack; 1 is the quickest
    else:
        picture.save(stream, "JPEG", quality=_QUALITY, subsampling=0)
    return stream.getvalue()
