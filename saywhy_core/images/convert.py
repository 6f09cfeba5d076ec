"""Images at another size, and as pictures of Pillow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.reading.ceilings import check_ceiling

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image


def resize_image(image: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """The image H×W×C at (height, width): averaged over areas where it shrinks, cubic where it grows, kept in [0, 1].

    Raises:
        CeilingError: the new size is over the ceiling `pixels`.
    """
    import cv2

    if image.shape[:2] == size:
        return image
    check_ceiling("pixels", size[0] * size[1], f"an image of {size[0]} x {size[1]} (height x width)")
    shrinks = size[0] * size[1] < image.shape[0] * image.shape[1]
    made = cv2.resize(image, (size[1], size[0]), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.clip(made.reshape(*size, image.shape[2]), 0, 1).astype(np.float32)


def as_picture(image: NDArray[np.float32]) -> Image:
    """An image H×W×1 or H×W×3 of values in [0, 1] as an 8-bit RGB picture of Pillow; one channel is repeated."""
    import PIL.Image

    return PIL.Image.fromarray(np.rint(np.broadcast_to(image, (*image.shape[:2], 3)) * 255).clip(0, 255).astype(np.uint8))
