"""The label-only search for the fewest pixels, on classifiers whose fewest pixels are known."""

from __future__ import annotations

import numpy as np
import pytest

from adversarial import CallableClassifier, FeatureGuidedAttack
from adversarial.attacks import ATTACKS


def decided(predict):
    """The same classifier with nothing but its decision: one-hot rows."""

    def decide(images):
        scores = np.asarray(predict(images))
        return np.eye(scores.shape[1])[scores.argmax(axis=1)]

    return decide


def attacked(toy, budget, **options):
    attack = FeatureGuidedAttack(attack="label_pixels", budget=budget, density="uniform", **options)
    return attack.run(CallableClassifier(decided(toy.predict), "logits"), toy.image[None], [0])[0]


@pytest.mark.parametrize("needed", [1, 2, 3])
def test_the_fewest_pixels_are_found_from_the_decision_alone(two_classes, needed):
    """A linear classifier on 64 pixels, whose fewest pixels are worked out change by change."""
    toy = two_classes(8, needed)
    found = attacked(toy, 600)
    assert found.success
    assert found.distance == needed
    assert found.queries <= 600


def test_a_single_pixel_ends_the_search(two_classes):
    assert attacked(two_classes(8, 1), 600).queries < 300


def test_it_says_that_decisions_suffice():
    assert ATTACKS.get("label_pixels").labels_suffice
    assert not ATTACKS.get("feature_guided").labels_suffice
