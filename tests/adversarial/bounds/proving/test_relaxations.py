"""Lines around ReLU and max pooling hold every point, by sampling and plain loops."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from adversarial.bounds.networks import MaxPool  # noqa: E402
from adversarial.bounds.networks.evaluating import max_pool  # noqa: E402
from adversarial.bounds.proving.relaxations import pool_between, pool_lines, relu_between, relu_lines  # noqa: E402
from adversarial.bounds.proving.windows import scattered, windows  # noqa: E402


def ranges(rng, shape, batch=5):
    """Activations, and deviations between bounds that need not hold 0; some touch 0, some have no width."""
    before = torch.as_tensor(np.round(rng.normal(size=(1, *shape)), 1))
    ends = np.sort(np.round(rng.normal(size=(2, batch, *shape)), 1), axis=0)
    ends[1] = np.where(rng.random(ends[1].shape) < 0.2, ends[0], ends[1])
    return before, *(torch.as_tensor(side) for side in ends)


@pytest.mark.parametrize("seed", range(5))
def test_lines_of_relu_hold_every_deviation(seed):
    before, low, high = ranges(np.random.default_rng(seed), (40,))
    lines = relu_lines(before, low, high)
    assert bool(((lines.chord >= 0) & (lines.chord <= 1) & (lines.lower >= 0) & (lines.lower <= 1)).all())
    for part in np.linspace(0, 1, 41):
        d = low + part * (high - low)
        after = (before + d).clamp(min=0) - before.clamp(min=0)
        assert bool((after <= lines.chord * d + lines.top + 1e-12).all())
        assert bool((after >= lines.chord * d + lines.parallel - 1e-12).all())
        assert bool((after >= lines.lower * d + lines.bottom - 1e-12).all())
        shift, radius = torch.full_like(d, 0.3), torch.full_like(d, 0.2)  # d is now a sum of two
        beyond = lines.beyond(shift, radius)
        for rest in (0.1, 0.25, 0.5):
            assert bool((after <= beyond.chord * (d - rest) + beyond.top + 1e-12).all())
            assert bool((after >= beyond.chord * (d - rest) + beyond.parallel - 1e-12).all())
            assert bool((after >= beyond.lower * (d - rest) + beyond.bottom - 1e-12).all())


@pytest.mark.parametrize("seed", range(5))
def test_rows_before_relu_bound_rows_behind_it(seed):
    rng = np.random.default_rng(seed)
    before, low, high = ranges(rng, (6,))
    lines = relu_lines(before, low, high)
    v = torch.as_tensor(rng.normal(size=(5, 3, 6)))
    rows, constant = lines.below(v)
    same, least, most = lines.beside(v)
    shared = lines.beside(v[:1].expand(5, -1, -1))
    for _ in range(50):
        d = low + torch.as_tensor(rng.random(low.shape)) * (high - low)
        after = (before + d).clamp(min=0) - before.clamp(min=0)
        behind = torch.einsum("bsn,bn->bs", v, after)
        assert bool((behind >= torch.einsum("bsn,bn->bs", rows, d) + constant - 1e-12).all())
        moved = torch.einsum("bsn,bn->bs", same, d)
        assert bool(((behind >= moved + least - 1e-12) & (behind <= moved + most + 1e-12)).all())
        behind = torch.einsum("bsn,bn->bs", v[:1].expand(5, -1, -1), after)
        moved = torch.einsum("bsn,bn->bs", shared[0], d)
        assert bool(((behind >= moved + shared[1] - 1e-12) & (behind <= moved + shared[2] + 1e-12)).all())


POOLS = [
    MaxPool((2, 2), (2, 2)), MaxPool((3, 2), (1, 2), (1, 0, 1, 1)), MaxPool((2, 2), (1, 1)), MaxPool((1, 1), (1, 1)),
    MaxPool((3, 3), (2, 2), (1, 1, 1, 1)),
]  # fmt: skip


def pooled(pool, x):
    """By loops."""
    top, left, bottom, right = pool.padding
    _, high, wide = x.shape
    rows = (high + top + bottom - pool.kernel[0]) // pool.stride[0] + 1
    columns = (wide + left + right - pool.kernel[1]) // pool.stride[1] + 1
    made = np.empty((x.shape[0], rows, columns))
    for channel, row, column in np.ndindex(*made.shape):
        y, z = row * pool.stride[0] - top, column * pool.stride[1] - left
        made[channel, row, column] = x[channel, max(y, 0) : y + pool.kernel[0], max(z, 0) : z + pool.kernel[1]].max()
    return made


@pytest.mark.parametrize("pool", POOLS)
def test_rows_before_max_pooling_bound_rows_behind_it(pool):
    rng = np.random.default_rng(0)
    before, low, high = ranges(rng, (2, 5, 4), batch=3)
    start = pooled(pool, before[0].numpy())
    lines = pool_lines(pool, before, low, high)
    v = torch.as_tensor(rng.normal(size=(3, 2, *start.shape)))
    rows, constant = lines.below(v)
    for trial in range(60):
        part = torch.as_tensor(rng.random(low.shape) if trial % 2 else np.round(rng.random(low.shape)))
        d = low + part * (high - low)
        for block in range(3):
            behind = pooled(pool, (before[0] + d[block]).numpy()) - start
            for row in range(2):
                least = float((rows[block, row] * d[block]).sum() + constant[block, row])
                assert float((v[block, row].numpy() * behind).sum()) >= least - 1e-12


@pytest.mark.parametrize("pool", POOLS)
def test_windows_hold_what_loops_find_and_scattering_is_their_adjoint(pool):
    rng = np.random.default_rng(1)
    x = torch.as_tensor(rng.normal(size=(2, 3, 5, 4)))
    cut = windows(pool, x)
    for image in range(2):
        assert np.array_equal(cut[image].amax(1).numpy().ravel(), pooled(pool, x[image].numpy()).ravel())
    held = torch.where(torch.isfinite(cut), cut, 0)
    parts = torch.as_tensor(rng.normal(size=tuple(cut.shape)))
    inside = torch.where(torch.isfinite(cut), parts, 0)
    assert float((held * parts).sum()) == pytest.approx(float((x * scattered(pool, inside, (3, 5, 4))).sum()))


@pytest.mark.parametrize("items", [1, 2])
def test_what_relu_is_off_between_corners_lies_within_the_bounds(items):
    rng = np.random.default_rng(items)
    corners = torch.as_tensor(rng.normal(size=(40, items, 4, 5)) + rng.normal(size=(40, 1, 1, 5)))
    low, high = np.sort(rng.normal(size=(2, 40, 5)), axis=0)
    least, most = relu_between(corners, (torch.as_tensor(low), torch.as_tensor(high)))
    for trial in range(300):
        weights = np.eye(4)[trial % 4] if trial < 20 else rng.dirichlet(np.full(4, 0.5))
        error = low + np.round(rng.random((40, 5)), 0 if trial % 2 else 8) * (high - low)
        for item in range(items):
            z = corners[:, item].numpy()
            off = np.maximum(np.tensordot(z, weights, (1, 0)) + error, 0) - np.tensordot(np.maximum(z, 0), weights, (1, 0))
            assert (least.numpy() - 1e-12 <= off).all()
            assert (off <= most.numpy() + 1e-12).all()


@pytest.mark.parametrize("pool", [MaxPool((2, 2), (2, 2)), MaxPool((3, 2), (1, 2), (1, 0, 1, 1))])
@pytest.mark.parametrize("items", [1, 2])
def test_what_pooling_is_off_between_corners_lies_within_the_bounds(pool, items):
    rng = np.random.default_rng(items)
    corners = torch.as_tensor(rng.normal(size=(12, items, 4, 2, 4, 5)))
    low, high = np.sort(0.5 * rng.normal(size=(2, 12, 2, 4, 5)), axis=0)
    least, most = pool_between(pool, corners, (torch.as_tensor(low), torch.as_tensor(high)))
    for trial in range(200):
        weights = torch.as_tensor(np.eye(4)[trial % 4] if trial < 20 else rng.dirichlet(np.full(4, 0.5)))
        error = torch.as_tensor(low + np.round(rng.random(low.shape), 0 if trial % 2 else 8) * (high - low))
        for item in range(items):
            z = corners[:, item]
            between = torch.tensordot(z, weights, ([1], [0])) + error
            pooled = max_pool(pool, z.flatten(0, 1)).unflatten(0, z.shape[:2])
            off = max_pool(pool, between) - torch.tensordot(pooled, weights, ([1], [0]))
            assert off.shape == least.shape
            assert bool(((least - 1e-12 <= off) & (off <= most + 1e-12)).all())


def test_nothing_is_off_where_no_sign_changes_and_nothing_was():
    corners = torch.tensor([[[[1.0, -1.0, 0.0], [3.0, -2.0, 0.0]]]], dtype=torch.float64)
    nothing = torch.zeros(1, 3, dtype=torch.float64)
    least, most = relu_between(corners, (nothing, nothing))
    assert least.tolist() == most.tolist() == [[0.0, 0.0, 0.0]]
