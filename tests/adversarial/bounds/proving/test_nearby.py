"""What a rectangle of pixels reaches: the same as in the whole network, and sound where proofs use it."""

from __future__ import annotations

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from adversarial.bounds.networks import activations, read_module  # noqa: E402
from adversarial.bounds.proving import forward, nearby, prover  # noqa: E402
from adversarial.bounds.proving.blocks import Block  # noqa: E402
from adversarial.bounds.proving.bounding import Bounding  # noqa: E402
from adversarial.bounds.proving.prover import Prover  # noqa: E402

KINDS = [kind if kind in (5, 8) else pytest.param(kind, marks=pytest.mark.long) for kind in range(12)]


def rectangles(height, width):
    """Corners, edges, single pixels, bands and everything."""
    return [
        (0, 1, 0, 1),
        (height - 1, height, width - 1, width),
        (1, 2, 1, 2),
        (0, height, 1, 2),
        (1, 3, 0, 2),
        (0, height, 0, width),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_items_do_the_same_in_a_part_as_in_the_whole_network(programs, around, boxed, kind):
    one = around(kind, programs.KINDS[kind], (5, 4, 1))
    whole = one.deviations
    for top, bottom, left, right in rectangles(5, 4):
        part = nearby.nearby(whole, (top, bottom, left, right))
        pixel = torch.tensor([row * 4 + column for row in range(top, bottom) for column in range(left, right)])
        low = torch.as_tensor(one.rng.random((len(pixel), 1)) / 2)
        expected = whole.effects(pixel, low, low + 0.4)
        found = part.deviations.effects(part.pixels(pixel), low, low + 0.4)
        columns = torch.cat(part.frontier())
        for name in ("corners", "radius"):
            full = torch.zeros_like(getattr(expected, name))
            full[..., columns] = getattr(found, name)
            assert torch.allclose(full, getattr(expected, name), atol=1e-12)
        for name in ("low", "high"):
            full = torch.zeros_like(getattr(expected, name))
            full[..., part.read()] = getattr(found, name)
            assert torch.allclose(full, getattr(expected, name), atol=1e-12)


@pytest.mark.parametrize("corners", [0, 100])
@pytest.mark.parametrize("kind", KINDS)
def test_bounds_of_a_part_hold_for_images(programs, around, monkeypatch, eager, kind, corners):
    monkeypatch.setattr(forward, "MOST_CORNERS", corners)  # 0: their centre and radius alone are carried
    one = around(20 + kind, programs.KINDS[kind], (5, 4, 1))
    patch = np.array([5, 6, 9, 10])
    items = one.items.add(patch, np.full((4, 1), 0.2), np.full((4, 1), 0.7))
    part = nearby.nearby(one.deviations, (1, 3, 1, 3))
    laid, _ = one.items.laid_out([Block((items,), 1.0), Block((items[:2],), 1.0)], part)
    local = Bounding(part.deviations, one.label)
    everything = local.bound(laid)
    early = local.bound(laid, torch.full_like(everything.constant, -torch.inf))
    ranges = part.spread(everything.ranges)
    for block, pixels in enumerate((patch, patch[:2])):
        images = np.repeat(one.picture.reshape(1, -1, 1).astype(np.float64), 50, 0)
        images[np.arange(50), one.rng.choice(pixels, 50)] = one.rng.uniform(0.2, 0.7, (50, 1))
        found = activations(one.network, torch.as_tensor(images.reshape(50, 5, 4, 1)))
        margins = (found[-1] @ one.bounding.rows.T).amin(0)
        for bounded in (everything, early):
            least = (bounded.constant + bounded.gains.amin(4).amin(3).sum(2))[block]
            assert bool((least <= margins + 1e-9).all())
        for place, (low, high) in ranges.items():
            moved = found[place] - one.deviations.base[place]
            assert bool(((moved >= low[block] - 1e-9) & (moved <= high[block] + 1e-9)).all())


@pytest.mark.parametrize("kind", KINDS)
def test_the_allowance_in_a_part_exceeds_the_differences_inside_it(programs, around, eager, kind):
    one = around(40 + kind, programs.KINDS[kind], (5, 4, 1), quirk="large")
    flips = lambda images: programs.scores(one.module, images).argmax(1) != one.label  # noqa: E731
    proof = Prover(one.network, one.picture.astype(np.float64), one.label, flips=flips)
    proof.tolerance = prover.Tolerance(proof.bounding, proof.items, 1)
    part = proof.items.parts.part((1, 2, 2, 3))
    laid, _ = proof.items.laid_out([Block((np.array([6], dtype=np.int32),), 1.0)], part)
    ranges = part.spread(Bounding(part.deviations, one.label).ranges(laid))
    images = np.repeat(one.picture.reshape(1, -1, 1), 64, 0)
    images[:, 6] = one.rng.random((64, 1))
    images = images.reshape(64, 5, 4, 1).astype(np.float32)
    rows = one.bounding.rows.numpy()
    exact = programs.scores(copy.deepcopy(one.module).double(), images, torch.float64) @ rows.T
    seen = np.abs(programs.scores(one.module, images) @ rows.T - exact).max(0)
    for quick in (True, False):
        assert (seen <= proof.tolerance.within(ranges, torch.tensor([0]), quick=quick)[0].numpy()).all()


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_proofs_by_parts_are_not_above_brute_force(programs, eager, kind):
    torch.set_num_threads(1)
    for seed, size in ((kind, (4, 5, 1)), (50 + kind, (3, 4, 3))):
        rng = np.random.default_rng(seed)
        module = programs.build(rng, programs.KINDS[kind], *size, 3, "none")
        picture = programs.image(rng, *size, "inside")
        label = int(programs.scores(module, picture[None]).argmax())
        proof = Prover(
            read_module(module, size), picture.astype(np.float64), label,
            flips=lambda images, module=module, label=label: programs.scores(module, images).argmax(1) != label,
        )  # fmt: skip
        proof.run(1, 2.0)
        assert proof.proved + 1 <= proof.fewest
        assert proof.proved + 1 <= programs.fewest_by_force(copy.deepcopy(module).double(), picture, label, 1, seed=seed)
