"""Images as one batch, their crops, and the features of a layer as activations at places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from saywhy_core.errors import UsageError
from saywhy_core.images import read_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

STRIDE = 0.8  # of the patch, from one crop to the next, as in CRAFT
PATCH = 2 / 7  # of the shorter side: CRAFT takes 64 of 224 pixels


@dataclass(frozen=True)
class Layout:
    """How the features of a layer lie in a picture.

    Args:
        shape: the shape of the features of one image: (D, h, w), (T, D) or (D,).
        leading: tokens before those of the picture, such as the class token.
        grid: rows and columns of the places; `None` for features without places.
    """

    shape: tuple[int, ...]
    leading: int = 0
    grid: tuple[int, int] | None = None

    @classmethod
    def of(cls, features: torch.Tensor, size: tuple[int, int], leading: int | None) -> Layout:
        """The layout of N×D×h×w, N×T×D or N×D features of pictures of a size.

        Raises:
            UsageError: the features have another number of axes, or their tokens fit no grid of the picture's proportions.
        """
        shape = tuple(int(side) for side in features.shape[1:])
        if len(shape) != 2 and leading is not None:
            raise UsageError(f"leading has no effect on features of shape {shape}, which have no tokens; leave it out")
        if len(shape) == 3:
            return cls(shape, 0, (shape[1], shape[2]))
        if len(shape) == 1:
            return cls(shape)
        if len(shape) != 2:
            raise UsageError(f"features must be N×D×h×w, N×T×D or N×D, not of shape {tuple(features.shape)}")
        for count in (0, 1) if leading is None else (leading,):
            grid = _grid(shape[0] - count, size)
            if grid is not None:
                return cls(shape, count, grid)
        raise UsageError(
            f"{shape[0]} tokens fit no grid over a picture of {size[0]} x {size[1]} pixels; "
            "say with leading= how many of them come before those of the picture"
        )

    def activations(self, features: torch.Tensor) -> torch.Tensor:
        """Features -> N×P×D, with the leading tokens first."""
        if len(self.shape) == 3:
            return features.flatten(2).transpose(1, 2)
        return features if len(self.shape) == 2 else features[:, None]

    def features(self, activations: torch.Tensor) -> torch.Tensor:
        """M×P×D -> features as the head takes them."""
        if len(self.shape) == 3:
            return activations.transpose(1, 2).reshape(-1, *self.shape)
        return activations if len(self.shape) == 2 else activations[:, 0]


def _grid(tokens: int, size: tuple[int, int]) -> tuple[int, int] | None:
    """The grid of so many tokens that has the proportions of the picture."""
    rows = round((tokens * size[0] / size[1]) ** 0.5) if tokens > 0 else 0
    if rows < 1 or tokens % rows:
        return None
    columns = tokens // rows
    return (rows, columns) if rows * size[1] == columns * size[0] else None


def batch_of(images: Any) -> torch.Tensor:
    """N×C×H×W in [0, 1], from a tensor of that shape, an array N×H×W×C, or a list of what `read_image` reads.

    Raises:
        UsageError: there are no images, one can't be read, or their sizes differ.
    """
    if isinstance(images, torch.Tensor):
        if images.ndim != 4 or not len(images):
            raise UsageError(
                f"a tensor of images must be N×C×H×W, not of shape {tuple(images.shape)}; one image is images[None]"
            )
        return images.detach().float()
    if isinstance(images, np.ndarray) and images.ndim != 4:
        raise UsageError(f"an array of images must be N×H×W×C, not of shape {images.shape}; one image is images[None]")
    pixels = [np.array(read_image(image)) for image in images]
    if not pixels:
        raise UsageError("there are no images; give at least one")
    if len({one.shape for one in pixels}) > 1:
        raise UsageError("the images have several sizes; bring them to the size that the model takes first")
    return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous()


def crop_boxes(count: int, size: tuple[int, int], patch: int) -> NDArray[np.int64]:
    """(M, 5) image, top, left, bottom and right of square crops of all images, which overlap by a fifth of their side.

    Raises:
        UsageError: the patch does not fit into the picture.
    """
    if not 1 <= patch <= min(size):
        raise UsageError(f"patch is the side of a crop in pixels, from 1 to {min(size)} for these images, not {patch!r}")
    stride = max(1, int(patch * STRIDE))
    tops, lefts = (sorted({*range(0, side - patch + 1, stride), side - patch}) for side in size)
    found = [(top, left, top + patch, left + patch) for top in tops for left in lefts]
    return np.array([(image, *box) for image in range(count) for box in found], dtype=np.int64)


def crops_of(batch: torch.Tensor, boxes: NDArray[np.int64], batch_size: int) -> Iterator[torch.Tensor]:
    """The crops, enlarged bilinearly to the size of the images, in batches."""
    size = (int(batch.shape[2]), int(batch.shape[3]))
    for start in range(0, len(boxes), batch_size):
        cut = torch.stack(
            [
                batch[image, :, top:bottom, left:right]
                for image, top, left, bottom, right in boxes[start : start + batch_size].tolist()
            ]
        )
        yield functional.interpolate(cut, size=size, mode="bilinear", align_corners=False)
