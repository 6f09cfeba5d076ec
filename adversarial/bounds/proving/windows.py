"""Windows of max pooling as arrays, so that bounds can be pushed through them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

    from adversarial.bounds.networks import MaxPool


def windows(pool: MaxPool, x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, elements of a window, windows); what lies outside of the picture is minus infinity."""
    top, left, bottom, right = pool.padding
    padded = functional.pad(x, (left, right, top, bottom), value=-math.inf)
    rows, columns = pool.kernel
    cut = padded.unfold(2, rows, pool.stride[0]).unfold(3, columns, pool.stride[1])
    count, channels, high, wide = cut.shape[:4]
    return cut.permute(0, 1, 4, 5, 2, 3).reshape(count, channels, rows * columns, high * wide)


def scattered(pool: MaxPool, parts: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The adjoint of `windows`: (N, C, elements, windows) summed into (N, C, H, W)."""
    top, left, bottom, right = pool.padding
    _, high, wide = shape
    count, channels, elements, number = parts.shape
    whole = functional.fold(
        parts.reshape(count, channels * elements, number),
        (high + top + bottom, wide + left + right),
        pool.kernel,
        stride=pool.stride,
    )
    return whole[:, :, top : top + high, left : left + wide]
