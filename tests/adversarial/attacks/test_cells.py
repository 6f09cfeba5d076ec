"""Cells of large pictures: where changes lie in them, and estimates by cells beside those of every pixel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adversarial import keypoint_mixture
from adversarial.attacks.feature_guided.effects import Effects
from adversarial.attacks.feature_guided.large_sets import _ladders, exchanged_within, ranked
from adversarial.attacks.feature_guided.players import candidates, looked_at
from adversarial.attacks.large_pictures.cells import Cells, cell_side
from adversarial.attacks.moves import corners, make_move_table
from adversarial.attacks.tuning import STANDARD

EXACT = replace(STANDARD, effects=replace(STANDARD.effects, cell=1000.0))  # every pixel apart


@pytest.mark.parametrize(("shape", "side"), [((6, 9), 3), ((7, 5), 2), ((1, 4), 3)])
@pytest.mark.parametrize("palette", [False, True])
def test_changes_lie_where_plain_loops_put_them(shape, side, palette):
    height, width = shape
    values, count = 2, 4 if palette else 2
    kinds = np.random.default_rng(0).integers(count, size=(height * width, values)) if palette else None
    cells = Cells(shape, side, values, kinds, count)
    rows, columns = cells.grid
    assert (rows, columns) == (-(-height // side), -(-width // side))
    for change in range(height * width * values):
        pixel, value = divmod(change, values)
        kind = int(kinds[pixel, value]) if palette else value
        wanted = (kind * rows + pixel // width // side) * columns + pixel % width // side
        assert cells.of_changes[change] == wanted
    changes = np.arange(height * width * values)
    np.testing.assert_array_equal(cells.place(changes), cells.of_changes)
    by_place = np.random.default_rng(10).random(count * rows * columns)
    np.testing.assert_array_equal(cells.by_value(by_place).T.ravel(), by_place[cells.of_changes])
    numbers = np.random.default_rng(1).random(height * width)
    wanted = [numbers[cells.of_pixels == cell].sum() for cell in range(rows * columns)]
    np.testing.assert_allclose(cells.sums(numbers), wanted, rtol=1e-6)


@pytest.mark.parametrize("shape", [(6, 9), (7, 5), (1, 4)])
def test_one_change_of_each_value_is_drawn_in_every_cell_and_each_of_its_pixels_comes_up(shape):
    cells, rng = Cells(shape, 3, 2, None, 2), np.random.default_rng(2)
    seen = np.zeros(shape[0] * shape[1] * 2, dtype=bool)
    for _ in range(200):
        drawn = cells.one_each(rng)
        assert sorted(cells.of_changes[drawn]) == list(range(cells.grid[0] * cells.grid[1] * 2))
        seen[drawn] = True
    assert seen.all()


def test_the_highest_noise_is_the_highest_of_as_many_draws_as_a_cell_has_pixels():
    cells, rng = Cells((30, 30), 3, 2, None, 2), np.random.default_rng(3)
    at_once = cells.highest_noise(rng.random(20_000))
    one_by_one = rng.standard_normal((20_000, 9)).max(axis=1)
    for quantile in (0.05, 0.5, 0.95):
        assert np.quantile(at_once, quantile) == pytest.approx(np.quantile(one_by_one, quantile), abs=0.04)


def test_sums_are_shared_as_plain_loops_share_them():
    cells, rng = Cells((4, 6), 2, 2, None, 2), np.random.default_rng(4)
    sums = rng.random((3, 12)).astype(np.float32)
    colours, down, across = (np.exp(-np.abs(np.subtract.outer(np.arange(n), np.arange(n)))) for n in (2, 2, 3))
    shared = cells.spread(sums, colours, down, across).reshape(3, 2, 2, 3)
    table = sums.reshape(3, 2, 2, 3)
    for number, kind, row, column in np.ndindex(3, 2, 2, 3):
        wanted = sum(
            table[number, other, y, x] * colours[kind, other] * down[row, y] * across[column, x]
            for other, y, x in np.ndindex(2, 2, 3)
        )
        assert shared[number, kind, row, column] == pytest.approx(wanted, rel=1e-5)


def observed(codes, tuning, shape=(170, 190)):
    effects, rng = Effects(shape, codes, 3, tuning=tuning), np.random.default_rng(5)
    changes = rng.choice(shape[0] * shape[1] * codes.shape[-2], size=150, replace=False)
    row, column = np.divmod(changes // codes.shape[-2], shape[1])
    strength = np.sin(row / 25) * np.cos(column / 20)
    effects.observe(changes, strength[:, None] * np.array([1.0, -0.5, 0.2]) + 0.1)
    effects.refresh(np.array([-1.0, -2.0, -3.0]))
    return effects, changes


@pytest.mark.parametrize("per_pixel", [False, True])
def test_estimates_by_cells_are_near_those_of_every_pixel(per_pixel):
    codes = corners(1)
    if per_pixel:
        codes = np.random.default_rng(6).random((170 * 190, 2, 1)).astype(np.float32)
    (coarse, changes), (exact, _) = observed(codes, STANDARD), observed(codes, EXACT)
    assert coarse.cells is not None
    assert exact.cells is None
    assert (coarse.classes == exact.classes).all()
    apart = coarse.mean - exact.mean
    assert np.sqrt((apart**2).mean()) < 0.2 * np.sqrt((exact.mean**2).mean())
    assert np.abs(coarse.deviation - exact.deviation).mean() < 0.05
    # what was seen of a change itself nearly decides, and is kept as it was
    np.testing.assert_allclose(coarse.mean[changes], exact.mean[changes], atol=0.02)
    for place in range(len(coarse.classes)):
        np.testing.assert_array_equal(coarse.mean_of(place), coarse.mean[:, place])


@pytest.mark.parametrize("tuning", [STANDARD, EXACT])
def test_estimates_of_some_changes_are_those_among_all(tuning):
    effects, changes = observed(corners(1), tuning)
    some = np.concatenate([changes[:20], np.arange(0, 60_000, 7)])
    mean, deviation = effects.at(some)
    np.testing.assert_array_equal(mean, effects.mean[some])
    np.testing.assert_array_equal(deviation, effects.deviation[some])
    np.testing.assert_array_equal(effects.was_seen(some), np.isin(some, changes))


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("many", [30, 5000])
def test_pixels_are_ranked_by_cells_as_by_the_estimates_of_all_changes(targeted, many):
    rng = np.random.default_rng(11)
    image = np.round(rng.random((170, 190, 3)) * 2).astype(np.float32) / 2  # some changes are closed
    moves = make_move_table(image, "corners")
    effects = Effects((170, 190), moves.codes, 3, targeted=targeted)
    changes = rng.choice(moves.size.size, size=many, replace=False)
    told = rng.standard_normal((many, 3)).astype(np.float32)
    effects.observe(changes, told)
    effects.refresh(np.array([-1.0, -2.0, -3.0]))
    best = np.sort(told, axis=0)[-10:].mean(axis=0)
    np.testing.assert_allclose(
        effects.step, np.full(3, best[effects.classes[0]]) if targeted else best[effects.classes], rtol=1e-6
    )
    ladders = _ladders(moves, effects)
    wanted = [effects.mean.mean(axis=1)] if targeted else list(effects.mean.T)
    assert len(ladders) == len(wanted)
    for ladder, estimate in zip(ladders, wanted, strict=True):
        np.testing.assert_array_equal(ladder, ranked(moves, estimate))


def test_an_image_with_one_pixel_that_may_change_has_one_that_is_open():
    moves = make_move_table(np.random.default_rng(12).random((5, 7, 3)).astype(np.float32), "corners")
    mask = np.arange(35) == 23
    assert np.flatnonzero(moves.within(mask).open_pixels).tolist() == [23]
    closed = moves.closed.reshape(35, 8)
    assert moves.closed_by_value.tolist() == [
        value * 35 + pixel for value in range(8) for pixel in range(35) if closed[pixel, value]
    ]


def test_changes_that_are_looked_at_are_those_of_a_draw_and_leave_chance_alike():
    effects, _ = observed(corners(1), STANDARD)
    one, other = np.random.default_rng(13), np.random.default_rng(13)
    np.testing.assert_array_equal(candidates(effects, one)[0], looked_at(effects, other))
    assert one.random() == other.random()


def test_what_is_observed_later_changes_nothing_before_the_next_refresh():
    effects, changes = observed(corners(1), STANDARD)
    before, _ = effects.at(changes)
    other = np.setdiff1d(np.arange(400), changes)[:50]
    unseen, _ = effects.at(other)
    effects.observe(other, np.full((50, 3), 9.0))
    np.testing.assert_array_equal(effects.at(changes)[0], before)
    np.testing.assert_array_equal(effects.at(other)[0], unseen)
    effects.refresh(np.array([-1.0, -2.0, -3.0]))
    assert (effects.at(other)[0][:, 0] > unseen[:, 0]).all()


def test_cells_begin_where_the_kernel_is_wide():
    for shape, wanted in (((48, 48), 1), ((28, 28), 1), ((96, 96), 1), ((32, 2000), 1), ((227, 227), 3), ((512, 512), 7)):
        cells = Effects(shape, corners(3), 1).cells
        assert (1 if cells is None else cells.side) == wanted
    assert cell_side(0.4, 2.0) == 1


def test_exchanges_within_a_pool_take_the_worst_for_the_best_where_nothing_is_unsure():
    rng = np.random.default_rng(7)
    moves = make_move_table(rng.random((8, 8, 3)).astype(np.float32) * 0.5 + 0.25, "corners")
    pool = np.sort(rng.choice(8 * 8 * 8, size=200, replace=False))
    worth = rng.random(200).astype(np.float32)
    pixels, first = np.unique(moves.pixels(pool), return_index=True)
    state = pool[first[::4]]
    for seed in range(20):
        draw = np.random.default_rng(seed)
        number = int(np.random.default_rng(seed).integers(1, 6))
        found = exchanged_within(pool, moves, state, worth, np.zeros(200, dtype=np.float32), draw, 5)
        of_state = dict(zip(state.tolist(), worth[np.searchsorted(pool, state)].tolist(), strict=True))
        gone = sorted(of_state, key=of_state.get)[:number]
        assert found.gone.tolist() == gone
        taken, new = {change // 8 for change in of_state if change not in gone}, []
        for change in pool[np.argsort(-worth, kind="stable")].tolist():
            if len(new) < number and change // 8 not in taken and change not in gone:
                new.append(change)
                taken.add(change // 8)
        assert found.new.tolist() == new
        assert found.result == tuple(sorted({*of_state} - {*gone} | {*new}))
    assert len(pixels) > len(state)


def test_the_first_of_a_ranking_are_those_of_the_whole():
    rng = np.random.default_rng(8)
    moves = make_move_table(np.round(rng.random((9, 11, 3))).astype(np.float32), "corners")  # some changes are closed
    worth = np.round(rng.standard_normal(9 * 11 * 8), 1).astype(np.float32)  # some are equal
    whole = ranked(moves, worth)
    assert sorted(moves.pixels(whole)) == list(range(99))
    for count in (1, 7, 50, 99):
        np.testing.assert_array_equal(ranked(moves, worth, count), whole[:count])


@pytest.mark.parametrize("kind", ["busy", "gradient", "flat"])
def test_owners_and_shares_of_features_are_those_of_every_pixel(kind):
    image = {
        "busy": np.random.default_rng(9).random((60, 70, 3)),
        "gradient": np.linspace(0, 1, 60 * 70).reshape(60, 70, 1),
        "flat": np.full((60, 70, 3), 0.5),
    }[kind]
    mixture = keypoint_mixture(image)
    np.testing.assert_array_equal(mixture.owners(), mixture.responsibilities.argmax(axis=0))
    np.testing.assert_array_equal(mixture.shares(1), mixture.responsibilities)
    coarse = mixture.shares(2)
    assert coarse.shape == (len(mixture), 30, 35)
    np.testing.assert_allclose(coarse.sum(axis=0), 1)
    pixels = mixture.responsibilities.reshape(len(mixture), 30, 2, 35, 2).mean(axis=(2, 4))
    assert np.abs(coarse - pixels).mean() < 0.02
