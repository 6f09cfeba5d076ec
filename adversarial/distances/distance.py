"""What a distance is: a name, a measure, and, where it has a geometry, the way to the nearest flip."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from saywhy_core.errors import UsageError
from saywhy_core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Measure: TypeAlias = Callable[[NDArray[np.floating]], Floats]
    Nearest: TypeAlias = Callable[[Floats, float, Floats, Floats], Floats]


@dataclass(frozen=True, kw_only=True)
class Distance:
    """How far an image is from another, and what an attack and a sentence need to know about it.

    A distance of your own is one such object and one registration: see "A distance of your own" in docs/attack.md.

    Attributes:
        name: the name in the registry, such as "l2".
        title: the name in sentences, such as "L2".
        measure: (N, H, W, C) differences -> (N,) distances, each at least 0, and 0 exactly where nothing differs.
        nearest: the smallest move that raises a linear function enough: `nearest(slope, need, low, high) -> move`. All
            arrays have the shape (H, W, C). The move must lie between `low` and `high` in every value, `slope * move`
            must sum to `need` (above 0) where the box allows that, and no such move may be shorter in this distance.
            None for a distance without such a formula.
        power: p where the distance is the p-norm of the differences; bounds need it. None for any other distance.
        counts_pixels: whether the distance is the number of pixels that differ.
        change: how a sentence tells a change of this size; `{pixels}`, `{value}` and `{title}` are filled in.
        attack: the name of the attack that searches for the smallest change; None chooses by what the distance has (see
            `served_by`).
        served_by_label: the name of the attack that searches where the classifier answers with its decision alone; None for
            "label_boundary" where `nearest` is given, else "label_pixels".
    """

    name: str
    title: str
    measure: Measure
    nearest: Nearest | None = None
    power: float | None = None
    counts_pixels: bool = False
    change: str = "{pixels} by {value} in {title} distance"
    attack: str | None = None
    served_by_label: str | None = None

    def __post_init__(self) -> None:
        if self.served_by_label is None:
            object.__setattr__(self, "served_by_label", "label_pixels" if self.nearest is None else "label_boundary")

    @property
    def served_by(self) -> str:
        """The attack that searches in this distance: "waves" where `nearest` is given, else "feature_guided"."""
        return self.attack or ("feature_guided" if self.nearest is None else "waves")

    def between(self, image: NDArray[np.floating], other: NDArray[np.floating]) -> float:
        """The distance of two images of shape (H, W, C)."""
        return float(self.measure(np.subtract(other, image, dtype=np.float64)[None])[0])

    def in_words(self, value: float) -> str:
        """A distance with its unit, such as "4 pixels" or "0.31 in L2"."""
        if self.counts_pixels:
            return f"{value:,.0f} {'pixel' if value == 1 else 'pixels'}"
        return f"{value:.4g} in {self.title}"

    def change_in_words(self, pixels: str, value: float) -> str:
        """A change of this size, such as "4 pixels at the top by 0.31 in L2 distance"; `pixels` says which pixels."""
        return self.change.format(pixels=pixels, value=f"{value:.3g}", title=self.title)


DISTANCES: Registry[Distance] = Registry(
    "distance",
    "saywhy.distances",
    {name: f"adversarial.distances.{name}:{name.upper()}" for name in ("l0", "l1", "l2", "linf")},
    expects=Distance,
)


def all_distances(image: NDArray[np.floating], other: NDArray[np.floating]) -> dict[str, float]:
    """Every registered distance between two images of shape (H, W, C), by name.

    A distance that another distribution brings is left out with a warning where it can't be loaded or fails: nobody asked for
    it.
    """
    found = {}
    for name, distance in DISTANCES.usable():
        try:
            with DISTANCES.blame(name):
                found[name] = distance.between(image, other)
        except UsageError as error:
            warnings.warn(f"left out of the distances: {error}", RuntimeWarning, stacklevel=2)
    return found
