"""Where people look: SIFT keypoints as a mixture of Gaussians over the pixels, the distribution that guides a search."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import cv2
import numpy as np

from saywhy_core.errors import UsageError
from verbalize.saliency import PixelSaliency, Query

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]

Source: TypeAlias = Literal["sift", "gradient", "uniform", "map"]

SHORT_SIDE = 128  # pixels; images with a shorter side are enlarged: SIFT finds too little in small ones
ENLARGED_SIDE = 4096  # pixels; the longer side of an enlarged image: long thin ones would take gigabytes
LONG_SIDE = 768  # pixels; larger images are made smaller: what people look at is not in the finest details
CONTRAST = (0.04, 0.01)  # SIFT's contrast threshold: first OpenCV's own, then a quarter of it for dim images
MIN_SIGMA = 0.5  # pixels; a narrower Gaussian would fall between the pixels
FLAT = 1.5 / 255  # an image with a smaller range of grey levels has no structure, only the rounding of 8-bit values
EM_SIDE = 64  # pixels per side at most of the copy that the Gaussians are fitted to: enough for 16 of them, and fast
EM_STEPS = 12  # rounds of expectation-maximisation: features need to be good ones, not the best
LATTICE = 4  # Gaussians per side at the start, so at most 16 features: more would leave each too few queries

_SOURCES = {
    "sift": "mixture of Gaussians at SIFT keypoints",
    "gradient": "gradient energy (the image has too few SIFT keypoints)",
    "uniform": "uniform distribution (the image has neither keypoints nor gradients)",
    "map": "a given map",
}


@dataclass(frozen=True, eq=False)
class KeypointMixture:
    """A distribution over the pixels of an image, made of features that a player can pick.

    Attributes:
        weights: (M,) probability of each feature; sums to 1.
        means: (M, 2) centres in pixels, rows are (y, x); pixel centres lie at whole numbers.
        sigmas: (M,) standard deviations in pixels.
        density: (H, W) probability of each pixel; sums to 1.
        source: "sift", or what was used instead: "gradient", "uniform" or "map".
        seed: for `sample`, where it is given no generator.

    With "sift" the density is the mixture of the Gaussians. With the other sources the density is given, and the
    Gaussians divide it among the features: `weights` are their masses. In both cases the probability of pixel p under
    feature m is `density[p] * responsibilities[m, p] / weights[m]`.
    """

    weights: Floats
    means: Floats
    sigmas: Floats
    density: Floats
    source: Source
    seed: int = 0
    _log_priors: Floats | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("weights", "means", "sigmas", "density"):
            array = np.array(getattr(self, name), dtype=np.float64)
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return (self.density.shape[0], self.density.shape[1])

    @cached_property
    def responsibilities(self) -> Floats:
        """(M, H, W) the share of each feature in each pixel; sums to 1 over the features at each pixel."""
        log_priors = np.log(self.weights) if self._log_priors is None else self._log_priors
        shares = _posterior(log_priors, self.means, self.sigmas, *self.shape)
        shares.setflags(write=False)
        return shares

    def shares(self, side: int) -> Floats:
        """(M, h, w) the share of each feature in each square of so many pixels per side; the last ones may be smaller.

        Those of single pixels are the `responsibilities`.
        """
        if side == 1:
            return self.responsibilities
        log_priors = np.log(self.weights) if self._log_priors is None else self._log_priors
        height, width = (-(-length // side) for length in self.shape)
        return _posterior(log_priors, (self.means + 0.5) / side - 0.5, self.sigmas / side, height, width)

    def owners(self) -> NDArray[np.int64]:
        """(H, W) the feature that takes the greatest responsibility for each pixel, found without holding all of them."""
        log_priors = np.log(self.weights) if self._log_priors is None else self._log_priors
        down, across = _log_axes(self.means, self.sigmas, *self.shape)
        down += log_priors[:, None]
        return np.stack([(row[:, None] + across).argmax(axis=0) for row in down.T])

    @cached_property
    def _cumulative(self) -> Floats:
        total = np.cumsum(self.density)
        return np.asarray(total / total[-1])

    def sample(self, n: int, rng: np.random.Generator | int | None = None) -> NDArray[np.int64]:
        """Draw `n` pixels with replacement: (n, 2), rows are (y, x).

        `rng` is a generator, a seed, or None for the mixture's own seed (the same draw each time).
        """
        if n < 0:
            raise UsageError(f"can't draw {n} pixels; n must be 0 or more")
        generator = np.random.default_rng(self.seed if rng is None else rng)
        flat = np.searchsorted(self._cumulative, generator.random(n), side="right")
        return np.stack(np.unravel_index(flat, self.shape), axis=1).astype(np.int64)

    def saliency(self, label: str = "what catches the eye", image: ArrayLike | None = None) -> PixelSaliency:
        """The density as an unsigned saliency map, which `verbalize` can put into words and draw.

        `label` says what the map shows; `image` is kept with it for pictures.
        """
        picture = None if image is None else np.asarray(image, dtype=np.float32)
        return PixelSaliency(self.density, Query(label), image=picture, signed=False, method=_SOURCES[self.source])

    @classmethod
    def from_map(
        cls, scores: ArrayLike | PixelSaliency, *, shape: tuple[int, int] | None = None, seed: int = 0
    ) -> KeypointMixture:
        """A map of your own (a Grad-CAM, an eye-tracking map) in the place of SIFT.

        The density is the map divided by its sum; negative scores count as 0. At most 16 Gaussians divide it into features;
        they are fitted by expectation-maximisation on a copy of at most 64 pixels per side.

        Args:
            scores: (H, W) numbers, or a `PixelSaliency`.
            shape: (height, width) of the image, where they differ from those of the map; the map is resized linearly.
            seed: for `sample`.

        Raises:
            UsageError: the map is not two-dimensional, not finite, or nowhere positive.
        """
        values = np.asarray(scores.scores if isinstance(scores, PixelSaliency) else scores, dtype=np.float64)
        if values.ndim != 2 or not values.size:
            raise UsageError(f"a map must be an array (height, width), not of shape {values.shape}")
        if not np.isfinite(values).all():
            raise UsageError("the map holds values that are not finite; replace them, for example by 0")
        values = np.maximum(values, 0.0)
        if shape is not None and tuple(shape) != values.shape:
            values = _resize(values, *shape)
        top = values.max()
        if top <= 0:
            raise UsageError("the map is nowhere above 0, so it points at no pixel; give a map with positive scores")
        return _shared_out(values / top, "map", seed)


def keypoint_mixture(image: ArrayLike, *, min_keypoints: int = 4, max_keypoints: int = 64, seed: int = 0) -> KeypointMixture:
    """The distribution that guides a search: Gaussians at SIFT keypoints, weighted by response and as wide as their size.

    An image with a shorter side below 128 pixels is first enlarged by the smallest whole factor that reaches 128 (a
    32 by 32 image fourfold), as Wicker et al. enlarge small images, but not beyond a longer side of 4,096. One with a
    longer side above 768 that is not enlarged is made smaller. Where OpenCV's usual contrast threshold (0.04) finds too few
    keypoints, a quarter of it is tried. Where that fails as well, the density is the image's gradient energy, and for a
    flat image it is uniform; `source` says which.

    Args:
        image: (H, W, C) or (H, W) in [0, 1]. Three channels are read as RGB; any other number of channels is averaged.
        min_keypoints: with fewer keypoints, SIFT counts as failed.
        max_keypoints: only the strongest are kept. SIFT lists a keypoint once per orientation; here it counts once.
        seed: for the mixture's `sample`; finding the keypoints involves no chance.

    Raises:
        UsageError: the image has another shape, is not finite, or leaves [0, 1].

    Source: Wicker, Huang and Kwiatkowska, "Feature-Guided Black-Box Safety Testing of Deep Neural Networks", TACAS
    2018, section 3 ("saliency map as a Gaussian mixture"). Departures: the standard deviation of a Gaussian is the scale
    at which the keypoint was found (half of OpenCV's `size`, which is a diameter); the Gaussians are cut off at the border
    of the image, and the mixture is scaled to sum to 1; several orientations do not raise the weight of a keypoint.
    """
    if min_keypoints < 1 or max_keypoints < min_keypoints:
        raise UsageError(f"keypoints must satisfy 1 <= min ({min_keypoints}) <= max ({max_keypoints})")
    grey = _grey(image)
    if np.ptp(grey) >= FLAT:
        keypoints = _sift(grey, min_keypoints)
        if len(keypoints) >= min_keypoints:
            # the strongest first; equal ones in reading order, so that the choice doesn't depend on the order of SIFT
            order = np.lexsort((keypoints[:, 1], keypoints[:, 0], -keypoints[:, 3]))[:max_keypoints]
            y, x, sigma, response = keypoints[order].T
            return _gaussians(response, np.stack([y, x], axis=1), sigma, grey.shape, seed)
        energy = _gradient_energy(grey)
        if energy.max() > 0:
            return _shared_out(energy, "gradient", seed)
    return _shared_out(np.ones_like(grey), "uniform", seed)


def _grey(image: ArrayLike) -> Floats:
    pixels = np.asarray(image)
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.ndim != 3 or not pixels.size:
        raise UsageError(f"an image must be an array (height, width, channels), not of shape {pixels.shape}")
    if not np.issubdtype(pixels.dtype, np.floating):
        raise UsageError(f"an image must hold floats in [0, 1], not {pixels.dtype}; divide by the largest possible value")
    pixels = pixels.astype(np.float64)
    if not np.isfinite(pixels).all() or pixels.min() < 0 or pixels.max() > 1:
        raise UsageError("an image must be finite and lie in [0, 1]; divide by the largest possible value")
    if pixels.shape[2] == 3:
        return np.asarray(pixels @ np.array([0.299, 0.587, 0.114]))
    return np.asarray(pixels.mean(axis=2))


def _sift(grey: Floats, wanted: int) -> Floats:
    """(K, 4) rows of y, x, sigma, response, in pixels of the image as given; one row per place and scale."""
    height, width = grey.shape
    factor: float = min(-(-SHORT_SIDE // min(height, width)), ENLARGED_SIDE // max(height, width))
    if factor <= 1:
        factor = min(1.0, LONG_SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    levels = np.rint(grey * 255).astype(np.uint8)
    picture = cv2.resize(levels, size, interpolation=cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA)
    for contrast in CONTRAST:
        found = cv2.SIFT.create(contrastThreshold=contrast).detect(picture, None)
        if len(found) >= wanted:
            break
    rows = np.array([(k.pt[1], k.pt[0], k.size / 2, k.response) for k in found], dtype=np.float64).reshape(-1, 4)
    rows = np.unique(rows[rows[:, 3] > 0], axis=0)
    # OpenCV's resize aligns the edges of the images, so pixel centres move by half a pixel
    rows[:, :2] = np.clip((rows[:, :2] + 0.5) / factor - 0.5, 0, (height - 1, width - 1))
    rows[:, 2] /= factor
    return rows


def _gradient_energy(grey: Floats) -> Floats:
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)
    across = cv2.Sobel(smooth, cv2.CV_64F, 1, 0, borderType=cv2.BORDER_REPLICATE)
    down = cv2.Sobel(smooth, cv2.CV_64F, 0, 1, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(across**2 + down**2, dtype=np.float64)


def _log_axes(means: Floats, sigmas: Floats, height: int, width: int) -> tuple[Floats, Floats]:
    """Log densities of the Gaussians along each axis, (M, H) and (M, W); each density sums to 1 over the pixels."""
    logs = []
    for axis, length in ((0, height), (1, width)):
        steps = (np.arange(length) - means[:, axis, None]) / sigmas[:, None]
        values = -0.5 * steps**2
        top = values.max(axis=1, keepdims=True)
        logs.append(values - top - np.log(np.exp(values - top).sum(axis=1, keepdims=True)))
    return logs[0], logs[1]


def _gaussians(response: Floats, means: Floats, sigmas: Floats, shape: tuple[int, ...], seed: int) -> KeypointMixture:
    weights = response / response.sum()
    sigmas = np.maximum(sigmas, MIN_SIGMA)
    down, across = _log_axes(means, sigmas, shape[0], shape[1])
    density = (np.exp(down) * weights[:, None]).T @ np.exp(across)  # isotropic Gaussians are separable: one product
    return KeypointMixture(weights, means, sigmas, density / density.sum(), "sift", seed)


def _posterior(log_priors: Floats, means: Floats, sigmas: Floats, height: int, width: int) -> Floats:
    down, across = _log_axes(means, sigmas, height, width)
    logs = (log_priors[:, None] + down)[:, :, None] + across[:, None, :]
    logs -= logs.max(axis=0)  # far from every centre all densities underflow, but their ratios do not
    np.exp(logs, out=logs)
    logs /= logs.sum(axis=0)
    return logs


def _shared_out(values: Floats, source: Source, seed: int) -> KeypointMixture:
    """A mixture for a given density: Gaussians that start on a lattice and are fitted to it."""
    height, width = values.shape
    density = values / values.sum()
    rows, columns = min(LATTICE, height), min(LATTICE, width)
    y = (np.arange(rows) + 0.5) * height / rows - 0.5
    x = (np.arange(columns) + 0.5) * width / columns - 0.5
    means = np.stack([axis.ravel() for axis in np.meshgrid(y, x, indexing="ij")], axis=1)
    sigmas = np.full(len(means), max(MIN_SIGMA, 0.5 * max(height / rows, width / columns)))
    priors = np.full(len(means), 1 / len(means))
    if source != "uniform":
        priors, means, sigmas = _fit(density, priors, means, sigmas)
    weights = np.einsum("mhw,hw->m", _posterior(np.log(priors), means, sigmas, height, width), density)
    kept = weights > 0
    if not kept.all():  # a feature without mass owns pixels of density 0 only; it can go
        priors, means, sigmas, weights = priors[kept], means[kept], sigmas[kept], weights[kept]
    return KeypointMixture(weights / weights.sum(), means, sigmas, density, source, seed, np.log(priors))


def _fit(density: Floats, priors: Floats, means: Floats, sigmas: Floats) -> tuple[Floats, Floats, Floats]:
    """Fit isotropic Gaussians to a density by expectation-maximisation (Dempster et al. 1977), weighted by pixel."""
    height, width = density.shape
    scale = max(1.0, max(height, width) / EM_SIDE)
    small = _resize(density, max(1, round(height / scale)), max(1, round(width / scale))) if scale > 1 else density
    small = np.maximum(small, 0) / small.sum()
    ratio = np.array([small.shape[0] / height, small.shape[1] / width])
    centres = (means + 0.5) * ratio - 0.5
    spread = np.maximum(sigmas * ratio.mean(), MIN_SIGMA)
    y, x = np.arange(small.shape[0]), np.arange(small.shape[1])
    for _ in range(EM_STEPS):
        share = _posterior(np.log(priors), centres, spread, *small.shape) * small
        mass = share.sum(axis=(1, 2))
        kept = mass > 1e-9
        share, mass = share[kept], mass[kept]
        by_row, by_column = share.sum(axis=2), share.sum(axis=1)
        centres = np.stack([by_row @ y, by_column @ x], axis=1) / mass[:, None]
        square = (by_row * (y - centres[:, :1]) ** 2).sum(axis=1) + (by_column * (x - centres[:, 1:]) ** 2).sum(axis=1)
        spread = np.maximum(np.sqrt(square / (2 * mass)), MIN_SIGMA)
        priors = mass / mass.sum()
    return priors, (centres + 0.5) / ratio - 0.5, np.maximum(spread / ratio.mean(), MIN_SIGMA)


def _resize(values: Floats, height: int, width: int) -> Floats:
    shrinks = height * width < values.size
    resized: Any = cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.float64)
