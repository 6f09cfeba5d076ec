"""What a classifier may have wanted in the place of what it is sent: the same images in other colours, ranges and axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Images: TypeAlias = "NDArray[np.float32]"

MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)
"""The means and deviations of ImageNet's channels, which most published networks are normalised by."""


@dataclass(frozen=True)
class Variant:
    """One way to send the images otherwise.

    Attributes:
        name: for programs.
        change: from (N, H, W, C) images in [0, 1] to what is sent in their place.
        words: what would be better, behind "the answers are more decided if".
        option: the option of a target that does it.
        needs: the name of that option.
        colours: whether images need three channels for it.
        inside: whether the changed values lie in [0, 1], so that a picture can hold them.
    """

    name: str
    change: Callable[[Images], Images]
    words: str
    option: str
    needs: str
    colours: bool = False
    inside: bool = False


VARIANTS = (
    Variant(
        "bgr", lambda images: images[..., ::-1], "red and blue change places", "channels=bgr, or rgb where it is bgr now",
        "channels", colours=True, inside=True,
    ),
    Variant("0-255", lambda images: images * 255, "values reach from 0 to 255", "value_range=0,255", "value_range"),
    Variant(
        "0-1", lambda images: images / np.float32(255), "values are divided by 255", "value_range=0,1", "value_range",
        inside=True,
    ),
    Variant("-1-1", lambda images: images * 2 - 1, "values reach from -1 to 1", "value_range=-1,1", "value_range"),
    Variant(
        "normalised", lambda images: (images - MEAN) / STD, "values are normalised by ImageNet's mean and deviation",
        "mean=0.485,0.456,0.406 and std=0.229,0.224,0.225", "mean", colours=True,
    ),
    Variant(
        "not normalised", lambda images: images * STD + MEAN, "values are not normalised, as if the network did that itself",
        "no mean and std", "mean", colours=True,
    ),
    Variant(
        "channels first", lambda images: images.transpose(0, 3, 1, 2).reshape(images.shape), "channels come first",
        "layout=nchw, or nhwc where it is nchw now", "layout", colours=True, inside=True,
    ),
)  # fmt: skip
