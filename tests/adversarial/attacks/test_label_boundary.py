"""The label-only searches in L2, L1 and L-infinity, on classifiers whose nearest adversarial images are known."""

from __future__ import annotations

import numpy as np
import pytest

from adversarial import CallableClassifier, FeatureGuidedAttack
from adversarial.attacks import ATTACKS

SIDE = 12


def plane(seed=0, channels=1, need=0.8):
    """(image, predict, weights): a linear decision on smooth weights, far enough from the walls of the colour cube."""
    down = np.cos(np.pi * (np.arange(SIDE) + 0.5) * (1 + seed % 2) / SIDE)
    across = np.cos(np.pi * (np.arange(SIDE) + 0.5) * 2 / SIDE)
    weights = np.repeat(np.outer(down, across)[..., None], channels, axis=-1)
    weights /= np.linalg.norm(weights)
    image = np.full((SIDE, SIDE, channels), 0.5, np.float32)

    def predict(images):
        flips = ((images.astype(np.float64) - image) * weights).sum(axis=(1, 2, 3)) > need
        return np.eye(2)[flips.astype(int)]

    return image, predict, weights


@pytest.mark.parametrize(("seed", "channels"), [(0, 1), (1, 3)])
def test_the_nearest_flip_in_l2_is_found_from_decisions_alone(seed, channels):
    """The nearest image beyond a plane at the distance 0.8 is 0.8 away."""
    image, predict, _ = plane(seed, channels)
    (result,) = FeatureGuidedAttack(distance="l2", attack="label_boundary", budget=1000).run(
        CallableClassifier(predict), image[None], [0]
    )
    assert result.success
    assert result.queries <= 1000
    assert 0.8 <= result.distance < 0.8 * 1.1
    assert predict(result.adversarial[None])[0].argmax() == 1


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize(("levels", "most"), [(None, 1.06), (256, 1.1)])  # the nearest of any numbers lies between the levels
def test_a_black_image_is_searched_as_well_as_a_grey_one(seed, levels, most):
    """In a black image only the weights above 0 count, and half of every probe is cut off: the nearest flip is known still."""
    weights = np.random.default_rng(seed).standard_normal((SIDE, SIDE, 1))
    weights /= np.linalg.norm(weights)

    def predict(images):
        return np.eye(2)[((images * weights).sum(axis=(1, 2, 3)) > 0.8).astype(int)]

    nearest = 0.8 / np.linalg.norm(np.maximum(weights, 0))
    (result,) = FeatureGuidedAttack(distance="l2", attack="label_boundary", budget=2000, levels=levels).run(
        CallableClassifier(predict, "label"), np.zeros((1, SIDE, SIDE, 1), np.float32), [0]
    )
    assert nearest <= result.distance < most * nearest


def test_an_image_that_is_adversarial_already_costs_one_query_and_the_check():
    image, predict, _ = plane()
    (result,) = FeatureGuidedAttack(distance="l2", attack="label_boundary").run(CallableClassifier(predict), image[None], [1])
    assert result.distance == 0
    assert result.queries <= 2


def test_the_same_seed_finds_the_same_and_a_constant_classifier_ends_within_its_budget():
    image, predict, _ = plane()
    attack = FeatureGuidedAttack(distance="l2", attack="label_boundary", budget=300, seed=4)
    first, second = (attack.run(CallableClassifier(predict), image[None], [0])[0] for _ in range(2))
    assert np.array_equal(first.adversarial, second.adversarial)
    constant = CallableClassifier(lambda images: np.eye(2)[np.zeros(len(images), int)])
    (none,) = attack.run(constant, image[None], [0])
    assert not none.success
    assert none.queries <= 300


def test_a_feature_alone_changes_only_its_own_pixels():
    image, predict, _ = plane(need=0.05)
    (result,) = FeatureGuidedAttack(
        distance="l2", attack="label_boundary", player_two="competitive", budget=2000
    ).run(CallableClassifier(predict), image[None], [0])  # fmt: skip
    assert any(np.isfinite(feature.distance) for feature in result.features)
    assert result.success == all(np.isfinite(feature.distance) for feature in result.features)
    assert result.queries <= 2000


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 9, 3), (8, 8, 1), (5, 7, 4)])
def test_images_of_any_shape_are_searched(shape):
    image = np.full(shape, 0.3, np.float32)

    def predict(images):
        return np.eye(2)[(images.mean(axis=(1, 2, 3)) > 0.45).astype(int)]

    (result,) = FeatureGuidedAttack(distance="l2", attack="label_boundary", budget=400).run(
        CallableClassifier(predict), image[None], [0]
    )
    assert result.success
    assert result.distance >= 0.15 * np.sqrt(image.size) * 0.999  # an even change is the nearest
    assert result.distance < 0.15 * np.sqrt(image.size) * 1.5


