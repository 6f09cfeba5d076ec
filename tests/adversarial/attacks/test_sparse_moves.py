"""The search in L1: few pixels, moved no farther than they must, and waves in turn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from adversarial import CallableClassifier, FeatureGuidedAttack
from adversarial.attacks.registry import ATTACKS, Task
from adversarial.attacks.sparse_moves.amounts import Amounts
from adversarial.distances.distance import DISTANCES
from adversarial.manipulations import load_manipulation
from saywhy import signs


def search(toy, seed=0, mask=None):
    return ATTACKS.get("waves").start(
        Task(
            log=toy.log, distance=DISTANCES.get("l1"), manipulation=load_manipulation("corners"), seed=seed, mask=mask,
            classifier=CallableClassifier(toy.predict),
        )
    )  # fmt: skip


def least(image, weights, need):
    """The smallest L1 move that raises a linear function by `need`: the steepest values first, in plain loops."""
    flat, size = image.ravel().astype(np.float64), 0.0
    for place in np.argsort(-np.abs(weights)):
        room = 1 - flat[place] if weights[place] > 0 else flat[place]
        move = min(room, need / abs(weights[place]))
        size, need = size + move, need - move * abs(weights[place])
        if need < 1e-12:
            return size
    raise AssertionError


def grey(side=12, seed=0):
    return (0.3 + 0.4 * np.random.default_rng(seed).random((side, side, 1))).astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_one_pixel_that_decides_is_found_and_moved_no_farther_than_it_must(linear, seed):
    image, weights = grey(), np.full(144, 1e-3)
    weights[5 * 12 + 7] = 1.0
    toy = linear(image, weights[None], [0.17], budget=300, distance="l1")
    toy.run(search(toy, seed).steps())
    assert least(image, weights, 0.17) - 1e-6 <= toy.log.distance <= 1.02 * 0.17


@pytest.mark.parametrize("seed", range(3))
def test_a_sum_of_few_pixels_is_left_with_those_that_matter_most(linear, seed):
    image, weights = grey(), np.zeros(144)
    weights[[14, 40, 77, 101, 130]] = [1.0, -0.9, 0.8, -0.7, 0.3]
    toy = linear(image, weights[None], [0.7], budget=400, distance="l1")
    toy.run(search(toy, seed).steps())
    bound = least(image, weights, 0.7)
    assert bound - 1e-6 <= toy.log.distance <= 1.12 * bound


@pytest.mark.parametrize("seed", range(2))
def test_where_the_mean_decides_all_changes_are_as_good(linear, seed):
    image, weights = grey(), np.full(144, 1.0)
    toy = linear(image, weights[None], [9.0], budget=300, distance="l1")
    toy.run(search(toy, seed).steps())
    assert 9.0 - 1e-6 <= toy.log.distance <= 1.02 * 9.0


@pytest.mark.parametrize("seed", range(2))
def test_where_many_pixels_must_change_waves_have_their_share(linear, seed):
    """Slopes of low frequency, half of the way across the cube: the waves see them all, single pixels see few."""
    image, (down, across) = grey(16), np.mgrid[:16, :16]
    weights = (np.cos(np.pi * (down + 0.5) / 16) + 0.5 * np.cos(2 * np.pi * (across + 0.5) / 16)).ravel()
    need = 0.25 * float(np.abs(weights).sum())
    toy = linear(image, weights[None], [need], budget=400, distance="l1")
    toy.run(search(toy, seed).steps())
    bound = least(image, weights, need)
    assert bound - 1e-6 <= toy.log.distance <= 1.03 * bound


@pytest.mark.parametrize("seed", range(5))
def test_amounts_come_near_the_best_ones_of_the_same_parts(linear, seed):
    """Held against a linear program: each number of the start may go back to the original, and no farther out."""
    rng = np.random.default_rng(seed)
    image = grey(6, seed)
    weights = rng.uniform(0.1, 1.0, 36)
    start = image.ravel().copy()
    places = rng.choice(36, 8, replace=False)
    start[places] = 1.0
    move = (start - image.ravel()).astype(np.float64)
    need = 0.6 * float(move @ weights)
    toy = linear(image, weights[None], [need], budget=200, distance="l1")
    toy.run(toy.log.ask(toy.image[None]))
    toy.run(Amounts(toy.log).lower(start.reshape(image.shape), (float(move @ weights) - need) / toy.log.unit))
    best = linprog(np.ones(8), A_ub=-weights[None, places], b_ub=[-need], bounds=[(0, end) for end in move[places]]).fun
    assert best - 1e-6 <= toy.log.distance <= 1.05 * best
    assert not (toy.log.best.ravel() != image.ravel())[np.setdiff1d(np.arange(36), places)].any()


@pytest.mark.parametrize("budget", [1, 2, 17, 64, 101, 133, 190, 251])
def test_no_budget_is_exceeded_and_a_larger_one_does_first_what_a_smaller_one_does(linear, budget):
    image, weights = grey(), np.random.default_rng(3).normal(size=144)
    small, large = (linear(image, weights[None], [8.0], budget=some, distance="l1") for some in (budget, 260))
    for toy in (small, large):
        toy.run(search(toy).steps())
        assert toy.log.queries <= toy.log.budget
    assert [point for point in large.log.points if point[0] <= budget] == small.log.points


def test_only_pixels_of_the_mask_are_changed(linear):
    image, mask = grey(), np.zeros((12, 12), dtype=bool)
    mask[3:9, 2:8] = True
    toy = linear(image, np.ones((1, 144)), [4.0], budget=300, distance="l1")
    toy.run(search(toy, mask=mask).steps())
    assert toy.log.found()
    assert not (toy.log.best - toy.image)[..., 0][~mask].any()


@pytest.mark.parametrize("target", [False, True])
def test_findings_on_the_trained_network_lie_on_the_grid_and_flip(target):
    pictures, labels = signs.samples()
    predict = signs.load().predict
    targets = [int((labels[0] + 1) % 12)] if target else None
    attack = FeatureGuidedAttack(distance="l1", budget=400 if target else 200, seed=0)
    found = attack.run(CallableClassifier(predict), pictures[:1], labels[:1], targets=targets)[0]
    np.testing.assert_array_equal(np.rint(found.adversarial * 255) / np.float32(255), found.adversarial)
    seen = predict(found.adversarial[None]).argmax()
    assert seen == targets[0] if target else seen != labels[0]
    assert found.distance == pytest.approx(np.abs(found.adversarial - pictures[0], dtype=np.float64).sum())
