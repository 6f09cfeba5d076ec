"""L0: how many pixels differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from adversarial.distances.distance import Distance

if TYPE_CHECKING:
    from numpy.typing import NDArray


def changed_pixels(differences: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N,) pixels that differ; a pixel counts once, however many of its channels differ."""
    return np.asarray((differences != 0).any(axis=-1).sum(axis=(-2, -1)), dtype=np.float64)


L0 = Distance(name="l0", title="L0", measure=changed_pixels, counts_pixels=True, change="{pixels}")
