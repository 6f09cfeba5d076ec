"""How far scores are from a flip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def margin(scores: NDArray[np.floating], label: int, target: int | None = None) -> NDArray[np.floating]:
    """(N,) how far each row of (N, K) scores is from the goal: negative where it is reached, and 0 at a tie.

    Without a target: the label's score less the best other score. With one: the best other score less the target's.
    """
    pivot = label if target is None else target
    rest = np.delete(scores, pivot, axis=1).max(axis=1)
    gap: NDArray[np.floating] = scores[:, pivot] - rest
    return gap if target is None else -gap
