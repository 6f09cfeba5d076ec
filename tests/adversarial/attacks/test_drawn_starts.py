"""Searches draw starts at random where nothing else reaches a class, as long as queries are left."""

import numpy as np
import pytest

from adversarial import CallableClassifier, FeatureGuidedAttack
from adversarial.attacks.label_only.drawn_starts import DrawnStarts
from adversarial.distances.distance import DISTANCES
from adversarial.query_log import QueryLog

IMAGE = np.array([[[0.2], [0.6]]], dtype=np.float32)


def island(images):
    """Class 1 is a twenty-fifth of all images of two grey pixels, in the middle of nothing that leads there."""
    inside = (np.abs(images.reshape(len(images), 2) - [0.7, 0.3]) < 0.1).all(axis=1)
    return np.stack([np.where(inside, 0.0, 1.0), inside, np.full(len(images), -1.0)], axis=1)


def one_set(images):
    """Class 1 takes one pixel white and one black of seven, with the others as they were."""
    moved = images.reshape(len(images), 7) - np.float32(0.4)
    return np.where((moved[:, 1] > 0.5) & (moved[:, 4] < -0.3) & (np.abs(moved[:, [0, 2, 3, 5]]) < 0.1).all(axis=1), 1, 0)


@pytest.mark.parametrize("distance", ["l1", "l2", "linf"])
@pytest.mark.parametrize("scores", ["logits", "label"])
def test_a_class_inside_the_cube_that_nothing_leads_to_is_found(distance, scores):
    classify = island if scores == "logits" else lambda images: island(images).argmax(axis=1)
    classifier = CallableClassifier(classify, scores=scores, classes=3)
    (found,) = FeatureGuidedAttack(distance=distance, budget=600).run(classifier, IMAGE[None], [0], targets=1)
    assert found.success
    assert found.queries <= 600
    # the nearest image of all 65,536
    values = np.stack(np.meshgrid(*[np.arange(256) / np.float32(255)] * 2, indexing="ij"), axis=-1).reshape(-1, 1, 2, 1)
    values = values[island(values).argmax(axis=1) == 1]
    assert found.distance <= 1.5 * DISTANCES.get(distance).measure(values.astype(np.float64) - IMAGE).min()


def test_one_set_of_pixels_is_found_by_decisions_alone():
    image = np.full((1, 7, 1), 0.4, dtype=np.float32)
    classifier = CallableClassifier(one_set, scores="label", classes=2)
    (found,) = FeatureGuidedAttack(budget=800).run(classifier, image[None], [0], targets=1)
    assert found.success
    assert found.distance == 2


@pytest.mark.parametrize("distance", ["l0", "l1"])
def test_a_search_for_a_class_that_is_nowhere_ends_with_everything_asked(distance):
    asked = []

    def never(images):
        asked.extend(image.tobytes() for image in images)
        return np.tile([1.0, 0.0], (len(images), 1)) + 1e-3 * images.reshape(len(images), -1)[:, :1]

    image = np.full((1, 1, 1), 0.2, dtype=np.float32)
    (found,) = FeatureGuidedAttack(distance=distance, budget=500).run(CallableClassifier(never), image[None], [0], targets=1)
    assert not found.success
    assert len(set(asked)) == (3 if distance == "l0" else 256)


def test_drawn_images_keep_to_the_mask_and_leave_the_chance_of_the_search_as_it_was():
    image, mask = np.full((6, 9, 3), 0.5, dtype=np.float32), np.arange(54).reshape(6, 9) % 2 == 0
    rng = np.random.default_rng(3)
    log = QueryLog(image, 0, None, distance=DISTANCES.get("l2"), budget=1_000, kind="logits", levels=256)
    drawn = DrawnStarts(log, rng, mask)
    asked = np.concatenate([next(drawn.some()) for _ in range(20)])
    assert (asked[:, ~mask] == log.image[~mask]).all()
    assert (asked[:, mask] != log.image[mask]).any(axis=(0, 2)).all()
    assert {0.0, 1.0} < set(asked.ravel().tolist())
    assert rng.random() == np.random.default_rng(3).random()


@pytest.mark.parametrize("scores", ["logits", "label"])
def test_a_larger_budget_is_never_worse_where_starts_are_drawn(scores):
    classify = island if scores == "logits" else lambda images: island(images).argmax(axis=1)
    nearest = np.inf
    for budget in (50, 300):
        classifier = CallableClassifier(classify, scores=scores, classes=3)
        (found,) = FeatureGuidedAttack(distance="linf", budget=budget).run(classifier, IMAGE[None], [0], targets=1)
        now = found.distance if found.success else np.inf
        assert now <= nearest
        nearest = now
