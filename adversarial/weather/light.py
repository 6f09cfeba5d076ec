"""Weather of the light: brighter, darker, with less contrast. Colours are converted by OpenCV."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from adversarial.weather.kind import Weather

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Image = NDArray[np.float32]

COLOURS = 3  # channels of an image that has a hue


def lighten(image: Image, value: float, draw: np.random.Generator) -> Image:  # noqa: ARG001 - nothing is drawn
    """Add to the value (the V of HSV) of each pixel, so that hue and saturation stay; images without colours gain it as it is.

    Source: Hendrycks & Dietterich (2019), their published script for CIFAR-10-C, `brightness`.
    """
    if image.shape[-1] != COLOURS:
        return image + np.float32(value)
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hsv[..., 2] = np.clip(hsv[..., 2] + np.float32(value), 0, 1)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), dtype=np.float32)


def darken(image: Image, value: float, draw: np.random.Generator) -> Image:
    """The opposite of `lighten`, which the source doesn't have: dusk is as usual as glare."""
    return lighten(image, -value, draw)


def flatten(image: Image, value: float, draw: np.random.Generator) -> Image:  # noqa: ARG001 - nothing is drawn
    """Shrink the distance of each value from the mean of its channel to this share.

    Source: Hendrycks & Dietterich (2019), their published script for CIFAR-10-C, `contrast`.
    """
    means = image.mean(axis=(0, 1), keepdims=True, dtype=np.float64).astype(np.float32)
    return np.asarray((image - means) * np.float32(value) + means, dtype=np.float32)


LEVELS = (0.05, 0.1, 0.15, 0.2, 0.3)  # of CIFAR-10-C's brightness

BRIGHTNESS = Weather(
    name="brightness", title="Brighter", values=LEVELS, change=lighten, phrase="{percent}% more brightness"
)  # fmt: skip
DARKNESS = Weather(name="darkness", title="Darker", values=LEVELS, change=darken, phrase="{percent}% less brightness")
CONTRAST = Weather(
    name="contrast", title="Less contrast", values=(0.75, 0.5, 0.4, 0.3, 0.15), change=flatten,
    phrase="contrast at {percent}%",
)  # fmt: skip
