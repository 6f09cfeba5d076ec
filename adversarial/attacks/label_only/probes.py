"""Random moves of an image that decide more often than white noise does, of several kinds."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.fft import idctn
from scipy.ndimage import gaussian_filter

from adversarial.attacks.large_pictures.wave_images import is_large

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from adversarial.attacks.label_only.boundary_tuning import BoundaryTuning

    Floats: TypeAlias = NDArray[np.float64]
    Array: TypeAlias = NDArray[np.float32]

SMOOTHED = 0.7  # pixels, standard deviation, before the contrast is taken: single noisy pixels are no structure
FOLLOWING = (1, 2)  # the kind and number of the places that follow the perturbation, see `Probes.options`
AROUND = 1 / 16  # of the shorter side: how far around a contrast it counts


class Probes:
    """Gaussian noise of a kind that is chosen draw by draw: which frequencies, where in the image, and in which colours.

    Networks differ in what turns their decisions: smooth changes or rough ones, all channels together or each alone, where
    the image has contrast or where the perturbation found so far is strong. The nearer the noise is to what turns them, the
    fewer probes tell the boundary's normal (Guo et al. 2019, "Low frequency adversarial perturbation", for the frequencies).

    Args:
        image: (H, W, C).
        allowed: (H, W) factors, 0 where nothing may change.
        tuning: the constants.

    Attributes:
        contrast: (H, W) how much contrast there is around each pixel, at most 1, and 0 where nothing may change.
        options: how many frequencies, places and colours there are to choose from.
    """

    def __init__(self, image: Floats, allowed: Floats, tuning: BoundaryTuning) -> None:
        self._shape, self._allowed, self._tuning = image.shape, allowed, tuning
        self.contrast = contrast(image) * allowed
        height, width, channels = image.shape
        down, across = np.arange(height)[:, None], np.arange(width)[None]
        waves, share = np.hypot(down, across), np.hypot(down / height, across / width)
        self._spectra = [
            (np.maximum(waves, tuning.coarse) ** -falling * (share <= highest))[..., None]
            for falling, highest in tuning.spectra
        ]
        self.options = (len(self._spectra), 3, 2 if channels > 1 else 1)
        self._large = is_large(image.size)

    def draw(self, rng: np.random.Generator, count: int, kind: list[int], perturbation: Floats) -> Floats:
        """(count, H, W, C) moves of any length.

        Args:
            rng: where chance comes from.
            count: how many.
            kind: the number of the spectrum, of the place, and of the colours.
            perturbation: (H, W, C) the one found so far, for the place of that name.

        Those of large images are in single precision.
        """
        spectrum, place, colours = kind
        if self._large:
            drawn = self._drawn_large(rng, count, spectrum, mostly_grey=bool(colours))
            strength = self._strength(place, perturbation).astype(drawn.dtype)
            return np.asarray(np.multiply(drawn, strength[..., None], order="C"))
        noise = rng.standard_normal((count, *self._shape))
        if colours:  # mostly the same in all channels
            grey = noise.mean(axis=-1, keepdims=True)
            noise = math.sqrt(self._shape[-1]) * grey + self._tuning.tint * (noise - grey)
        smooth = idctn(noise * self._spectra[spectrum], axes=(1, 2), norm="ortho")
        return np.asarray(smooth * self._strength(place, perturbation)[..., None])

    def _drawn_large(self, rng: np.random.Generator, count: int, spectrum: int, *, mostly_grey: bool) -> Array:
        """(count, H, W, C) noise of a spectrum: only the frequencies that are in it are drawn and transformed."""
        height, width, channels = self._shape
        strength = self._spectra[spectrum][..., 0]
        rows, columns = (int(np.flatnonzero(strength.any(axis=axis)).max()) + 1 for axis in (1, 0))
        noise = rng.standard_normal((count, channels, rows, columns), dtype=np.float32)
        if mostly_grey:
            grey = noise.mean(axis=1, keepdims=True)
            noise -= grey
            noise *= np.float32(self._tuning.tint)
            noise += np.float32(math.sqrt(channels)) * grey
        if not (strength == 1).all():  # a rotation of white noise is white noise
            noise *= strength[:rows, :columns].astype(np.float32)
            noise = cosines(height, rows) @ (noise @ cosines(width, columns).T)
        return noise.transpose(0, 2, 3, 1)

    def _strength(self, place: int, perturbation: Floats) -> Floats:
        """(H, W) how strong probes are at each pixel."""
        tuning, allowed = self._tuning, self._allowed
        if place == 0:
            return np.asarray(self.contrast + tuning.floor * allowed)
        if place == 1:
            return allowed
        energy = gaussian_filter((perturbation**2).sum(axis=-1), tuning.around * min(allowed.shape))
        strength = np.sqrt(np.maximum(energy, 0))
        return np.asarray((strength / max(float(strength.max()), 1e-12) + tuning.least) * allowed)


@lru_cache(maxsize=16)
def cosines(length: int, count: int) -> Array:
    """(length, count) the first functions of the cosine transform (DCT-II) in its columns, orthonormal, in single precision."""
    waves = np.cos(np.pi / length * np.outer(np.arange(length) + 0.5, np.arange(count))) * math.sqrt(2 / length)
    waves[:, 0] = math.sqrt(1 / length)
    return waves.astype(np.float32)


def contrast(image: Floats) -> Floats:
    """(H, W) how much contrast there is around each pixel of an (H, W, C) image, at most 1; 0 everywhere if it is even."""
    grey = gaussian_filter(image.mean(axis=-1), SMOOTHED)
    slopes = [np.gradient(grey, axis=axis) if grey.shape[axis] > 1 else np.zeros_like(grey) for axis in (0, 1)]
    steep = gaussian_filter(np.hypot(*slopes), min(grey.shape) * AROUND)
    most = float(steep.max())
    return np.asarray(steep / most if most > 0 else steep)


def band(shape: tuple[int, ...], rng: np.random.Generator, most: float) -> Floats:
    """(H, W, C) noise of the frequencies of at most `most` half-waves per side."""
    height, width = shape[:2]
    held = np.hypot(np.arange(height)[:, None], np.arange(width)[None]) <= most
    return np.asarray(idctn(rng.standard_normal(shape) * held[..., None], axes=(0, 1), norm="ortho"))


def slope(moves: Floats, flips: NDArray[np.bool_], ridge: float) -> Floats:
    """(H, W, C) the direction in which moves flip, by ridge regression of the answers on them.

    The mean of the moves that flip, less that of the others (Chen et al. 2020, HopSkipJump, equation 16), is the limit of a
    great `ridge`. It bends towards the directions in which moves are strong or alike, whether or not these turn the decision:
    smooth noise has few directions, and what the colour cube cuts off shares its signs. The regression corrects for both.

    Args:
        moves: (N, H, W, C).
        flips: (N,) the answers.
        ridge: of the mean squared length of the moves, added to each one's: a greater one trusts the answers less.
    """
    rows, signs = moves.reshape(len(moves), -1), np.where(flips, 1.0, -1.0)
    if flips.any() and not flips.all():
        rows, signs = rows - rows.mean(axis=0), signs - signs.mean()
    alike = rows @ rows.T
    alike[np.diag_indices(len(alike))] += ridge * max(float(np.trace(alike)) / len(alike), 1e-30)
    return np.asarray((np.linalg.solve(alike, signs) @ rows).reshape(moves.shape[1:]))


def unit(moves: Floats) -> Floats:
    """Moves (..., H, W, C) at the Euclidean length 1; those of length 0 stay as they are."""
    lengths = np.sqrt((moves**2).sum(axis=(-3, -2, -1), keepdims=True))
    return np.asarray(moves / np.where(lengths > 0, lengths, 1))
