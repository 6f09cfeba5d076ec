"""Linear relaxations of ReLU and max pooling around the activations of an image, for a batch of blocks.

Everything is a deviation d from the activation z0 of the image; with l <= z0 + d <= u, relu(z0 + d) - relu(z0) lies between two
lines in d: above, the chord (slope u / (u - l)); below, the parallel of the chord through 0, or the line of slope 0 or 1 that
leaves the smaller area (Singh et al. 2019, DeepPoly; Zhang et al. 2018, CROWN). Slopes are 0 or 1, and the lines exact, where
the sign does not change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from adversarial.bounds.networks import MaxPool, Relu
from adversarial.bounds.proving.windows import scattered, windows

if TYPE_CHECKING:
    from torch import Tensor


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
    chord = torch.where(crossing, most / (most - least).clamp(min=torch.finfo(least.dtype).tiny), (least >= 0).to(least.dtype))
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
