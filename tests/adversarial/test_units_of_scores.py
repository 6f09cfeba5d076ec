"""Neither the unit of the scores nor the form they are sent in decides what an attack finds."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from adversarial import CallableClassifier, FeatureGuidedAttack

WEIGHTS = np.random.default_rng(0).normal(size=(192, 5)) * 10 / np.sqrt(192)
IMAGE = (np.random.default_rng(1).integers(0, 256, (8, 8, 3)) / 255).astype(np.float32)
LABEL, TARGET = 4, 1


def logits(images, scale=1.0):
    return (np.asarray(images, dtype=np.float64).reshape(len(images), -1) @ WEIGHTS) * scale


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def attacked(predict, *, scores="logits", distance="l0", target=TARGET, budget=100):
    classifier = CallableClassifier(predict, scores=scores)
    return FeatureGuidedAttack(distance=distance, budget=budget).run(classifier, IMAGE[None], [LABEL], targets=target)[0]


@pytest.mark.parametrize("distance", ["l0", "l1", "l2", "linf"])
@pytest.mark.parametrize("target", [None, TARGET])
def test_a_factor_of_the_logits_changes_nothing(distance, target):
    """By powers of two, which move no digit, from 1e-30 to 1e300; nothing overflows."""
    usual = attacked(logits, distance=distance, target=target)
    assert usual.success
    for power in (-100, -30, 40, 996):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = attacked(lambda x, by=power: np.ldexp(logits(x), by), distance=distance, target=target)
        np.testing.assert_array_equal(found.trace, usual.trace)
        np.testing.assert_array_equal(found.adversarial, usual.adversarial)
        np.testing.assert_array_equal(found.touched.scores, np.ldexp(usual.touched.scores, power))


@pytest.mark.parametrize("scale", [1, 3, 5])
@pytest.mark.parametrize(("distance", "kind"), [("l0", np.float64), ("l2", np.float64), ("l2", np.float32)])
def test_the_probabilities_of_a_sure_classifier_lead_where_its_logits_do(scale, distance, kind):
    """The target's probability in the original is 6e-5 (scale 1) to 1e-21 (scale 5), far below the smallest of most tables."""
    by_logits = attacked(lambda x: logits(x, scale), distance=distance, budget=200)
    sent = attacked(lambda x: softmax(logits(x, scale)).astype(kind), scores="probabilities", distance=distance, budget=200)
    assert by_logits.success
    assert sent.success
    assert sent.distance <= 1.1 * by_logits.distance


def test_a_target_whose_probability_is_sent_as_0_is_named_in_the_note():
    """Scores of 64 bits end at 1e-308, which a factor of 200 leaves far behind."""

    def predict(images):
        return softmax(np.array([[-2000.0, 0.0]]) + 0 * logits(images)[:, :2])

    classifier = CallableClassifier(predict, scores="probabilities")
    (held,) = FeatureGuidedAttack(budget=30).run(classifier, IMAGE[None], [1], targets=0)
    assert not held.success
    assert "gives the target a probability of exactly 0" in held.note
