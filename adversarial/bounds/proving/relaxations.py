"""Linear relaxations of ReLU and max pooling around the activations of an image, for a batch of blocks.

Everything is a deviation d from the activation z0 of the image; with l <= z0 + d <= u, relu(z0 + d) - relu(z0) lies between two
lines in d: above, the chord (slope u / (u - l)); below, the parallel of the chord through 0, or the line of slope 0 or 1 that
leaves the smaller area (Singh et al. 2019, DeepPoly; Zhang et al. 2018, CROWN). Slopes are 0 or 1, and the lines exact, where
the sign does not change.

Beside the lines, there is what `relu_between` and `pool_between` say. Before the operation, let an activation be I[z] + e: I is
the interpolation of its values z in the corners of a box, with weights that are at least 0 and sum up to 1, the same ones for
all activations, and e lies in an interval. Behind it, the activation is the interpolation of the results in the corners, and an
error. The bounds on that error hold for whatever weights, hence for the whole box.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import torch

from adversarial.bounds.networks import MaxPool, Relu
from adversarial.bounds.proving.windows import scattered, windows

if TYPE_CHECKING:
    from torch import Tensor

    Interval: TypeAlias = tuple[Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class ReluLines:
    """The lines around one ReLU, (B, ...) each: `chord d + top`, `chord d + parallel` and `lower d + bottom`."""

    chord: Tensor
    top: Tensor
    parallel: Tensor
    lower: Tensor
    bottom: Tensor

    def below(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """What bounds v relu from below: rows (B, S, ...) before the ReLU, and constants (B, S)."""
        up, down = v.clamp(min=0), v.clamp(max=0)
        rows = up * self.lower[:, None] + down * self.chord[:, None]
        return rows, (up * self.bottom[:, None] + down * self.top[:, None]).flatten(2).sum(2)

    def beside(self, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What bounds v relu from both sides with one slope: rows, and the least and the largest constants."""
        middle, half = ((self.top + side * self.parallel).flatten(1) / 2 for side in (1, -1))
        if v.stride(0) == 0:  # the same rows for all blocks
            rows = v[0].flatten(1)
            centre, spread = middle @ rows.T, half @ rows.abs().T
        else:
            centre = torch.einsum("bsn,bn->bs", v.flatten(2), middle)
            spread = torch.einsum("bsn,bn->bs", v.abs().flatten(2), half)
        return v * self.chord[:, None], centre - spread, centre + spread

    def of(self, rows: Tensor) -> ReluLines:
        """The lines of some blocks."""
        return ReluLines(self.chord[rows], self.top[rows], self.parallel[rows], self.lower[rows], self.bottom[rows])

    def beyond(self, shift: Tensor, radius: Tensor) -> ReluLines:
        """The lines around relu(d + e) as lines in d, where e lies within `radius` of `shift`."""
        return ReluLines(
            self.chord,
            self.top + self.chord * (shift + radius),
            self.parallel + self.chord * (shift - radius),
            self.lower,
            self.bottom + self.lower * (shift - radius),
        )


