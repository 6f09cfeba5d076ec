"""Weather of the camera and the file: blur (OpenCV), noise, JPEG and coarse pixels (Pillow)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from adversarial.weather.kind import Weather
from adversarial.weather.saving import as_jpeg

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Image = NDArray[np.float32]

SMALL = 32  # pixels per side of the images whose strengths Hendrycks & Dietterich (2019) state


def blur(image: Image, value: float, draw: np.random.Generator) -> Image:  # noqa: ARG001 - nothing is drawn
    """Convolve with a Gaussian whose standard deviation is this share of the shorter side.

    Source: Hendrycks & Dietterich (2019), `gaussian_blur`. They state the deviations in pixels of images of 32 by 32; here they
    grow with the image, so that a severity means the same for images of any size.
    """
    sigma = value * min(image.shape[:2])
    made = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(made, dtype=np.float32).reshape(image.shape)


def add_noise(image: Image, value: float, draw: np.random.Generator) -> Image:
    """Add independent Gaussian noise of this standard deviation to every value.

    Source: Hendrycks & Dietterich (2019), `gaussian_noise`. The stronger severities of one image have the same noise, larger,
    so that severities differ in their strength alone.
    """
    return image + np.float32(value) * draw.standard_normal(image.shape, dtype=np.float32)


def compress(image: Image, value: float, draw: np.random.Generator) -> Image:  # noqa: ARG001 - nothing is drawn
    """The image as it is after being saved as JPEG of this quality.

    Source: Hendrycks & Dietterich (2019), `jpeg_compression`; Pillow's encoder, as theirs.
    """
    return as_jpeg(image, int(value))


def coarsen(image: Image, value: float, draw: np.random.Generator) -> Image:  # noqa: ARG001 - nothing is drawn
    """Shrink the image to this share of its sides and enlarge it again, both with Pillow's box filter.

    Source: Hendrycks & Dietterich (2019), `pixelate`.
    """
    import PIL.Image

    height, width, channels = image.shape
    small = (max(1, int(width * value)), max(1, int(height * value)))
    box = PIL.Image.Resampling.BOX
    parts = [PIL.Image.fromarray(np.ascontiguousarray(image[..., channel])) for channel in range(channels)]
    return np.stack([np.asarray(part.resize(small, box).resize((width, height), box)) for part in parts], axis=-1)


BLUR = Weather(
    name="blur", title="Blur", values=tuple(sigma / SMALL for sigma in (0.4, 0.6, 0.7, 0.8, 1.0)), change=blur,
    phrase="a blur over {percent}% of the shorter side",
)  # fmt: skip
NOISE = Weather(
    name="noise", title="Noise", values=(0.04, 0.06, 0.08, 0.09, 0.1), change=add_noise,
    phrase="noise with a standard deviation of {value}",
)  # fmt: skip
JPEG = Weather(
    name="jpeg", title="JPEG", values=(80, 65, 58, 50, 40), change=compress, phrase="JPEG compression at quality {value}"
)  # fmt: skip
PIXELATE = Weather(
    name="pixelate", title="Coarse pixels", values=(0.95, 0.9, 0.85, 0.75, 0.65), change=coarsen,
    phrase="a loss of resolution to {percent}% of each side",
)  # fmt: skip
