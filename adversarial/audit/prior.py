"""A map of the user's own in the place of SIFT, the same for all images of an audit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from adversarial.features import KeypointMixture
from saywhy_core.errors import UsageError
from saywhy_core.images import load_array, read_image

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class MapDensity:
    """A map as `FeatureGuidedAttack(density=...)`: resized to each image, and made into a mixture there.

    Attributes:
        values: (H, W) numbers; negative ones count as 0.
        seed: of the mixtures' `sample`.
    """

    values: NDArray[np.float64]
    seed: int = 0

    def __call__(self, image: NDArray[np.float32]) -> KeypointMixture:
        """The mixture for an image (H, W, C)."""
        return KeypointMixture.from_map(self.values, shape=(image.shape[0], image.shape[1]), seed=self.seed)

    @property
    def digest(self) -> str:
        """A text that changes with the map."""
        content = repr(self.values.shape).encode() + np.ascontiguousarray(self.values).tobytes()
        return hashlib.sha256(content).hexdigest()[:20]


def read_prior(path: str | os.PathLike[str], *, seed: int = 0) -> MapDensity:
    """Read a map: an array (H, W) of any numbers from a `.npy` file, or the grey levels of a picture.

    Raises:
        UsageError: the file can't be read, or its array is no map.
    """
    file = Path(path)
    if file.suffix.lower() != ".npy":
        return MapDensity(np.asarray(read_image(file, channels=1)[:, :, 0], dtype=np.float64), seed)
    try:
        values = load_array(file)
    except UsageError as error:
        raise UsageError(f"the map {file} can't be read: {error}") from None
    if values.ndim != 2 or values.dtype.kind not in "buif":
        raise UsageError(f"the map {file} must be an array (height, width) of numbers, not {values.dtype} of {values.shape}")
    return MapDensity(np.asarray(values, dtype=np.float64), seed)
