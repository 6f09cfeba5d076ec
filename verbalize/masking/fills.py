"""What stands in the place of hidden pixels and words."""

from __future__ import annotations

import torch
from torch.nn import functional

from saywhy_core.errors import UsageError

IMAGE_FILLS = ("zero", "grey", "white", "mean", "blur", "noise")
TEXT_FILLS = ("removal", "mask", "pad", "unk")
_NOISE_SEED = 0  # the same noise for every mask of an image, so that two masks differ by the mask alone


def filled(images: torch.Tensor, fill: str) -> torch.Tensor:
    """N×C×H×W images -> what stands in the place of their hidden pixels, of the same shape.

    "zero", "grey" (0.5) and "white" are constants; "mean" is the mean colour of the image; "blur" its box blur over an eighth
    of the shorter side to both sides; "noise" uniform noise, the same for all images.

    Raises:
        UsageError: there is no such fill.
    """
    match fill:
        case "zero" | "grey" | "white":
            return torch.full_like(images, {"zero": 0.0, "grey": 0.5, "white": 1.0}[fill])
        case "mean":
            return images.mean(dim=(2, 3), keepdim=True).expand_as(images).contiguous()
        case "blur":
            reach = max(1, min(images.shape[2:]) // 8)
            side = 2 * reach + 1
            once = functional.avg_pool2d(images, side, stride=1, padding=reach, count_include_pad=False)
            return functional.avg_pool2d(once, side, stride=1, padding=reach, count_include_pad=False)
        case "noise":
            generator = torch.Generator().manual_seed(_NOISE_SEED)
            noise = torch.rand(images.shape[1:], generator=generator, dtype=images.dtype)
            return noise.to(images.device).expand_as(images).contiguous()
    raise UsageError(f"hidden pixels can be filled with {', '.join(IMAGE_FILLS)}, not {fill!r}")
