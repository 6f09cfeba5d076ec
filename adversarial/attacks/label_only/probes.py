"""Random moves of an image that decide more often than white noise does: smooth, and stronger where the image has contrast."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.fft import idctn
from scipy.ndimage import gaussian_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

SMOOTHED = 0.7  # pixels, standard deviation, before the contrast is taken: single noisy pixels are no structure
AROUND = 1 / 16  # of the shorter side: how far around a contrast it counts


def contrast(image: Floats) -> Floats:
    """(H, W) how much contrast there is around each pixel of an (H, W, C) image, at most 1; 0 everywhere if it is even."""
    grey = gaussian_filter(image.mean(axis=-1), SMOOTHED)
    slopes = [np.gradient(grey, axis=axis) if grey.shape[axis] > 1 else np.zeros_like(grey) for axis in (0, 1)]
    steep = gaussian_filter(np.hypot(*slopes), min(grey.shape) * AROUND)
    most = float(steep.max())
    return np.asarray(steep / most if most > 0 else steep)


class Probes:
    """Gaussian noise whose spectrum falls with the frequency, times a strength per pixel.

    The spectrum is that of the discrete cosine transform (DCT-II). A boundary whose normal is likely to be smooth and to lie
    where the image has contrast is found in fewer probes of this kind than of white noise (Guo et al. 2019, "Low frequency
    adversarial perturbation", for the smoothness).

    Args:
        shape: (H, W, C) of the image.
        strength: (H, W) factors.
        coarse: half-waves per side up to which all frequencies are as strong.
        falling: power by which higher ones become weaker.
        highest: the share of the highest frequency beyond which there is nothing.
    """

    def __init__(
        self, shape: tuple[int, ...], strength: Floats, *, coarse: float, falling: float, highest: float
    ) -> None:  # fmt: skip
        height, width = shape[:2]
        down, across = np.arange(height)[:, None], np.arange(width)[None]
        spectrum = np.maximum(np.hypot(down, across), coarse) ** -falling
        spectrum[np.hypot(down / height, across / width) > highest] = 0
        self.shape, self._spectrum, self._strength = shape, spectrum[..., None], strength[..., None]

    def draw(self, rng: np.random.Generator, count: int) -> Floats:
        """(count, H, W, C) of any length."""
        return self.shaped(rng.standard_normal((count, *self.shape)) * self._spectrum)

    def shaped(self, spectrum: Floats) -> Floats:
        """The moves with given coefficients of the cosine transform, (N, H, W, C), before the strength per pixel."""
        return np.asarray(idctn(spectrum, axes=(1, 2), norm="ortho") * self._strength)


def band(shape: tuple[int, ...], rng: np.random.Generator, most: float) -> Floats:
    """(H, W, C) noise of the frequencies of at most `most` half-waves per side."""
    height, width = shape[:2]
    held = np.hypot(np.arange(height)[:, None], np.arange(width)[None]) <= most
    return np.asarray(idctn(rng.standard_normal(shape) * held[..., None], axes=(0, 1), norm="ortho"))


def unit(moves: Floats) -> Floats:
    """Moves (N, H, W, C) at the Euclidean length 1; those of length 0 stay as they are."""
    lengths = np.sqrt((moves**2).sum(axis=(1, 2, 3), keepdims=True))
    return np.asarray(moves / np.where(lengths > 0, lengths, 1))