@dataclass(frozen=True, eq=False)
class PoolLines:
    """The lines around one max pooling: `weight d + low` below and `slope d + high` above, d being a window's leader.

    The leader is the element with the greatest lower bound. The pooled number is at least the leader; at most, with M the
    greatest upper bound of the others, M + relu(leader - M), of which the chord is taken.

    Attributes:
        leader: (B, C, windows) its place in the window.
        slope, low, high: (B, C, windows).
        led: (B, C, windows) 1 where the leader is the largest whatever happens, so that both lines are the leader itself.
    """

    pool: MaxPool
    leader: Tensor
    slope: Tensor
    low: Tensor
    high: Tensor
    led: Tensor
    shape: tuple[int, ...]

    def below(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """As `ReluLines.below`."""
        flat = v.reshape(*v.shape[:3], -1)
        up, down = flat.clamp(min=0), flat.clamp(max=0)
        constants = (up * self.low[:, None] + down * self.high[:, None]).flatten(2).sum(2)
        return self._scattered(up + down * self.slope[:, None]), constants

    def of(self, rows: Tensor) -> PoolLines:
        """The lines of some blocks."""
        return replace(
            self, leader=self.leader[rows], slope=self.slope[rows], low=self.low[rows], high=self.high[rows], led=self.led[rows]
        )

    def _scattered(self, taken: Tensor) -> Tensor:
        batch, rows, channels, number = taken.shape
        elements = self.pool.kernel[0] * self.pool.kernel[1]
        parts = taken.new_zeros(batch, rows, channels, elements, number)
        place = self.leader[:, None, :, None].expand(-1, rows, -1, -1, -1)
        parts.scatter_(3, place, taken[:, :, :, None])
        return scattered(self.pool, parts.flatten(0, 1), self.shape).reshape(batch, rows, *self.shape)


def relu_lines(before: Tensor, low: Tensor, high: Tensor) -> ReluLines:
    """The lines for activations (1, ...) before the ReLU and deviations between (B, ...) bounds."""
    least, most = before + low, before + high
    after = before.clamp(min=0)
    crossing = (least < 0) & (most > 0)
    flat = torch.where(least >= 0, 1.0, (least + most) * 0)  # 0 where it is off, and no number where there are no bounds
    chord = torch.where(crossing, most / (most - least).clamp(min=torch.finfo(least.dtype).tiny), flat)
    lower = torch.where(crossing, (most > -least).to(least.dtype), chord)
    return ReluLines(
        chord,
        torch.where(crossing, chord * (before - least), chord * before) - after,
        chord * before - after,
        lower,
        lower * before - after,
    )


def pool_lines(pool: MaxPool, before: Tensor, low: Tensor, high: Tensor) -> PoolLines:
    """The lines for activations (1, C, H, W) before max pooling and deviations between (B, C, H, W) bounds."""
    least, most = windows(pool, before + low), windows(pool, before + high)
    pooled = windows(pool, before).amax(2)
    bottom, leader = least.max(dim=2)
    place = leader[:, :, None]
    top = most.gather(2, place)[:, :, 0]
    rival = most.scatter(2, place, -torch.inf).amax(2).clamp(min=torch.finfo(least.dtype).min)
    start = windows(pool, before).expand_as(least).gather(2, place)[:, :, 0]
    led = rival <= bottom  # the leader is the largest whatever happens
    room = (top - bottom).clamp(min=torch.finfo(least.dtype).tiny)
    slope = torch.where(led, torch.ones_like(top), ((top - rival) / room).clamp(0, 1))
    over = torch.where(led, start, rival + slope * (start - bottom))
    return PoolLines(pool, leader, slope, start - pooled, over - pooled, led.to(top.dtype), tuple(before.shape[1:]))


def lines_of(op: object, before: Tensor, low: Tensor, high: Tensor) -> ReluLines | PoolLines:
    """The lines around a nonlinear operation."""
    if isinstance(op, Relu):
        return relu_lines(before, low, high)
    return pool_lines(op, before, low, high)  # type: ignore[arg-type]


def relu_between(corners: Tensor, error: Interval) -> Interval:
    """Between what relu(I[z] + e) - I[relu(z)] lies.

    From above: relu(I[z] + e) <= I[relu(z + e)], and relu(z + e) - relu(z) does not fall in z where e >= 0, nor rise where
    e <= 0, so that one end of the range of z decides. From below: relu(x) >= s x for every slope s in [0, 1], so that it is at
    least s e + the least of s z - relu(z), which is concave in s; the best s is 0, 1 or the slope of the chord.

    Args:
        corners: (B, M, V, ...), z in the V corners of each of M items, of which any one is applied.
        error: (B, ...) each, between what e lies.

    Returns:
        (B, ...) each, for whichever item.
    """
    least, most = corners.aminmax(dim=2)
    low, high = error[0][:, None], error[1][:, None]
    up, down = most.clamp(min=0), least.clamp(max=0)
    slope = up / (up - down).clamp(min=torch.finfo(up.dtype).tiny)
    bottom = torch.maximum(slope * (low + down), torch.maximum(low + down, -up))
    top = torch.where(high >= 0, (most + high).clamp(min=0) - up, (least + high).clamp(min=0) - least.clamp(min=0))
    return bottom.amin(1), top.amax(1)


def pool_between(pool: MaxPool, corners: Tensor, error: Interval) -> Interval:
    """Between what the largest of I[z] + e in each window is more than I[the largest z].

    From above, it is at most the largest of z + e in some corner, less the largest z there. From below, it is at least what
    any one element is; the best one is taken.

    Args:
        pool: the windows.
        corners: (B, M, V, C, H, W), z in the V corners of each of M items, of which any one is applied.
        error: (B, C, H, W) each, between what e lies.

    Returns:
        (B, C, h, w) each, for whichever item.
    """
    batch, items, number = corners.shape[:3]
    z = windows(pool, corners.flatten(0, 2)).unflatten(0, (batch, items, number))  # (B, M, V, C, elements, windows)
    low, high = (windows(pool, side)[:, None] for side in error)
    largest = z.amax(4, keepdim=True)
    # outside of the picture, all of them are minus infinity
    bottom = ((z - largest).amin(2) + low).amax(3)
    top = ((z + high[:, None]).amax(4) - largest[:, :, :, :, 0]).amax(2)
    after = [
        (size + before + behind - kernel) // stride + 1
        for size, before, behind, kernel, stride in zip(
            corners.shape[-2:], pool.padding[:2], pool.padding[2:], pool.kernel, pool.stride, strict=True
        )
    ]
    return bottom.amin(1).unflatten(2, after), top.amax(1).unflatten(2, after)
