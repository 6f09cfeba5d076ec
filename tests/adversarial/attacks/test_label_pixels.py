"""The label-only search for the fewest pixels, on classifiers whose fewest pixels are known."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from adversarial import CallableClassifier, FeatureGuidedAttack
from adversarial.attacks import ATTACKS, Task
from adversarial.attacks.label_only.pixel_sets import leave_out
from adversarial.attacks.label_only.pixel_tuning import PixelTuning
from adversarial.attacks.label_only.pixels import LabelPixels
from adversarial.distances import DISTANCES
from adversarial.manipulations import Corners


def decided(predict):
    """The same classifier with nothing but its decision: one-hot rows."""

    def decide(images):
        scores = np.asarray(predict(images))
        return np.eye(scores.shape[1])[scores.argmax(axis=1)]

    return decide


def attacked(toy, budget, target=None, **options):
    attack = FeatureGuidedAttack(budget=budget, **{"density": "uniform", **options})
    classifier = CallableClassifier(decided(toy.predict), "label")
    found = attack.run(classifier, toy.image[None], [0], targets=target)[0]
    assert found.queries <= budget
    if found.success:  # what was found is asked about here, and its pixels are counted by hand
        decision = toy.predict(found.adversarial[None])[0].argmax()
        assert decision != 0 if target is None else decision == target
        assert found.distance == len({tuple(place) for place in np.argwhere(found.adversarial != toy.image)[:, :2].tolist()})
    return found


@pytest.mark.parametrize("needed", [1, 2, 3])
def test_the_fewest_pixels_are_found_from_the_decision_alone(two_classes, needed):
    """A linear classifier on 64 pixels, whose fewest pixels are worked out change by change."""
    toy = two_classes(8, needed)
    found = attacked(toy, 600)
    assert found.success
    assert found.distance == needed


def test_a_single_pixel_ends_the_search(two_classes):
    assert attacked(two_classes(8, 1), 600).queries < 300


def test_it_says_that_decisions_suffice():
    assert ATTACKS.get("label_pixels").labels_suffice
    assert not ATTACKS.get("feature_guided").labels_suffice


def test_a_classifier_of_decisions_is_attacked_by_it_in_l0():
    assert DISTANCES.get("l0").served_by_label == "label_pixels"


@pytest.mark.parametrize("target", [1, 2])
def test_a_target_is_reached(linear, target):
    """Class 1 needs white pixels in the upper half, class 2 in the lower half: two of them each, by construction."""
    halves = np.zeros((2, 8, 8))
    halves[0, :4], halves[1, 4:] = 1, 1
    toy = linear(np.full((8, 8, 1), 0.5), halves, [0.75, 0.75])
    found = attacked(toy, 300, target=target)
    assert found.success
    assert found.distance == 2  # each pixel gives 0.5


def test_a_target_that_nothing_reaches_is_told_and_not_made_up(linear):
    toy = linear(np.full((8, 8, 1), 0.5), np.ones((2, 64)), [1.0, 1000.0])
    found = attacked(toy, 200, target=2)
    assert not found.success
    assert found.distance == np.inf


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 3), (8, 8, 2), (5, 6, 3)])
def test_images_of_every_form_come_to_an_end(linear, shape):
    """One white pixel is enough, in any channel: the sum must rise by 0.4, and each value can give 0.5."""
    size = int(np.prod(shape))
    toy = linear(np.full(shape, 0.5), np.ones((1, size)), [0.4])
    found = attacked(toy, 300)
    assert found.distance == 1


def test_an_image_that_nothing_flips_is_left_when_everything_was_asked(linear):
    found = attacked(linear(np.full((1, 2, 1), 0.5), np.ones((1, 2)), [5.0]), 5000)
    assert not found.success
    assert found.queries < 100  # two pixels of two values have nine sets


@pytest.mark.parametrize("manipulation", ["corners", "plus_minus_tau:0.3", "colour:1"])
def test_every_changed_pixel_has_a_value_that_the_manipulation_allows(two_classes, manipulation):
    toy = two_classes(8, 2)
    toy.needs[0] *= 0.3  # 0.3 up or down is about as much of a change to a corner
    found = attacked(toy, 400, manipulation=manipulation)
    assert found.success
    changed = found.adversarial != toy.image
    allowed = {
        "corners": [np.zeros_like(toy.image), np.ones_like(toy.image)],
        "colour:1": [np.ones_like(toy.image)],
        "plus_minus_tau:0.3": [np.clip(toy.image + np.float32(step), 0, 1) for step in (-0.3, 0.3)],
    }[manipulation]
    nearest = np.min([np.abs(found.adversarial - values) for values in allowed], axis=0)
    assert nearest[changed].max() < 1e-6


def test_the_same_seed_gives_the_same_result_beside_other_images(two_classes):
    toy = two_classes(8, 2)
    attack = FeatureGuidedAttack(budget=200, density="uniform", seed=3)
    other = np.clip(toy.image + 0.05, 0, 1).astype(np.float32)
    classifier = CallableClassifier(decided(toy.predict), "label")
    alone = attack.run(classifier, toy.image[None], [0])[0]
    beside = attack.run(classifier, np.stack([other, toy.image]), [0, 0])[1]
    np.testing.assert_array_equal(alone.adversarial, beside.adversarial)
    np.testing.assert_array_equal(alone.trace, beside.trace)


def test_changes_stay_within_the_mask(linear):
    """Every pixel is worth the same, so that a search without the mask would leave it."""
    mask = np.zeros((8, 8), dtype=bool)
    mask[5:, 2:6] = True
    toy = linear(np.full((8, 8, 1), 0.5), np.ones((1, 64)), [1.2], budget=200)
    distance = DISTANCES.get("l0")
    task = Task(log=toy.log, distance=distance, manipulation=Corners(), seed=0, classifier=None, mask=mask)
    toy.run(LabelPixels(task).steps())
    assert toy.log.distance == 3  # of 0.5 each
    assert not (toy.log.best != toy.image)[~mask].any()


def test_leaving_out_keeps_exactly_what_is_needed():
    """An oracle that needs three of 200 changes: the lane must end with these three, in far fewer questions than changes."""
    needed = {17, 90, 151}
    lane = leave_out(np.arange(200), np.random.default_rng(0), PixelTuning())
    questions, asked = 0, next(lane)
    with pytest.raises(StopIteration) as end:
        while questions < 70:
            questions += 1
            asked = lane.send(needed <= set(asked.tolist()))
    assert set(end.value.value.tolist()) == needed


def test_a_thin_picture_takes_no_more_memory_than_a_square_one_of_as_many_pixels():
    def peak(height, width):
        image = np.random.default_rng(0).random((1, height, width, 1)).astype(np.float32)
        classifier = CallableClassifier(lambda images: (images.mean(axis=(1, 2, 3)) > 0.4).astype(int), "label", classes=2)
        tracemalloc.start()
        FeatureGuidedAttack(budget=20, attack="label_pixels").run(classifier, image)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(1, 22_500) < 1.5 * peak(150, 150)
