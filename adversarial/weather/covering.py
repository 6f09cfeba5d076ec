"""Weather that covers a part of the image: a grey square, as a sticker or a leaf."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import cv2
import numpy as np

from adversarial.features import keypoint_mixture
from adversarial.weather.kind import Weather

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Image = NDArray[np.float32]

GREY = 0.5  # the grey square of Zeiler & Fergus (2014), section 4.2: neither black nor white is a strong mark by itself


def cover(image: Image, value: float, draw: np.random.Generator) -> Image:
    """Cover a square of this share of the area, at least one pixel, at a place that is drawn.

    The square's centre is drawn, and is the same in every severity; the square stays within the image.
    """
    return _covered(image, value, draw.random(2))


def cover_keypoints(image: Image, value: float, draw: np.random.Generator) -> Image:  # noqa: ARG001 - nothing is drawn
    """Cover a square of this share of the area where it hides the most of the density of keypoints."""
    height, width = image.shape[:2]
    density = keypoint_mixture(image).density
    rows, columns = _sides(height, width, value)
    sums = cv2.boxFilter(density, cv2.CV_64F, (columns, rows), anchor=(0, 0), normalize=False, borderType=cv2.BORDER_CONSTANT)
    inside = sums.reshape(height, width)[: height - rows + 1, : width - columns + 1]
    top, left = np.unravel_index(int(inside.argmax()), inside.shape)
    return _grey(image, int(top), int(left), rows, columns)


def _covered(image: Image, value: float, centre: NDArray[np.float64]) -> Image:
    height, width = image.shape[:2]
    rows, columns = _sides(height, width, value)
    top = round(float(centre[0]) * height - rows / 2)
    left = round(float(centre[1]) * width - columns / 2)
    return _grey(image, min(max(top, 0), height - rows), min(max(left, 0), width - columns), rows, columns)


def _sides(height: int, width: int, share: float) -> tuple[int, int]:
    """The sides of the square in pixels; in an image that is too thin for it, a rectangle of the same area."""
    rows = min(height, max(1, round(sqrt(share * height * width))))
    columns = min(width, max(1, round(share * height * width / rows)))
    return min(height, max(1, round(share * height * width / columns))), columns


def _grey(image: Image, top: int, left: int, rows: int, columns: int) -> Image:
    made = image.copy()
    made[top : top + rows, left : left + columns] = GREY
    return made


AREAS = (0.01, 0.02, 0.04, 0.07, 0.1)  # a sixteenth of the area is a quarter of each side, as in Cutout for CIFAR-10 (16 of 32)

PATCH = Weather(name="patch", title="Patch", values=AREAS, change=cover, phrase="a grey patch over {percent}% of the area")
KEYPOINT_PATCH = Weather(
    name="keypoint-patch", title="Patch on keypoints", values=AREAS, change=cover_keypoints,
    phrase="a grey patch over the {percent}% of the area with the most keypoints",
)  # fmt: skip
