"""The allowance for rounding exceeds the differences that are seen."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from adversarial.bounds.networks import activations, evaluate  # noqa: E402
from adversarial.bounds.proving.blocks import Block  # noqa: E402
from adversarial.bounds.proving.bounding import Bounding  # noqa: E402
from adversarial.bounds.proving.deviations import Deviations  # noqa: E402
from adversarial.bounds.proving.items import Items  # noqa: E402
from adversarial.bounds.proving.tolerance import Tolerance, bounding_error, few_changed, sums_of_few  # noqa: E402

# in every run a stride, a residual, pooling and two branches; the others in long ones
KINDS = [kind if kind in (5, 8) else pytest.param(kind, marks=pytest.mark.long) for kind in range(12)]


def changed(one, pixels, number=200):
    """Images of which so many random pixels have random values, or 0 and 1."""
    count, channels = one.picture.shape[0] * one.picture.shape[1], one.picture.shape[2]
    images = np.repeat(one.picture[None], number, axis=0)
    flat = images.reshape(number, count, channels)
    for image in range(number):
        values = one.rng.random((pixels, channels))
        flat[image, one.rng.choice(count, pixels, replace=False)] = np.round(values) if image % 2 else values
    return images


@pytest.mark.parametrize("kind", KINDS)
def test_the_allowance_exceeds_what_float32_and_float64_differ(programs, around, kind):
    for seed, pixels in ((0, 1), (1, 2), (2, 3)):
        one = around(seed, programs.KINDS[kind], (4, 4, 3), quirk="large")
        found = Tolerance(one.bounding, one.items, pixels)
        allowed = found.anywhere.numpy()
        images = changed(one, pixels)
        exact = evaluate(one.network, images.astype(np.float64)).numpy()
        seen = programs.scores(one.module, images).astype(np.float64)
        other = np.concatenate([programs.scores(one.module, image[None]) for image in images[:20]]).astype(np.float64)
        for scores in (seen - exact, other - exact[:20]):
            assert (np.abs(scores[:, [one.label]] - scores[:, one.bounding.rivals]) <= allowed).all()
        still = (
            programs.scores(one.module, one.picture[None])[0]
            - evaluate(one.network, one.picture[None].astype(np.float64))[0].numpy()
        )
        assert (np.abs(still[one.label] - still[one.bounding.rivals]) <= found.unchanged.numpy()).all()
        assert (allowed > 0).all()
        assert np.isfinite(allowed).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_allowance_of_a_block_exceeds_the_differences_inside_it(programs, around, kind):
    one = around(4, programs.KINDS[kind], (3, 3, 1), quirk="large")
    slots = [np.array(part, dtype=np.int32) for part in ([0, 1, 2], [3, 4, 8])]
    laid, _ = one.items.laid_out([Block((slots[0], slots[0]), 1.0), Block(tuple(slots), 1.0)])
    found = Tolerance(one.bounding, one.items, 2)
    inside = found.within(one.bounding.bound(laid).ranges, torch.tensor([1]))[0].numpy()
    assert (inside <= found.anywhere.numpy()).all()
    images = np.repeat(one.picture[None], 300, axis=0)
    flat = images.reshape(300, 9)
    for slot in slots:
        flat[np.arange(300), one.rng.choice(slot, 300)] = one.rng.random(300)
    off = programs.scores(one.module, images) - evaluate(one.network, images.astype(np.float64)).numpy()
    assert (np.abs(off[:, [one.label]] - off[:, one.bounding.rivals]) <= inside).all()


@pytest.mark.parametrize("kind", KINDS)
def test_intervals_and_sums_of_few_changed_pixels_hold_samples(programs, around, kind):
    one = around(3, programs.KINDS[kind], (4, 4, 1), quirk="large")
    for pixels in (1, 2):
        images = torch.as_tensor(changed(one, pixels).astype(np.float64))
        found, intervals = activations(one.network, images), few_changed(one.bounding, one.items, pixels)
        sums = sums_of_few(one.deviations, one.items.parts, pixels)
        for place, node in enumerate(one.network.nodes):
            low, high = intervals[place]
            assert bool(((found[place] >= low - 1e-12) & (found[place] <= high + 1e-12)).all())
            if sums[place] is not None:
                read = images if node.inputs[0] < 0 else found[node.inputs[0]]
                assert bool((node.op.absolute().forward(read.abs()) <= sums[place] * (1 + 1e-12) + 1e-12).all())


def in_float32(network):
    """The same graph with numbers of float32, so that rounding is 2 ** 29 times as large."""

    def cut(op):
        found = {field.name: getattr(op, field.name) for field in fields(op)}
        return replace(op, **{name: value.float() for name, value in found.items() if isinstance(value, torch.Tensor)})

    return replace(network, nodes=tuple(replace(node, op=cut(node.op)) for node in network.nodes))


@pytest.mark.parametrize("kind", KINDS)
def test_bounds_that_are_computed_in_float32_err_by_less_than_their_allowance(programs, around, kind):
    for seed, slots in ((0, 1), (1, 2), (2, 3)):
        one = around(seed, programs.KINDS[kind], (4, 4, 1), quirk="large")
        blocks = [
            Block(tuple(one.rng.choice(16, 4, replace=False).astype(np.int32) for _ in range(slots)), 1.0) for _ in range(4)
        ]
        exact = one.bounding.bound(one.items.laid_out(blocks)[0])
        coarse = Deviations(in_float32(one.network), torch.as_tensor(one.picture))
        items = Items(coarse)
        items.low, items.high = items.low.astype(np.float32), items.high.astype(np.float32)
        rounded = Bounding(coarse, one.label).bound(items.laid_out(blocks)[0])
        off = (rounded.constant + rounded.gains.amin((3, 4)).sum(2)) - (exact.constant + exact.gains.amin((3, 4)).sum(2))
        allowed = bounding_error(one.network, one.deviations.image) @ np.abs(one.bounding.rows.numpy()).T * 2.0**29
        # where two lines serve about equally well, rounding may choose the other one, which is as sound and may be far off
        assert (off.abs().numpy() <= allowed).mean() >= 0.75
