"""Weather of the camera's place: rotated, shifted and scaled a little, with OpenCV.

Hendrycks & Dietterich (2019) have none of these. Engstrom et al. (2019, "Exploring the landscape of spatial robustness") allow
rotations up to 30 degrees and shifts up to a tenth of the side for small images; the values here stay within that. What enters
the image from outside is its mirror image, as a camera would see more of the same: a black border would be a second change.
The direction is drawn, and is the same in every severity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from adversarial.weather.kind import Weather

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Image = NDArray[np.float32]


def rotate(image: Image, value: float, draw: np.random.Generator) -> Image:
    """Rotate about the centre by so many degrees, clockwise or anticlockwise; bilinear."""
    return _warped(image, value if draw.random() < 0.5 else -value, 1.0)


def scale(image: Image, value: float, draw: np.random.Generator) -> Image:
    """Enlarge by this share about the centre, or shrink by the same factor; bilinear."""
    return _warped(image, 0.0, 1 + value if draw.random() < 0.5 else 1 / (1 + value))


def shift(image: Image, value: float, draw: np.random.Generator) -> Image:
    """Shift by whole pixels, this share of each side and at least one, up or down and left or right."""
    up, left = draw.random(2) < 0.5
    height, width = image.shape[:2]
    rows, columns = (0 if side == 1 else max(1, round(value * side)) for side in (height, width))
    made = cv2.copyMakeBorder(image, rows, rows, columns, columns, cv2.BORDER_REFLECT_101).reshape(
        height + 2 * rows, width + 2 * columns, -1
    )
    top, start = 2 * rows * int(up), 2 * columns * int(left)
    return np.asarray(made[top : top + height, start : start + width], dtype=np.float32)


def _warped(image: Image, degrees: float, factor: float) -> Image:
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, factor)
    made = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(made, dtype=np.float32).reshape(image.shape)


ROTATION = Weather(
    name="rotation", title="Rotation", values=(3, 6, 10, 15, 20), change=rotate, phrase="a rotation by {value} degrees"
)
SHIFT = Weather(
    name="shift", title="Shift", values=(0.02, 0.04, 0.06, 0.08, 0.1), change=shift, phrase="a shift by {percent}% of each side"
)
SCALE = Weather(
    name="scale", title="Scale", values=(0.05, 0.1, 0.15, 0.2, 0.3), change=scale, phrase="a change of scale by {percent}%"
)
