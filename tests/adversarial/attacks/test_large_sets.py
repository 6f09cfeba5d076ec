"""Images that are hard to flip: large sets are found, and made small, within the budget."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from adversarial import CallableClassifier, FeatureGuidedAttack
from adversarial.attacks.feature_guided.large_sets import approach, climb, exchange, ranked, shed
from adversarial.attacks.moves import make_move_table
from adversarial.attacks.tuning import STANDARD

SIDE = 20
FEWEST = 60


def steep(seed, channels=1, blur=1.5):
    """A linear classifier of two classes whose image flips with `FEWEST` pixels and with no fewer, by sorting their gains."""
    rng = np.random.default_rng(seed)
    weights = gaussian_filter(rng.normal(size=(SIDE, SIDE, channels)), (blur, blur, 0))
    image = (0.35 + 0.3 * rng.random((1, SIDE, SIDE, channels))).astype(np.float32)
    gains = np.sort(np.maximum(weights * (1 - image[0]), -weights * image[0]).sum(axis=-1).ravel())[::-1]
    needed = gains[: FEWEST - 1].sum() + 0.5 * gains[FEWEST - 1]
    offset = float((weights * image[0]).sum()) + needed

    def predict(batch):
        score = (batch.astype(float) * weights).sum(axis=(1, 2, 3)) - offset
        return np.stack([-score, np.zeros(len(batch))], axis=1)

    return predict, image


def five_classes(seed=0):
    """A linear classifier of five classes, an image far from every border, and its label."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(SIDE * SIDE, 5))
    image = (0.35 + 0.3 * rng.random((1, SIDE, SIDE, 1))).astype(np.float32)
    offsets = np.array([40.0, 0, 0, 0, 0]) - (image.reshape(1, -1) @ weights)[0]  # the label is 40 ahead of all the others

    def predict(batch):
        return batch.reshape(len(batch), -1).astype(float) @ weights + offsets

    return predict, image


def counting(predict):
    asked = []

    def counted(batch):
        asked.append(len(batch))
        return predict(batch)

    return counted, asked


@pytest.mark.parametrize(("budget", "factor"), [(300, 1.5), (1000, 1.12)])
@pytest.mark.parametrize("seed", range(3))
def test_many_pixels_are_found_near_the_minimum(seed, budget, factor):
    predict, image = steep(seed)
    (result,) = FeatureGuidedAttack(budget=budget, density="uniform").run(CallableClassifier(predict), image, [0])
    assert result.success
    assert predict(result.adversarial[None])[0].argmax() == 1
    assert FEWEST <= result.distance <= factor * FEWEST


def test_most_images_flip_where_pixels_say_nothing_of_their_neighbours():
    """White noise as weights and fewer queries than pixels: most effects stay unseen, and groups must be exchanged."""
    flipped = []
    for seed in range(12):
        predict, image = steep(seed, blur=0)
        (result,) = FeatureGuidedAttack(budget=300, density="uniform").run(CallableClassifier(predict), image, [0])
        flipped.append(result.success and predict(result.adversarial[None])[0].argmax() == 1)
    assert sum(flipped) >= 9


@pytest.mark.parametrize("target", range(1, 5))
def test_far_targets_are_reached(target):
    predict, image = five_classes()
    (result,) = FeatureGuidedAttack(budget=600, density="uniform").run(
        CallableClassifier(predict), image, [0], targets=[target]
    )
    assert result.success
    assert predict(result.adversarial[None])[0].argmax() == target == result.adversarial_label


@pytest.mark.parametrize("budget", [1, 11, 64, 123, 300])
@pytest.mark.parametrize("target", [None, 1])
def test_budget_is_exact_in_the_coarse_steps(budget, target):
    predict, image = five_classes()
    predict, asked = counting(predict)
    (result,) = FeatureGuidedAttack(budget=budget, density="uniform").run(
        CallableClassifier(predict), image, [0], targets=None if target is None else [target]
    )
    assert result.queries == sum(asked) == budget
    assert result.trace[-1, 0] <= budget


@pytest.mark.parametrize("player_two", ["cooperative", "competitive"])
def test_same_seed_same_result(player_two):
    predict, image = steep(0)
    first, again = (
        FeatureGuidedAttack(budget=400, density="uniform", seed=5, player_two=player_two, batch_size=size).run(
            CallableClassifier(predict), image, [0]
        )[0]
        for size in (64, 9)
    )
    assert first.success or player_two == "competitive"
    assert first.queries == again.queries
    assert first.features == again.features
    np.testing.assert_array_equal(first.adversarial, again.adversarial)
    np.testing.assert_array_equal(first.trace, again.trace)


def test_what_no_set_flips_ends_within_the_budget_without_a_finding():
    predict, asked = counting(lambda batch: np.tile([1.0, 0.0], (len(batch), 1)))
    image = steep(0)[1]
    (result,) = FeatureGuidedAttack(budget=300, density="uniform").run(CallableClassifier(predict), image, [0])
    assert not result.success
    assert result.adversarial is None
    assert sum(asked) <= 300


@pytest.mark.long
def test_every_sign_is_flipped_with_500_queries():
    pytest.importorskip("torch")
    from saywhy import signs

    images, labels = signs.samples()
    predict = signs.load().predict
    assert len(images) == 12
    results = FeatureGuidedAttack(budget=500, density="uniform").run(CallableClassifier(predict), images, labels)
    assert all(result.success for result in results)
    assert (predict(np.stack([result.adversarial for result in results])).argmax(axis=1) != labels).all()
    assert all(result.queries <= 500 for result in results)


