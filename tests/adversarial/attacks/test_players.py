"""Player I's weighing of the features and player II's draws."""

from __future__ import annotations

import numpy as np
import pytest

from adversarial import KeypointMixture
from adversarial.attacks.feature_guided.opening import lattice
from adversarial.attacks.feature_guided.players import Players, largest
from adversarial.attacks.tuning import STANDARD


def halves(side, left):
    """A map with two levels: the left half has `left` times the density of the right half."""
    values = np.ones((side, side))
    values[:, : side // 2] = left
    return KeypointMixture.from_map(values)


def test_without_a_mixture_all_changes_are_alike(linear):
    toy = linear(np.full((4, 4, 1), 0.5), np.ones((1, 16)), [9])
    players = Players(toy.tree, None, np.random.default_rng(0))
    np.testing.assert_allclose(players.density, 1 / 16)
    np.testing.assert_array_equal(players.prior(), 1)


def test_the_prior_is_greater_where_the_mixture_is_dense_and_sinks_where_pixels_were_tried(linear):
    toy = linear(np.full((8, 8, 1), 0.5), np.ones((1, 64)), [99])
    players = Players(toy.tree, halves(8, 4.0), np.random.default_rng(0))
    prior = players.prior().reshape(8, 8, 2)
    assert prior[:, :4].min() > prior[:, 4:].max()
    assert (prior[..., 0] == prior[..., 1]).all()
    low, high = STANDARD.tree.guidance_range
    assert low <= prior.min() <= prior.max() <= high
    toy.run(toy.tree.ask([()]))
    toy.run(toy.tree.ask([(2 * (8 * row + column),) for row in range(8) for column in range(4)]))
    after = players.prior().reshape(8, 8, 2)
    assert after[:, :4].mean() / after[:, 4:].mean() < prior[:, :4].mean() / prior[:, 4:].mean()


def test_draws_scatter_around_the_estimates_by_the_share_of_the_deviation(linear):
    toy = linear(np.full((1, 3, 1), 0.5), [[2.0, 0.0, 0.0]], [9.0])
    toy.run(toy.tree.ask([()]))
    effects = toy.effects(observed=False)
    effects.observe(np.array([1]), np.array([[1.0]]))
    effects.refresh(toy.tree.gaps[0])
    players = Players(toy.tree, None, np.random.default_rng(0))
    draws = np.stack([players.draw(effects)[:, 0] for _ in range(4000)])
    np.testing.assert_allclose(draws.mean(axis=0), effects.mean[:, 0] / effects.step[0], atol=0.03)
    wanted = STANDARD.tree.thompson * effects.deviation * effects.scale[0] / effects.step[0]
    np.testing.assert_allclose(draws.std(axis=0), wanted, rtol=0.05)
    assert draws.std(axis=0)[1] < draws.std(axis=0)[5]  # the change that was seen strays less than the one farthest from it


@pytest.mark.parametrize("seed", range(5))
def test_the_lattice_has_one_change_per_pixel_and_at_most_the_count(linear, seed):
    toy = linear(np.full((12, 12, 1), 0.5), np.ones((1, 144)), [999])
    players = Players(toy.tree, None, np.random.default_rng(seed))
    changes = lattice(toy.tree, players, 20)
    pixels = toy.moves.pixels(changes)
    assert len(np.unique(pixels)) == len(changes) <= 20
    rows, columns = np.unique(pixels // 12), np.unique(pixels % 12)
    for places in (rows, columns):  # a lattice: places are apart by multiples of one step
        assert len(np.unique((places - places[0]) % 2)) == 1
    assert (toy.moves.size[changes] > 0).all()


def test_the_lattice_is_denser_where_the_mixture_is(linear):
    toy = linear(np.full((20, 20, 1), 0.5), np.ones((1, 400)), [999])
    left = []
    for seed in range(60):
        players = Players(toy.tree, halves(20, 9.0), np.random.default_rng(seed))
        left += (toy.moves.pixels(lattice(toy.tree, players, 40)) % 20 < 10).tolist()
    # 0.5 uniform and 0.5 mixture: 0.7 of the mass lies left; a lattice of 1.3 times the count thins that to some 0.6
    assert 0.53 < np.mean(left) < 0.75


def test_largest_takes_finite_scores_in_order():
    score = np.array([1.0, -np.inf, 5.0, 3.0, 5.0])
    assert largest(score, 3).tolist() == [2, 4, 3]
    assert largest(score, 99).tolist() == [2, 4, 3, 0]


def test_the_largest_are_those_of_a_full_sort():
    rng = np.random.default_rng(0)
    for size, count in ((1, 3), (5, 5), (300, 20), (300, 299)):
        score = rng.normal(size=size).astype(np.float32)
        score[rng.random(size) < 0.2] = -np.inf
        finite = [place for place in np.argsort(-score) if np.isfinite(score[place])]
        np.testing.assert_array_equal(largest(score, count), finite[:count])


def test_of_equal_scores_as_many_as_wanted_are_taken():
    score = np.array([2.0, 1.0, 2.0, 3.0, 2.0, 1.0])
    for count in range(1, 7):
        found = largest(score, count)
        assert len(set(found.tolist())) == count
        np.testing.assert_array_equal(score[found], [3, 2, 2, 2, 1, 1][:count])
