"""The way to a wanted class, on classifiers whose minima are known: a first set, however large, and ever smaller ones."""

from __future__ import annotations

import numpy as np
import pytest

from adversarial import CallableClassifier, FeatureGuidedAttack
from adversarial.attacks.feature_guided.players import Players
from adversarial.attacks.feature_guided.reach import Reach, hardest, hold, joined, press
from adversarial.attacks.moves import make_move_table


def test_the_hardest_class_weighs_most():
    weights = hardest(np.array([-10.0, -9.0, 0.0]))
    np.testing.assert_allclose(weights[:2], [np.e / (1 + np.e), 1 / (1 + np.e)], atol=1e-4)  # one tenth of 10 is the unit
    assert weights[2] < 1e-4
    assert hardest(np.array([0.0])) == 1


def test_joining_replaces_what_is_at_a_pixel_and_restores_others():
    moves = make_move_table(np.full((1, 4, 1), 0.5, np.float32), "corners")  # pixel p: 2p is black, 2p + 1 is white
    state = np.array([0, 3, 5])
    assert joined(moves, state, np.array([2]), np.array([2])) == (0, 2, 5)
    assert joined(moves, state, np.array([4]), np.array([], dtype=np.int64)) == (0, 3)


def reached(toy, effects, seed=0):
    players = Players(toy.tree, None, np.random.default_rng(seed))
    toy.run(Reach(toy.tree, effects, players).steps())
    return players


@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("seed", range(2))
def test_half_of_all_pixels_are_changed_where_it_takes_so_many(linear, colours, seed):
    """White noise as weights, nothing known beforehand, and a gap that only a half of all that is possible closes."""
    rng = np.random.default_rng(seed)
    image = np.full((12, 12, colours), 0.5)
    weights = rng.normal(size=(3, 144 * colours))
    most = np.abs(weights).sum(axis=1) / 2
    toy = linear(image, weights, [0.5 * most[0], -1.0, -2.0], target=1)
    toy.run(toy.tree.ask([()]))
    effects = toy.effects(observed=False)
    effects.observe(np.array([0]), np.zeros((1, toy.tree.gaps.shape[1])))
    reached(toy, effects)
    assert toy.tree.best is not None
    assert toy.flips(toy.tree.sets[toy.tree.best])


def test_what_no_set_reaches_is_given_up(linear):
    toy = linear(np.full((6, 6, 1), 0.5), np.zeros((2, 36)), [1.0, 2.0], target=2)
    toy.run(toy.tree.ask([()]))
    effects = toy.effects(observed=False)
    effects.observe(np.array([0]), np.zeros((1, 2)))
    reached(toy, effects)
    assert toy.tree.best is None
    assert toy.log.queries < 1000


@pytest.mark.parametrize("seed", range(3))
def test_a_whole_picture_is_pressed_to_about_the_fewest(two_classes, seed):
    toy = two_classes(16, 30, seed, target=1)
    toy.run(toy.tree.ask([()]))
    best = toy.gains()[:, 0].reshape(-1, 2)
    toy.run(toy.tree.ask([tuple((2 * np.arange(256) + best.argmax(axis=1)).tolist())]))
    assert toy.tree.best_size == 256
    players = Players(toy.tree, None, np.random.default_rng(seed))
    effects = toy.effects()
    toy.run(hold(toy.tree, effects, players, 40))
    assert 30 <= toy.tree.best_size <= 40
    toy.run(press(toy.tree, effects, players))
    assert 30 <= toy.tree.best_size <= 33
    assert toy.flips(toy.tree.sets[toy.tree.best])
    assert all(len({change // 2 for change in changes}) == len(changes) for changes in toy.tree.sets)


def network(classes, channels, seed=0):
    """A random network with one hidden layer, in which the last class is never first unless much is changed."""
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(100 * channels, 24)) / 10, rng.normal(size=(24, classes))
    image = rng.random((10, 10, channels)).astype(np.float32)
    offset = np.zeros(classes)

    def predict(images):
        return np.maximum(images.reshape(len(images), -1) @ first, 0) @ second + offset

    many = predict(rng.random((500, 10, 10, channels)))
    offset[-1] = (many[:, :-1].max(axis=1) - many[:, -1]).min()  # none of five hundred random pictures is of this class
    assert (predict(rng.random((500, 10, 10, channels))).argmax(axis=1) == classes - 1).mean() < 0.02
    return predict, image


@pytest.mark.parametrize(("classes", "channels"), [(2, 1), (6, 1), (6, 3)])
def test_every_class_is_reached_that_a_painted_picture_shows(classes, channels):
    predict, image = network(classes, channels)
    label = int(predict(image[None]).argmax())
    targets = [target for target in range(classes) if target != label]
    images = np.repeat(image[None], len(targets), axis=0)
    results = FeatureGuidedAttack(budget=500, density="uniform", levels=None).run(
        CallableClassifier(predict), images, [label] * len(targets), targets=targets
    )
    # an independent search from above: pictures of corners of the colour cube, by their values at random
    rng = np.random.default_rng(1)
    shown = set(predict(rng.integers(2, size=(4000, 10, 10, channels)).astype(np.float32)).argmax(axis=1).tolist())
    for target, result in zip(targets, results, strict=True):
        assert result.success or target not in shown
        if result.success:
            assert predict(result.adversarial[None])[0].argmax() == target
            assert result.distance == (result.adversarial != image).any(axis=-1).sum()
    assert sum(result.success for result in results) >= max(1, len(targets) - 1)


def test_one_pixel_is_enough_of_a_picture():
    predict = lambda images: np.stack([1 - images[:, 0, 0, 0], images[:, 0, 0, 0], np.full(len(images), 0.2)], axis=1)  # noqa: E731
    (result,) = FeatureGuidedAttack(budget=50, density="uniform").run(
        CallableClassifier(predict), np.zeros((1, 1, 1, 1), np.float32), [0], targets=[1]
    )
    assert result.success
    assert result.distance == 1
