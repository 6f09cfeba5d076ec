"""How a network wants its images: order of the axes, range of the values, normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Images: TypeAlias = NDArray[np.float32]

Axes: TypeAlias = Literal["nhwc", "nchw"]
Channels: TypeAlias = Literal["rgb", "bgr"]
Numbers: TypeAlias = float | Sequence[float]

LARGEST, LEAST = float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny)
"""What the numbers may be: images are float32, and so is what is made of them."""


@dataclass(frozen=True)
class InputLayout:
    """Turns (N, H, W, C) float32 images in [0, 1] into the array that a network takes.

    Attributes:
        axes: "nhwc" or "nchw".
        value_range: the network's values for 0 (black) and 1 (white), for example (0, 255).
        mean: subtracted after the images were scaled to `value_range`; one number, or one per channel.
        std: divided by after that; one number, or one per channel.
        channels: the order of the colours that the network takes, "rgb" or "bgr". `mean` and `std` are in that order.

    Raises:
        UsageError: a value is not of this form, or the images have another number of channels than `mean`, `std` or
            `channels`.
    """

    axes: Axes = "nhwc"
    value_range: Sequence[float] = (0.0, 1.0)
    mean: Numbers | None = None
    std: Numbers | None = None
    channels: Channels = "rgb"

    def __post_init__(self) -> None:
        if self.axes not in ("nhwc", "nchw"):
            raise UsageError(f"{argument('layout')} must be 'nhwc' or 'nchw', not {self.axes!r}")
        if self.channels not in ("rgb", "bgr"):
            raise UsageError(f"{argument('channels')} must be 'rgb' or 'bgr', not {self.channels!r}")
        bounds = _numbers("value_range", self.value_range)
        if len(bounds) != 2 or not bounds[0] < bounds[1]:
            raise UsageError(f"{argument('value_range')} must be two rising numbers such as (0, 255), not {self.value_range!r}")
        if self.mean is not None:
            _numbers("mean", self.mean)
        if self.std is not None and not all(value >= LEAST for value in _numbers("std", self.std)):
            raise UsageError(f"{argument('std')} must be above 0, not {self.std!r:.80}")

    def check_channels(self, channels: int | None) -> None:
        """See that the settings are for images of so many channels; None where that is not known yet.

        Raises:
            UsageError: they are for another number.
        """
        if channels is None:
            return
        if self.channels == "bgr" and channels != 3:
            raise UsageError(f"{argument('channels', 'bgr')} needs images of 3 channels, not {channels}")
        for name in ("mean", "std"):
            given = getattr(self, name)
            if given is not None and np.size(given) not in {1, channels}:
                raise UsageError(f"{argument(name)} has {np.size(given)} numbers but the images {channels} channels")

    def __call__(self, images: Images) -> Images:
        """The network's input: a C-contiguous float32 array in the order of `axes`."""
        self.check_channels(images.shape[-1])
        if self.channels == "bgr":
            images = images[..., ::-1]
        low, high = self.value_range
        values = images if (low, high) == (0.0, 1.0) else images * np.float32(high - low) + np.float32(low)
        if self.mean is not None:
            values = np.subtract(values, self.mean, dtype=np.float32)
        if self.std is not None:
            values = np.divide(values, self.std, dtype=np.float32)
        if self.axes == "nchw":
            values = values.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(values, dtype=np.float32)

    @property
    def key(self) -> str:
        """A text that is equal for equal layouts, however their numbers were written."""
        numbers = [None if given is None else _numbers("", given) for given in (self.value_range, self.mean, self.std)]
        return f"{self.axes}{numbers}{'' if self.channels == 'rgb' else self.channels}"


def _numbers(name: str, given: Any) -> list[float]:
    try:
        array = np.asarray(given)
        values = [float(value) for value in array.ravel()] if array.dtype.kind in "iuf" and array.ndim < 2 else []
    except (TypeError, ValueError):  # lists of several lengths
        values = []
    if not values or not all(abs(value) <= LARGEST for value in values):
        raise UsageError(f"{argument(name)} must be a number or a list of numbers, not {given!r:.80}")
    return values
