"""Bounds over blocks lie below sampled margins, and ranges hold sampled activations."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from adversarial.bounds.networks import activations, evaluate  # noqa: E402
from adversarial.bounds.proving import bounding  # noqa: E402
from adversarial.bounds.proving.blocks import Block  # noqa: E402

# in every run a stride, a residual, pooling and two branches; the others in long ones
KINDS = [kind if kind in (5, 8) else pytest.param(kind, marks=pytest.mark.long) for kind in range(12)]


def applied(one, number, block, chosen):
    """Images in which one item of each slot has random values, and the corners; those of different pixels only."""
    items = number[block][np.arange(len(chosen)), chosen]
    pixels, channels = one.items.pixel[items], one.picture.shape[2]
    if len(set(pixels)) < len(pixels):
        return None
    parts = one.rng.random((8, len(items), channels))
    parts[:4] = np.round(parts[:4])
    images = np.repeat(one.picture.astype(np.float64)[None], 8, axis=0)
    images.reshape(8, -1, channels)[:, pixels] = one.items.low[items] + parts * (one.items.high[items] - one.items.low[items])
    return images


@pytest.mark.parametrize("most_products", [10**12, 0], ids=["backwards", "forwards"])
@pytest.mark.parametrize("kind", KINDS)
def test_bounds_lie_below_sampled_margins(monkeypatch, programs, around, boxed, kind, most_products):
    monkeypatch.setattr(bounding, "MOST_PRODUCTS", most_products)
    for seed, slots, channels in ((0, 1, 1), (1, 2, 3), (2, 3, 1), (3, 2, 1)):
        one = around(seed, programs.KINDS[kind], (3, 4, channels), quirk="large" if seed else "ties")
        every = np.concatenate([boxed(one, 6), np.arange(12, dtype=np.int32)])
        sizes = (4, 1, 6)
        blocks = [Block(tuple(one.rng.choice(every, size) for _ in range(slots)), 1.0) for size in sizes]
        laid, number = one.items.laid_out(blocks)
        bounded, ranges = one.bounding.bound(laid), one.bounding.ranges(laid)
        least = bounded.gains.amin(4).numpy()  # (B, S, G, M)
        for block, size in enumerate(sizes):
            for _ in range(12):
                chosen = one.rng.integers(0, size, slots)
                images = applied(one, number, block, chosen)
                if images is None:
                    continue
                scores = evaluate(one.network, images).numpy()
                margins = scores[:, [one.label]] - scores[:, one.bounding.rivals]
                bound = bounded.constant[block].numpy() + least[block][:, np.arange(slots), chosen].sum(1)
                assert (margins >= bound - 1e-10).all()
                found = activations(one.network, images)
                for place, (low, high) in ranges.items():
                    moved = (torch.as_tensor(images) if place < 0 else found[place]) - one.deviations.base[place]
                    assert bool((moved >= low[block] - 1e-10).all())
                    assert bool((moved <= high[block] + 1e-10).all())


def test_the_bound_of_one_pixel_of_a_linear_network_is_exact(around):
    one = around(5, "linear", (2, 3, 1))
    laid, _ = one.items.laid_out([Block((np.arange(6, dtype=np.int32),), 1.0)])
    bounded = one.bounding.bound(laid)
    got = (bounded.constant + bounded.gains.amin(4).amin(3).sum(2))[0].numpy()
    images = np.array([
        np.where(np.arange(6).reshape(2, 3, 1) == pixel, value, one.picture) for pixel in range(6) for value in (0.0, 1.0)
    ])  # fmt: skip
    scores = evaluate(one.network, images).numpy()
    assert got == pytest.approx((scores[:, [one.label]] - scores[:, one.bounding.rivals]).min(0))
