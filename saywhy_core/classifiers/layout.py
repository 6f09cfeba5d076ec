"""How a network wants its images: order of the axes, range of the values, normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Images: TypeAlias = NDArray[np.float32]

Axes: TypeAlias = Literal["nhwc", "nchw"]
Numbers: TypeAlias = float | Sequence[float]


@dataclass(frozen=True)
class InputLayout:
    """From (N, H, W, C) float32 in [0, 1] to what a network takes.

    Attributes:
        axes: "nhwc" or "nchw".
        value_range: the values that stand for 0 and 1.
        mean, std: taken off and divided by, a channel each or one for all, after the range.
    """

    axes: Axes = "nhwc"
    value_range: tuple[float, float] = (0.0, 1.0)
    mean: Numbers | None = None
    std: Numbers | None = None

    def __post_init__(self) -> None:
        if self.axes not in ("nhwc", "nchw"):
            raise UsageError(f"layout must be 'nhwc' or 'nchw', not {self.axes!r}")
        bounds = tuple(float(value) for value in self.value_range)
        if len(bounds) != 2 or not bounds[0] < bounds[1]:
            raise UsageError(f"value_range must be two rising numbers such as (0, 255), not {self.value_range!r}")
        if self.std is not None and not np.all(np.asarray(self.std) > 0):
            raise UsageError(f"std must be above 0, not {self.std!r}")

    def __call__(self, images: Images) -> Images:
        """The network's input."""
        low, high = self.value_range
        values = images if (low, high) == (0.0, 1.0) else images * np.float32(high - low) + np.float32(low)
        for name in ("mean", "std"):
            given = getattr(self, name)
            if given is not None and np.size(given) not in {1, images.shape[-1]}:
                raise UsageError(f"{name} has {np.size(given)} numbers but the images {images.shape[-1]} channels")
        if self.mean is not None:
            values = np.subtract(values, self.mean, dtype=np.float32)
        if self.std is not None:
            values = np.divide(values, self.std, dtype=np.float32)
        if self.axes == "nchw":
            values = values.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(values, dtype=np.float32)
