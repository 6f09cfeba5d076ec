"""L0: how many pixels differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from adversarial.distances.distance import Distance

if TYPE_CHECKING:
    from numpy.typing import NDArray


def changed_pixels(differences: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N,) pixels that differ; a pixel counts once, however many of its channels differ."""
    changed = differences != 0
    pixels = changed[..., 0].copy()
    for channel in range(1, changed.shape[-1]):  # a reduction over a short axis is slow
        pixels |= changed[..., channel]
    return np.asarray(np.count_nonzero(pixels, axis=(-2, -1)), dtype=np.float64)


L0 = Distance(name="l0", title="L0", measure=changed_pixels, counts_pixels=True, change="{pixels}")