def test_ranked_takes_the_best_allowed_change_of_each_pixel():
    image = np.array([[[0.0], [1.0], [0.5]]], dtype=np.float32)  # black cannot become black, nor white white
    moves = make_move_table(image, "corners")
    assert moves.count == 2
    worth = np.array([9.0, 1.0, 2.0, 9.0, 3.0, 2.5])
    assert ranked(moves, worth).tolist() == [4, 2, 1]


@pytest.mark.parametrize("seed", range(3))
def test_climbing_finds_the_size_to_a_sixteenth_where_effects_are_known(two_classes, seed):
    toy = two_classes(20, 60, seed)
    toy.run(toy.tree.ask([()]))
    density = np.full(400, 1 / 400)
    toy.run(climb(toy.tree, toy.effects(), density, np.random.default_rng(seed)))
    assert toy.fewest() <= toy.tree.best_size <= toy.fewest() * (1 + 1 / 15) + 1
    assert toy.flips(toy.tree.sets[toy.tree.best])
    assert toy.log.queries < 40
    assert toy.tree.deepest == 0  # large sets are remembered, but the tree does not grow from them


def test_climbing_paints_areas_where_the_believed_changes_do_not_flip(linear):
    """Effects believed to be those of black, while white flips: only a rung of one colour gets there."""
    toy = linear(np.full((8, 8, 1), 0.5), np.ones((1, 64)), [20.0])
    toy.run(toy.tree.ask([()]))
    effects = toy.effects(observed=False)
    effects.observe(np.arange(0, 128, 2), np.ones((64, 1)))
    effects.observe(np.arange(1, 128, 2), -np.ones((64, 1)))
    toy.run(climb(toy.tree, effects, np.full(64, 1 / 64), np.random.default_rng(0)))
    assert 41 <= toy.tree.best_size <= 48  # each white pixel adds 0.5, 40 only make a tie; the size is known to a quarter


@pytest.mark.parametrize("seed", range(3))
def test_shedding_leaves_out_what_does_nothing(linear, seed):
    """Sixty useless changes among ten that are needed: the set falls below a third without any knowledge beforehand."""
    rng = np.random.default_rng(seed)
    useful = rng.choice(400, 10, replace=False)
    weights = np.zeros((1, 400))
    weights[0, useful] = 1.0
    toy = linear(np.full((20, 20, 1), 0.5), weights, [4.75])
    toy.run(toy.tree.ask([()]))
    others = rng.choice(np.setdiff1d(np.arange(400), useful), 60, replace=False)
    toy.run(toy.tree.ask([tuple(sorted((2 * np.concatenate([useful, others]) + 1).tolist()))]))
    assert toy.tree.best_size == 70
    effects = toy.effects(observed=False)
    effects.observe(np.array([2 * others[0]]), np.zeros((1, 1)))  # one change that is known to do nothing
    toy.run(shed(toy.tree, effects, rng))
    assert 10 <= toy.tree.best_size <= 23
    assert set(2 * useful + 1) <= set(toy.tree.sets[toy.tree.best])


def test_exchanging_finds_a_smaller_set_where_better_changes_are_believed_in(two_classes):
    toy = two_classes(20, 40)
    toy.run(toy.tree.ask([()]))
    order = ranked(toy.moves, toy.gains()[:, 0])
    gains = np.cumsum(toy.gains()[order[10:], 0])
    size = int(np.searchsorted(gains, toy.needs[0])) + 2  # a set that flips without the ten best changes
    toy.run(toy.tree.ask([tuple(sorted(order[10 : 10 + size].tolist()))]))
    assert toy.tree.best_size == size
    toy.run(exchange(toy.tree, toy.effects(), np.random.default_rng(0), STANDARD))
    assert 40 <= toy.tree.best_size <= int(0.9 * size)
    assert toy.flips(toy.tree.sets[toy.tree.best])


def test_approaching_flips_from_the_nearest_set(two_classes):
    toy = two_classes(12, 12)
    toy.run(toy.tree.ask([()]))
    order = ranked(toy.moves, toy.gains()[:, 0])
    near = next(tuple(sorted(order[i : i + 16].tolist())) for i in range(40) if not toy.flips(order[i : i + 16].tolist()))
    toy.run(toy.tree.ask([near, tuple(sorted(order[60:70].tolist()))]))
    assert toy.tree.best is None
    toy.run(approach(toy.tree, toy.effects(), np.random.default_rng(0)))
    assert toy.tree.best_size == 16  # exchanges keep the size


def test_no_set_changes_a_pixel_twice(two_classes):
    toy = two_classes(20, 60, blur=1.0)
    toy.run(toy.tree.ask([()]))
    effects = toy.effects()
    rng = np.random.default_rng(0)
    toy.run(climb(toy.tree, effects, np.full(400, 1 / 400), rng))
    toy.run(shed(toy.tree, effects, rng))
    toy.run(exchange(toy.tree, effects, rng))
    for changes in toy.tree.sets:
        assert len({change // 2 for change in changes}) == len(changes)
        assert list(changes) == sorted(changes)
