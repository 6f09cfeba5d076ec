"""What one changed pixel does to a network up to its second nonlinear operation, almost exactly.

An item is a pixel and a box of values for its channels. Everything is said as a deviation from the activations of the image.

Up to the first ReLUs, the deviation z of a single changed pixel is linear in its values, so the corners of the box span it. A
ReLU is convex: over the box, relu(z0 + z) lies at or below the multilinear interpolation of its values in the corners, and
above it minus -l u / (u - l), where z0 + z ranges over [l, u] with l < 0 < u (and exactly on it where no sign changes). After
that, affine operations carry corners and slack on. Where several pixels change at once, the deviations behind the first ReLUs
add up but for an interaction term, relu(z0 + a + c) - relu(z0 + a) - relu(z0 + c) + relu(z0). Its magnitude grows in |a| and
|c| and its sign is that of a c, so its range over a box is that of the corners, and of 0 where the box meets an axis; it is 0
where the two pixels share no ReLU.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

import torch

from adversarial.bounds.networks import Add, Affine, MaxPool, Network, Relu
from adversarial.bounds.networks.evaluating import compute

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    Relaxed: TypeAlias = Callable[[int, Tensor], tuple[Tensor, Tensor]]

CHUNK = 30_000_000  # numbers that one layer may hold while items are computed


@dataclass(frozen=True, eq=False)
class ItemEffects:
    """What N items do.

    Attributes:
        corners: (N, V, F) deviations of the frontier in the corners of the boxes; half the slack is taken off.
        radius: (N, F) how far the deviation may be from the span of the corners.
        low, high: (N, R) between what the input of the first ReLUs deviates.
    """

    corners: Tensor
    radius: Tensor
    low: Tensor
    high: Tensor


class Deviations:
    """A network around one image: its activations, and how they change with few pixels.

    Nodes are *linear* (affine in the image), *first* (ReLUs of those), *after* (affine in both), or *deep*, which is all that
    lies behind another nonlinear operation. The frontier are the nodes that deep ones read and that are not deep themselves.

    Args:
        network: the graph.
        image: (H, W, C) in float64.
        base: the activations of the nodes, (1, *shape) each, where they are not those that the nodes compute for the image: a
            part of a network has those of the whole.
    """

    def __init__(self, network: Network, image: Tensor, base: dict[int, Tensor] | None = None) -> None:
        self.network, self.image = network, image
        self.base: dict[int, Tensor] = {-1: image[None]} if base is None else base
        self.kind: dict[int, str] = {-1: "linear"}
        for place, node in enumerate(network.nodes):
            kinds = [self.kind[one] for one in node.inputs]
            if base is None:
                self.base[place] = compute(node, *(self.base[one] for one in node.inputs))
            self.kind[place] = _kind(node.op, kinds)
        deep = [node for place, node in enumerate(network.nodes) if self.kind[place] == "deep"]
        outside = {one for node in deep for one in node.inputs if self.kind[one] != "deep"}
        last = len(network.nodes) - 1
        self.frontier = sorted(outside | ({last} if self.kind[last] != "deep" else set()))
        self.first = [place for place in range(len(network.nodes)) if self.kind[place] == "first"]
        self.sizes = [self.base[one][0].numel() for one in self.frontier]
        self.width = sum(self.sizes)
        self.absolute = {
            place: node.op.absolute()
            for place, node in enumerate(network.nodes)
            if self.kind[place] in ("linear", "after") and not isinstance(node.op, Add | Relu | MaxPool)
        }
        reads = [self.base[network.nodes[place].inputs[0]].flatten() for place in self.first]
        self.read = torch.cat(reads) if reads else image.new_zeros(0)
        self.channels = network.image_shape[2]
        corners = torch.tensor(list(product((0.0, 1.0), repeat=self.channels)), dtype=image.dtype, device=image.device)
        self.unit = corners  # (V, C)
        widest = max([self.base[place][0].numel() for place in self.base if self.kind[place] != "deep"])
        self.chunk = max(1, CHUNK // (widest * len(corners)))

    def effects(self, pixels: Tensor, low: Tensor, high: Tensor) -> ItemEffects:
        """What items do, their pixels (N,) as numbers row by row and their boxes (N, C) given."""
        made = [
            self._effects(pixels[start : start + self.chunk], low[start : start + self.chunk], high[start : start + self.chunk])
            for start in range(0, len(pixels), self.chunk)
        ]
        return ItemEffects(*(torch.cat([getattr(one, name) for one in made]) for name in ("corners", "radius", "low", "high")))

    def values(self, low: Tensor, high: Tensor) -> Tensor:
        """(N, V, C) the values in the corners of boxes (N, C)."""
        return low[:, None] + self.unit * (high - low)[:, None]

    def _effects(self, pixels: Tensor, low: Tensor, high: Tensor) -> ItemEffects:
        count, corners = len(pixels), len(self.unit)
        change = self.image.new_zeros(count, corners, self.image[..., 0].numel(), self.channels)
        original = self.image.reshape(-1, self.channels)[pixels]
        change[torch.arange(count, device=pixels.device), :, pixels] = self.values(low, high) - original[:, None]
        ranges: list[tuple[Tensor, Tensor]] = []

        def relaxed(place: int, moved: Tensor) -> tuple[Tensor, Tensor]:
            before = self.base[self.network.nodes[place].inputs[0]]
            z = (before + moved).reshape(count, corners, *before.shape[1:])
            least, most = z.amin(1), z.amax(1)
            ranges.append(((least - before).flatten(1), (most - before).flatten(1)))
            half = chord_gap(least, most) / 2
            return (z.clamp(min=0) - self.base[place] - half[:, None]).reshape(moved.shape), half

        moved, slack = self._carry({-1: change.reshape(count * corners, *self.image.shape)}, {}, relaxed)
        at_corners = torch.cat([moved[one].reshape(count, corners, -1) for one in self.frontier], dim=2)
        radius = torch.cat(
            [_flat(slack.get(one), count, size, self.image) for one, size in zip(self.frontier, self.sizes, strict=True)], 1
        )
        nothing = self.image.new_zeros(count, 0)
        return ItemEffects(
            at_corners,
            radius,
            torch.cat([least for least, _ in ranges], dim=1) if ranges else nothing,
            torch.cat([most for _, most in ranges], dim=1) if ranges else nothing,
        )

    def interaction(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """The interaction of G changed pixels, whose ranges before the first ReLUs are (B, G, R): centre and radius (B, F)."""
        batch, slots = low.shape[:2]
        least, most = low.new_zeros(batch, low.shape[2]), low.new_zeros(batch, low.shape[2])
        before, after = low[:, 0], high[:, 0]  # ranges of the pixels that were joined so far
        for slot in range(1, slots):
            here = [self._joint(a, c) for a in (before, after) for c in (low[:, slot], high[:, slot])]
            # where a range holds 0, so does that of the interaction
            none = ((before <= 0) & (after >= 0)) | ((low[:, slot] <= 0) & (high[:, slot] >= 0))
            bottom, top = torch.stack(here).aminmax(dim=0)
            least += torch.where(none, bottom.clamp(max=0), bottom)
            most += torch.where(none, top.clamp(min=0), top)
            before, after = before + low[:, slot], after + high[:, slot]
        centre, radius = (least + most) / 2, (most - least) / 2
        moved: dict[int, Tensor] = {-1: self.image.new_zeros(batch, *self.image.shape)}
        slack: dict[int, Tensor] = {}
        start = 0
        for place in self.first:
            shape = self.base[place].shape[1:]
            end = start + shape.numel()
            moved[place] = centre[:, start:end].reshape(batch, *shape)
            slack[place] = radius[:, start:end].reshape(batch, *shape)
            start = end
        moved, slack = self._carry(moved, slack, None)
        sides = [
            torch.cat(
                [_flat(part.get(one), batch, size, self.image) for one, size in zip(self.frontier, self.sizes, strict=True)], 1
            )
            for part in (moved, slack)
        ]
        return sides[0], sides[1]

    def _joint(self, a: Tensor, c: Tensor) -> Tensor:
        z = self.read
        return (z + a + c).clamp(min=0) - (z + a).clamp(min=0) - (z + c).clamp(min=0) + z.clamp(min=0)

    def _carry(
        self, moved: dict[int, Tensor], slack: dict[int, Tensor], relaxed: Relaxed | None
    ) -> tuple[dict[int, Tensor], dict[int, Tensor]]:
        """Deviations and their slack through all nodes that are not deep; `relaxed` computes the first ReLUs."""
        for place, node in enumerate(self.network.nodes):
            if self.kind[place] == "deep" or place in moved:
                continue
            read = [one for one in node.inputs if one in slack]
            if self.kind[place] == "first":
                if relaxed is not None:
                    moved[place], slack[place] = relaxed(place, moved[node.inputs[0]])
            elif isinstance(node.op, Add):
                moved[place] = moved[node.inputs[0]] + moved[node.inputs[1]]
                if read:
                    slack[place] = sum((slack[one] for one in read[1:]), slack[read[0]])
            else:
                moved[place] = node.op.linear(moved[node.inputs[0]])  # type: ignore[union-attr]
                if read:
                    slack[place] = self.absolute[place].linear(slack[read[0]])
        return moved, slack


def chord_gap(low: Tensor, high: Tensor) -> Tensor:
    """How far ReLU lies below the chord over [low, high] at most: -l u / (u - l) where the sign changes, else 0."""
    changes = (low < 0) & (high > 0)
    return torch.where(changes, -low * high / (high - low).clamp(min=torch.finfo(low.dtype).tiny), torch.zeros_like(low))


def _kind(op: Affine | Relu | Add | object, kinds: list[str]) -> str:
    if "deep" in kinds:
        return "deep"
    if isinstance(op, Relu):
        return "first" if kinds == ["linear"] else "deep"
    if isinstance(op, Add) or hasattr(op, "forward"):
        return "linear" if set(kinds) == {"linear"} else "after"
    return "deep"


def _flat(part: Tensor | None, count: int, size: int, like: Tensor) -> Tensor:
    return like.new_zeros(count, size) if part is None else part.reshape(count, size)
