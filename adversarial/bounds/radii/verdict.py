"""A bound: the radius, the condition under which it holds, and both in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from adversarial.bounds.numbers import counted, number, rounded_down
from adversarial.distances.distance import DISTANCES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from adversarial.bounds.radii.lipschitz import LipschitzConstant

    Floats: TypeAlias = NDArray[np.float64]
    Predict: TypeAlias = Callable[[NDArray[np.float32]], ArrayLike]


@dataclass(frozen=True, eq=False)
class Bound:
    """The radius within which no change of the chosen pixels is adversarial, and the condition under which that holds.

    Attributes:
        radius: no adversarial example lies at a distance *below* it. Infinite where no change of the pixels flips the class,
            0 where nothing follows or no constant was given.
        upper: the distance of the nearest known adversarial example that changes the chosen pixels only; infinite where none
            is known.
        norm: the name of the distance.
        constant: the Lipschitz constant that was used, or None.
        constant_norm: the name of the distance in which the constant is measured.
        largest_constant: up to this constant, everything nearer than `free_if` is free.
        free_if: the radius that goes with `largest_constant`. Larger radii need smaller constants; this is the pair with the
            greatest product.
        searched: the radius up to which the grid was evaluated; infinite for the whole of [0, 1].
        exhaustive: whether the grid was evaluated as far as it was asked for.
        refuted: a slope seen between two evaluated images that exceeds the constant, which is then wrong; else None.
        evaluations: images that the classifier was asked about.
        margin: how far the image itself is from the goal, see `adversarial.margins.margin`.
        tau: the step of the grid.
        pixels: the chosen pixels, (y, x) each.
        label: the class of the image.
        target: the class to reach, or None.
        example: the adversarial example at the distance `upper`, or None.
        beyond: the distance of a given adversarial example that changes other pixels as well, or None; `radius` does not
            cover such examples.
    """

    radius: float
    upper: float
    norm: str
    constant: LipschitzConstant | None
    constant_norm: str
    largest_constant: float
    free_if: float
    searched: float
    exhaustive: bool
    refuted: float | None
    evaluations: int
    margin: float
    tau: float
    pixels: tuple[tuple[int, int], ...]
    label: int
    target: int | None = None
    example: NDArray[np.float32] | None = None
    beyond: float | None = None

    @property
    def certain(self) -> bool:
        """Whether the radius follows from a constant that was given, not estimated and not refuted."""
        given = self.constant is not None and not self.constant.estimated and self.refuted is None
        return given and self.radius > (1 if self.norm == "l0" else 0)

    @property
    def condition(self) -> str:
        """What must be true for the radius to hold, in words."""
        if self.constant is None and self.free_if <= 0:
            return "holds for no radius on a grid of this step, whatever the constant"
        if self.constant is None:
            return f"holds if the constant is at most {rounded_down(self.largest_constant)}{self._of_what}"
        if self.refuted is not None:
            return (
                f"holds for no radius: the constant was said to be at most {number(self.constant.value)}, "
                f"but between two of the evaluated images it is at least {number(self.refuted)}"
            )
        text = f"holds if the constant is at most {number(self.constant.value)}{self._of_what}"
        if self.constant.estimated:
            return text + ", which was estimated from samples and may be larger in truth"
        return text

    @property
    def _of_what(self) -> str:
        scores = "the label's score and another" if self.target is None else "another score and the target's"
        return f" (change of the gap between {scores}, per unit of {DISTANCES.get(self.constant_norm).title} distance)"

    def to_json(self, class_names: Sequence[str] | None = None) -> dict[str, Any]:
        """The result as plain JSON values, with a version; infinite distances become None."""
        constant = self.constant
        return {
            "version": 1,
            "statement": self.statement(class_names),
            "condition": self.condition,
            "certain": self.certain,
            "distance": self.norm,
            "radius": _finite(self.radius),
            "upper": _finite(self.upper),
            "beyond": self.beyond,
            "constant": constant and {"value": constant.value, "estimated": constant.estimated, "note": constant.note},
            "constant_distance": self.constant_norm,
            "largest_constant": _finite(self.largest_constant),
            "free_if": _finite(self.free_if),
            "searched": _finite(self.searched),
            "exhaustive": self.exhaustive,
            "refuted": self.refuted,
            "evaluations": self.evaluations,
            "margin": self.margin,
            "tau": self.tau,
            "pixels": [list(pixel) for pixel in self.pixels],
            "label": self.label,
            "target": self.target,
        }

    def statement(self, class_names: Sequence[str] | None = None) -> str:
        """What is known about this image, in words: the lower bound with its condition, the upper bound, and the grid."""
        label = _name(self.label, class_names)
        goal = (
            f"leaves {_the_class(self.label, class_names)}"
            if self.target is None
            else f"becomes {_name(self.target, class_names)}"
        )
        if self.margin <= 0:
            if self.target is None:
                return f"The image is not classified as {label} in the first place; no radius is free."
            return f"The image is classified as {_name(self.target, class_names)} in the first place; no radius is free."
        parts = [self._lower(goal), self._upper(), self._grid()]
        return " ".join(part for part in parts if part)

    def _lower(self, goal: str) -> str:
        if self.refuted is not None:
            return f"Nothing follows: the bound {self.condition}."
        radius = self.free_if if self.constant is None else self.radius
        if radius <= 0 or (self.norm == "l0" and radius <= 1):
            return "No radius around the image is shown to be free by a grid of this step."
        only = f"only in the {counted(len(self.pixels), 'chosen pixel')}"
        if radius == math.inf:
            where = f"differs from this one {only}"
        elif self.norm == "l0":
            where = f"differs from this one in at most {math.ceil(radius) - 1} of the {len(self.pixels)} chosen pixels"
        else:
            where = f"differs from this one {only}, by less than {rounded_down(radius)} in {DISTANCES.get(self.norm).title},"
        claim = f"no image that {where} {goal}"
        if self.certain:
            return f"Guaranteed: {claim}. This {self.condition}."
        if self.constant is not None:
            return f"Estimated, not certain: {claim}. This {self.condition}."
        return f"On the grid, {claim}. That the images between do not either {self.condition}."

    def _upper(self) -> str:
        if self.upper < math.inf:
            at = DISTANCES.get(self.norm).in_words(self.upper)
            text = f"The nearest adversarial example known that changes these pixels only lies at {at}."
        else:
            text = "No adversarial example that changes these pixels only is known."
        if self.beyond is not None:
            text += f" One that changes other pixels as well lies at {DISTANCES.get(self.norm).in_words(self.beyond)}."
        return text

    def _grid(self) -> str:
        text = f"{counted(self.evaluations, 'image')} evaluated, on a grid of step {number(self.tau)}"
        if self.searched < math.inf:
            unit = " pixels" if self.norm == "l0" else f" in {DISTANCES.get(self.norm).title}"
            text += f", up to {number(self.searched)}{unit}"
        return text + ("." if self.exhaustive else "; the grid was too large to be evaluated any further.")


def _name(index: int, class_names: Sequence[str] | None) -> str:
    return f"{class_names[index]!r}" if class_names is not None else f"class {index}"


def _the_class(index: int, class_names: Sequence[str] | None) -> str:
    return _name(index, class_names) if class_names is None else f"the class {_name(index, class_names)}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
