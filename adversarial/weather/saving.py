"""Images as they are after being saved in a file and read back, by Pillow's encoders and decoders."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from adversarial.weather.grid import check_levels, checked, on_grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Image = NDArray[np.float32]

QUALITY = 90  # of the JPEG that a finding must survive: what cameras and editors use by default lies between 85 and 95
WHITE = 255  # the largest value of a picture with 8 bits
WHOLE = (1, 3)  # channels of the pictures that JPEG holds as one; of other images, each channel is a picture by itself


def survival_images(image: Image, *, levels: int | None = None) -> dict[str, Image]:
    """An image as it is after being saved and read back: {"png": (H, W, C), "jpeg": (H, W, C)}.

    PNG keeps 8 bits per value and nothing else is lost. JPEG has quality 90, and is otherwise as Pillow saves it.

    Args:
        image: (H, W, C) float32 in [0, 1].
        levels: the number of levels that the classifier's endpoint takes; what was read is put onto them. None for any values.

    Raises:
        UsageError: the image has another shape or leaves [0, 1], or `levels` is no whole number of 2 or more.
    """
    check_levels(levels)
    picture = checked(image)
    return {"png": on_grid(as_png(picture), levels), "jpeg": on_grid(as_jpeg(picture, QUALITY), levels)}


def as_png(image: Image) -> Image:
    """The image (H, W, C) after being saved as PNG with 8 bits per value."""
    return _saved(image, "PNG")


def as_jpeg(image: Image, quality: int) -> Image:
    """The image (H, W, C) after being saved as JPEG."""
    return _saved(image, "JPEG", quality=quality)


def _saved(image: Image, kind: str, **options: int) -> Image:
    import PIL.Image

    bytes_of = np.rint(image * WHITE).astype(np.uint8)
    channels = image.shape[-1]
    parts = [bytes_of] if channels in WHOLE else [bytes_of[..., [channel]] for channel in range(channels)]
    read = []
    for part in parts:
        file = BytesIO()
        PIL.Image.fromarray(part[..., 0] if part.shape[-1] == 1 else part).save(file, kind, **options)
        with PIL.Image.open(file) as opened:
            read.append(np.asarray(opened).reshape(part.shape))
    return np.concatenate(read, axis=-1).astype(np.float32) / np.float32(WHITE)
