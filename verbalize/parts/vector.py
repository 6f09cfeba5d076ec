"""Check that scores are a vector of finite numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verbalize.saliency import SaliencyError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from verbalize.saliency import Floats


def finite_vector(scores: ArrayLike) -> Floats:
    """The scores as a float64 vector of shape (n,).

    Raises:
        SaliencyError: the scores are not numbers, not one-dimensional, or not all finite.
    """
    try:
        values = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise SaliencyError(f"scores must be numbers: {error}") from None
    if values.ndim != 1:
        raise SaliencyError(f"scores must be one number per token, not an array of shape {values.shape}")
    if not np.isfinite(values).all():
        bad = int(np.flatnonzero(~np.isfinite(values))[0])
        raise SaliencyError(f"the score of token {bad} is {values[bad]}; every score must be a finite number")
    return values