def test_a_classifier_of_labels_is_searched_by_them():
    image, predict, _ = plane()
    labelled, scored = CallableClassifier(predict, "label"), CallableClassifier(predict)
    for distance, name in (("l2", "label_boundary"), ("l1", "label_boundary"), ("linf", "label_rays")):
        attack = FeatureGuidedAttack(distance=distance, budget=200)
        assert ATTACKS.get(name).labels_suffice
        assert attack.picked_for(labelled).name == name
        assert attack.picked_for(scored).name == "waves"
        (result,) = attack.run(labelled, image[None], [0])
        assert result.success


def test_the_nearest_flip_in_l_infinity_is_found_from_decisions_alone():
    """Quadrants that pull up or down: the nearest flip moves every value by the need over the sum of the weights."""
    pulls = np.kron([[1, -1], [-1, -1]], np.ones((SIDE // 2, SIDE // 2)))[..., None]
    image = np.full((SIDE, SIDE, 1), 0.5, np.float32)

    def predict(images):
        flips = ((images.astype(np.float64) - image) * pulls).sum(axis=(1, 2, 3)) > 0.1 * pulls.size
        return np.eye(2)[flips.astype(int)]

    attack = FeatureGuidedAttack(distance="linf", attack="label_rays", budget=300)
    (result,) = attack.run(CallableClassifier(predict), image[None], [0])
    assert 0.1 <= result.distance < 0.1 * 1.05
    assert result.queries <= 300


def test_what_moves_the_same_in_l1_is_spent_where_it_turns_most():
    """One pixel in the middle that counts a hundred times: L1 must go down far below what an even change would cost."""
    weights = np.full((SIDE, SIDE, 1), 0.01)
    weights[4:8, 4:8] = 1.0
    image = np.full((SIDE, SIDE, 1), 0.5, np.float32)

    def predict(images):
        flips = ((images.astype(np.float64) - image) * weights).sum(axis=(1, 2, 3)) > 2.0
        return np.eye(2)[flips.astype(int)]

    attack = FeatureGuidedAttack(distance="l1", attack="label_boundary", budget=1000)
    (result,) = attack.run(CallableClassifier(predict), image[None], [0])
    even = 2.0 / weights.mean()
    assert 2.0 <= result.distance < even / 3


@pytest.mark.parametrize("attack", ["label_boundary", "label_rays"])
def test_only_the_pixels_of_a_mask_change(attack):
    from adversarial.attacks import Task
    from adversarial.distances import DISTANCES
    from adversarial.manipulations import load_manipulation
    from adversarial.query_log import BudgetSpent, QueryLog

    image, predict, _ = plane(need=0.3)
    distance = DISTANCES.get("l2" if attack == "label_boundary" else "linf")
    log = QueryLog(image, 0, None, distance=distance, budget=400, kind="label")
    mask = np.zeros((SIDE, SIDE), bool)
    mask[:, : SIDE // 2] = True
    task = Task(
        log=log, distance=distance, manipulation=load_manipulation("corners"), seed=0,
        classifier=CallableClassifier(predict, "label"), mask=mask,
    )  # fmt: skip
    steps = ATTACKS.get(attack).start(task).steps()
    asked = []
    try:
        images = next(steps)
        while True:
            asked.append(images)
            images = steps.send(predict(images))
    except (StopIteration, BudgetSpent):
        pass
    assert log.found()
    assert sum(map(len, asked)) == log.queries <= 400
    assert (np.concatenate(asked)[:, ~mask] == image[~mask]).all()


@pytest.mark.parametrize(("distance", "attack"), [("l2", "label_boundary"), ("linf", "label_rays")])
def test_a_target_is_reached_where_a_start_reaches_it(distance, attack):
    image = np.full((8, 8, 1), 0.5, np.float32)

    def predict(images):
        mean = images.mean(axis=(1, 2, 3))
        return np.eye(3)[np.select([mean > 0.7, mean < 0.4], [2, 1], 0)]

    goal = FeatureGuidedAttack(distance=distance, attack=attack, budget=300)
    (result,) = goal.run(CallableClassifier(predict, "label"), image[None], [0], targets=2)
    assert result.success
    assert predict(result.adversarial[None])[0].argmax() == 2
    assert result.distance >= (0.2 * 8 if distance == "l2" else 0.2) * 0.999


@pytest.mark.parametrize(("distance", "nearest"), [("l2", 0.8), ("linf", 0.8 / 11)])
def test_with_levels_all_that_is_asked_lies_on_the_grid(distance, nearest):
    image, predict, _ = plane()
    asked = []

    def kept(images):
        asked.append(images * 255)
        return predict(images)

    attack = FeatureGuidedAttack(distance=distance, budget=400, levels=256)
    (result,) = attack.run(CallableClassifier(kept, "label"), image[None], [0])
    everything = np.concatenate(asked)
    assert np.abs(everything - np.rint(everything)).max() < 1e-3
    assert result.success
    assert result.distance > 0.9 * nearest
