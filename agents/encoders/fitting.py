"""Images brought to the one size that a classifier takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from saywhy_core.images import resize_image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Networks for ImageNet take 200 to 256 pixels, and their accuracies are stated for the middle of images scaled to 256.
IMAGENET_SIDES = range(200, 257)
IMAGENET_RESIZE = 256


def default_resize(size: tuple[int, int]) -> int:
    """The length of the shorter side to which images are scaled before `size` (height, width) is cut out of the middle."""
    return IMAGENET_RESIZE if min(size) in IMAGENET_SIDES else min(size)


def fit_image(image: NDArray[np.float32], resize: int, size: tuple[int, int]) -> NDArray[np.float32]:
    """Scale an image H×W×C until its shorter side has `resize` pixels, and cut `size` (height, width) out of the middle.

    Where `size` is not square and would not fit into the scaled image, the image is scaled until it fits. Proportions are kept.
    """
    height, width = image.shape[:2]
    scales = ((resize, min(height, width)), (size[0], height), (size[1], width))
    numerator, denominator = max(scales, key=lambda scale: scale[0] / scale[1])
    if numerator != denominator:
        height = max(size[0], round(height * numerator / denominator))
        width = max(size[1], round(width * numerator / denominator))
        image = resize_image(image, (height, width))
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    return image[top : top + size[0], left : left + size[1]]
