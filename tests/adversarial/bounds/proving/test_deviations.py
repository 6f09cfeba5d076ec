"""What items do at the frontier holds what sampled values do."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from adversarial.bounds.networks import activations, read_module  # noqa: E402
from adversarial.bounds.proving.blocks import Block  # noqa: E402
from adversarial.bounds.proving.deviations import Deviations, chord_gap  # noqa: E402

# in every run a stride, a residual, pooling and two branches; the others in long ones
KINDS = [kind if kind in (5, 8) else pytest.param(kind, marks=pytest.mark.long) for kind in range(12)]


def test_the_gap_of_a_chord_is_the_largest_distance_that_is_seen():
    rng = np.random.default_rng(0)
    ends = np.sort(rng.normal(size=(2, 60)), axis=0)
    gap = chord_gap(*(torch.as_tensor(side) for side in ends)).numpy()
    for low, high, found in zip(*ends, gap, strict=True):
        z = np.linspace(low, high, 20_001)
        chord = max(low, 0) + (max(high, 0) - max(low, 0)) * (z - low) / (high - low)
        assert found == pytest.approx(float((chord - np.maximum(z, 0)).max()), abs=1e-3)
        assert found >= (chord - np.maximum(z, 0)).max() - 1e-12
    assert chord_gap(torch.zeros(1), torch.zeros(1)).item() == 0


def plain(values):
    """A network whose frontier is one ReLU of the image's own numbers, minus 0.5: an image of `values`."""
    size = len(values)
    module = nn.Sequential(nn.Flatten(), nn.Linear(size, size), nn.ReLU(), nn.Linear(size, size), nn.ReLU(), nn.Linear(size, 2))
    with torch.no_grad():
        for layer in (module[1], module[3]):
            layer.weight.copy_(torch.eye(size))
            layer.bias.fill_(-0.5 if layer is module[1] else 0.0)
    image = torch.as_tensor(values, dtype=torch.float64).reshape(1, size, 1)
    return Deviations(read_module(module, (1, size, 1)), image)


@pytest.mark.parametrize("slots", [2, 3])
def test_the_interaction_of_pixels_lies_in_its_range(slots):
    rng = np.random.default_rng(slots)
    size = 60
    deviations = plain(rng.random(size))
    z = deviations.read.numpy()
    for _ in range(20):
        low, high = np.sort(rng.normal(size=(2, slots, size)), axis=0) * rng.choice([0.2, 1.0], (2, 1, 1)).max()
        centre, radius = (
            part[0].numpy() for part in deviations.interaction(*(torch.as_tensor(part)[None] for part in (low, high)))
        )
        seen = []
        for parts in itertools.product(np.linspace(0, 1, 13 if slots == 2 else 7), repeat=slots):
            moved = low + np.array(parts)[:, None] * (high - low)
            seen.append(np.maximum(z + moved.sum(0), 0) - np.maximum(z + moved, 0).sum(0) + (slots - 1) * np.maximum(z, 0))
        seen = np.array(seen)
        assert (np.abs(seen - centre) <= radius + 1e-12).all()
        if slots == 2:  # and the range is the smallest one, since it is taken on in corners
            assert np.allclose(centre + radius, seen.max(0))
            assert np.allclose(centre - radius, seen.min(0), atol=0.05)


def frontier(one, images):
    """What the frontier deviates, computed as the network computes it."""
    found = activations(one.network, images)
    base = one.deviations.base
    inputs = torch.as_tensor(images, dtype=torch.float64)
    parts = [(inputs if place < 0 else found[place]) - base[place] for place in one.deviations.frontier]
    return torch.cat([part.flatten(1) for part in parts], dim=1).numpy()


def weights(unit, part):
    """(V,) of the corners of a box, for a place (C,) in it."""
    return np.prod(np.where(unit > 0, part, 1 - part), axis=1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_blocks_at_the_frontier_hold_what_values_in_their_boxes_do(programs, around, boxed, kind, channels):
    for seed, slots in ((0, 1), (1, 2), (2, 3)):
        one = around(seed, programs.KINDS[kind], (3, 4, channels), quirk="large")
        made = boxed(one, 9)
        block = Block(
            tuple(one.rng.choice(np.concatenate([made, np.arange(12, dtype=np.int32)]), 3) for _ in range(slots)), 1.0
        )
        laid, number = one.items.laid_out([block])
        unit, corners = one.deviations.unit.numpy(), laid.corners[0].numpy()
        for chosen in itertools.product(range(3), repeat=slots):
            items = number[0][np.arange(slots), list(chosen)]
            pixels = one.items.pixel[items]
            if len(set(pixels)) < slots:
                continue
            parts = one.rng.random((6, slots, channels))
            parts[:2] = np.round(parts[:2])
            images = np.repeat(one.picture.astype(np.float64)[None], 6, axis=0)
            flat = images.reshape(6, -1, channels)
            flat[:, pixels] = one.items.low[items] + parts * (one.items.high[items] - one.items.low[items])
            expected = np.array(
                [sum(weights(unit, part[slot]) @ corners[slot, chosen[slot]] for slot in range(slots)) for part in parts]
            )
            off = np.abs(frontier(one, images) - expected - laid.shift[0].numpy())
            assert (off <= laid.radius[0].numpy() + 1e-12).all()
