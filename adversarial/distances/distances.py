"""How far an image is from another: L0 (pixels), L1, L2 and L-infinity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.floating]

Distance: TypeAlias = Literal["l0", "l1", "l2", "linf"]


def l0(differences: Floats) -> NDArray[np.float64]:
    """Pixels that differ, (N,): a pixel counts once however many of its channels differ."""
    return np.asarray((differences != 0).any(axis=-1).sum(axis=(-2, -1)), dtype=np.float64)


def l1(differences: Floats) -> NDArray[np.float64]:
    """Sum of the absolute differences, (N,)."""
    return np.asarray(np.abs(differences, dtype=np.float64).sum(axis=(-3, -2, -1)))


def l2(differences: Floats) -> NDArray[np.float64]:
    """Euclidean length of the differences, (N,)."""
    return np.asarray(np.sqrt(np.square(differences, dtype=np.float64).sum(axis=(-3, -2, -1))))


def linf(differences: Floats) -> NDArray[np.float64]:
    """The greatest absolute difference, (N,)."""
    return np.asarray(np.abs(differences, dtype=np.float64).max(axis=(-3, -2, -1)))


DISTANCES: dict[str, Callable[[Floats], NDArray[np.float64]]] = {"l0": l0, "l1": l1, "l2": l2, "linf": linf}


def distance_function(name: str) -> Callable[[Floats], NDArray[np.float64]]:
    """The distance of that name: (N, H, W, C) differences -> (N,).

    Raises:
        UsageError: there is no such distance.
    """
    if name not in DISTANCES:
        raise UsageError(f"there is no distance {name!r}; use one of {', '.join(DISTANCES)}")
    return DISTANCES[name]


def all_distances(image: Floats, other: Floats) -> dict[str, float]:
    """Every distance between two images of shape (H, W, C)."""
    differences = np.subtract(other, image, dtype=np.float64)[None]
    return {name: float(measure(differences)[0]) for name, measure in DISTANCES.items()}
