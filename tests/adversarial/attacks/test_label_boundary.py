"""The label-only searches in L2, L1 and L-infinity, on classifiers whose nearest adversarial images are known."""

from __future__ import annotations

import numpy as np
import pytest

from adversarial import CallableClassifier, FeatureGuidedAttack

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
    image, predict, _ = plane()
    (result,) = FeatureGuidedAttack(
        distance="l2", attack="label_boundary", player_two="competitive", budget=2000
    ).run(CallableClassifier(predict), image[None], [0])  # fmt: skip
    assert result.success
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
