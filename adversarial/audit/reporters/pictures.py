"""Pictures of a report as addresses that hold them: small WebP files, no larger than a page can show."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from adversarial.findings.pictures import density_picture
from verbalize.draw.heatmaps import drawn_regions, pixel_heatmap_png
from verbalize.draw.raster import to_rgb

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from adversarial.audit.records import ImageArrays
    from verbalize.saliency import PixelSaliency

    Rgb = NDArray[np.uint8]

SIDE = 192
"""Pixels of the longer side of a picture at most; smaller ones stay as they are, and the page enlarges them."""
_EXACT = 64  # pixels; up to this side every pixel is kept as it is, so that single changed pixels can be seen
_QUALITY = 82  # of larger pictures, in WebP's scale


def pictures_of(arrays: ImageArrays) -> list[tuple[str, str, str]]:
    """(name, address, description) of the original, the adversarial image, their difference and the density, as far as kept."""
    original = arrays.original
    found = [("original", address(to_rgb(original)), "The original image.")]
    if arrays.adversarial is not None and arrays.adversarial.shape == original.shape:
        found.append(("adversarial", address(to_rgb(arrays.adversarial)), "The adversarial image."))
        said = "Changed pixels in orange, the stronger the change the stronger the colour, over the original in grey."
        found.append(("difference", address(difference(original, arrays.adversarial)), said))
    if arrays.density is not None and arrays.density.size and np.isfinite(arrays.density).all():
        density = density_picture(np.maximum(arrays.density.astype(np.float64), 0))
        found.append(("density", address(density), "Where the search looked first: bright is more likely."))
    return found


def difference(original: NDArray[np.float32], adversarial: NDArray[np.float32]) -> Rgb:
    """(H, W, 3) the change in orange over the original in light grey; of large pictures each pixel shows the largest change."""
    change = np.abs(adversarial.astype(np.float64) - original).max(axis=2)
    top = float(change.max())
    strength = 0.35 + 0.65 * change / top if top > 0 else change
    strength = np.where(change > 0, strength, 0.0)
    grey = to_rgb(original).astype(np.float64).mean(axis=2)
    factor = -(-max(change.shape) // SIDE)
    if factor > 1:
        strength, grey = _blocks(strength, factor).max(axis=(1, 3)), _blocks(grey, factor).mean(axis=(1, 3))
    ground = np.repeat((95 + grey * (150 / 255))[:, :, None], 3, axis=2)
    colour = np.array([208.0, 92.0, 10.0])
    drawn: Rgb = np.round(ground * (1 - strength[:, :, None]) + colour * strength[:, :, None]).astype(np.uint8)
    return drawn


def map_address(saliency: PixelSaliency) -> str:
    """A map over pixels as the address of its heatmap."""
    return "data:image/png;base64," + base64.b64encode(pixel_heatmap_png(saliency, regions=True, smallest_side=240)).decode()


def regions_in_words(saliency: PixelSaliency) -> str:
    """What the numbers in the heatmap stand for, such as "1 the first region in the centre"; "" where it has none."""
    return ", ".join(f"{number} the {region.name}" for number, region in enumerate(drawn_regions(saliency), 1))


def address(picture: Rgb) -> str:
    """A picture as an address: without loss where it is small, else made smaller."""
    height, width = picture.shape[:2]
    image = Image.fromarray(picture)
    small = max(height, width) <= _EXACT
    if max(height, width) > SIDE:
        shape = (max(1, round(width * SIDE / max(height, width))), max(1, round(height * SIDE / max(height, width))))
        image = image.resize(shape, Image.Resampling.BOX)
    stream = io.BytesIO()
    image.save(stream, "WEBP", lossless=small, quality=80 if small else _QUALITY, method=4)
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode()


def _blocks(values: NDArray[np.float64], factor: int) -> NDArray[np.float64]:
    height, width = (-(-side // factor) * factor for side in values.shape)
    padded = np.pad(values, ((0, height - values.shape[0]), (0, width - values.shape[1])), mode="edge")
    return padded.reshape(height // factor, factor, width // factor, factor)
