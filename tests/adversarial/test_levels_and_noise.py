"""Queries on the 8-bit grid, and classifiers that answer differently when they are asked again."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from adversarial import AnswerFile, AttackInterrupted, CallableClassifier, FeatureGuidedAttack
from adversarial.findings import finding_in_words, touched_in_words
from saywhy_core.errors import UsageError

SIDE = 12
RNG = np.random.default_rng(0)
INNER, OUTER = RNG.normal(size=(SIDE * SIDE * 3, 24)) / 6, RNG.normal(size=(24, 5))
BYTES = RNG.integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)
IMAGES = BYTES.astype(np.float32) / np.float32(255)


def network(batch):
    return np.maximum((batch.reshape(len(batch), -1) - 0.5) @ INNER, 0) @ OUTER


def labels_alone(batch):
    return network(batch).argmax(axis=1)


@pytest.mark.parametrize("arguments", [{"distance": "l0"}, {"distance": "l2"}, {"distance": "linf"}, {"player_two": "random"}, {"engine": "mcts"}, {"engine": "mcts", "manipulation": "plus_minus_tau:0.13"}, {"manipulation": "colour:0.301,0.5,0.7"}, {"player_two": "competitive", "distance": "l2"}, {"scores": "label"}, {"scores": "label", "distance": "l2"}, {"scores": "label", "distance": "linf"}])  # fmt: skip
def test_every_query_is_on_the_grid_and_a_finding_survives_png(arguments):
    asked = []
    scores = arguments.get("scores", "logits")

    def predict(batch):
        asked.append(batch.copy())
        return network(batch) if scores == "logits" else labels_alone(batch)

    options = {name: value for name, value in arguments.items() if name != "scores"}
    off = np.clip(IMAGES + np.float32(0.0007), 0, 1)
    classifier = CallableClassifier(predict, scores, classes=5)
    results = FeatureGuidedAttack(budget=80, levels=256, **options).run(classifier, off)
    every = np.concatenate(asked)
    np.testing.assert_array_equal(every, np.rint(every * 255).astype(np.float32) / np.float32(255))
    for image, result in zip(IMAGES, results, strict=True):
        np.testing.assert_array_equal(result.original, image)
        assert "put on the grid of 256 levels first" in result.note
        assert result.queries <= 80
        if result.success:
            stored = io.BytesIO()
            Image.fromarray(np.uint8(np.rint(result.adversarial * 255))).save(stored, "PNG")
            read = np.asarray(Image.open(stored)).astype(np.float32) / np.float32(255)
            np.testing.assert_array_equal(read, result.adversarial)
            assert network(read[None])[0].argmax() == result.adversarial_label != result.label
            change = result.adversarial.astype(float) - image
            wanted = {"l2": np.linalg.norm(change), "linf": np.abs(change).max()}
            assert result.distance == pytest.approx(wanted.get(options.get("distance"), (change != 0).any(axis=-1).sum()))


def test_an_original_on_the_grid_is_left_alone():
    (result,) = FeatureGuidedAttack(budget=40, levels=256).run(CallableClassifier(network), IMAGES[:1])
    assert "grid" not in result.note


@pytest.mark.parametrize("levels", [1, 0, -3, True, 2.5, 70000, "256"])
def test_levels_are_checked(levels):
    with pytest.raises(UsageError, match="levels must be a whole number from 2"):
        FeatureGuidedAttack(levels=levels)


def noisy(seed, amount=0.02):
    rng = np.random.default_rng(seed)
    return lambda batch: network(batch) + rng.normal(size=(len(batch), 5)) * amount


def flipping(seed, share):
    """A classifier that names any class at random for a share of its answers."""
    rng = np.random.default_rng(seed)

    def predict(batch):
        scores = network(batch)
        wild = rng.random(len(batch)) < share
        scores[wild] = rng.random((int(wild.sum()), 5)) * 9
        return scores

    return predict


@pytest.mark.parametrize("distance", ["l0", "l2", "linf"])
def test_noise_is_an_error_unless_it_is_tolerated(distance):
    with pytest.raises(AttackInterrupted, match=r"must be deterministic; .*tolerate_noise"):
        FeatureGuidedAttack(distance=distance, budget=300).run(CallableClassifier(noisy(1)), IMAGES)
    classifier = CallableClassifier(noisy(1))
    results = FeatureGuidedAttack(distance=distance, budget=300, tolerate_noise=True).run(classifier, IMAGES)
    assert all(result.queries <= 300 for result in results)
    assert classifier.queries == sum(result.queries for result in results)
    assert any(result.success for result in results)
    for result in results:
        if result.success:
            assert result.distance > 0
            assert "asked again 10 times and flipped" in result.note
            flips = noisy(5)(np.repeat(result.adversarial[None], 200, axis=0)).argmax(axis=1) != result.label
            assert flips.mean() > 0.5
            assert result.trace[-1, 1] == result.distance


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 1.0])
def test_flips_that_chance_makes_are_no_findings(share):
    """Nothing but chance flips: the network itself always names one class."""
    rng = np.random.default_rng(3)

    def predict(batch):
        wild = rng.random(len(batch)) < share
        return np.eye(5)[np.where(wild, rng.integers(0, 5, len(batch)), 2)]

    for distance in ("l0", "l2"):
        for labels in (None, [2, 2], [0, 0]):
            attack = FeatureGuidedAttack(distance=distance, budget=150, tolerate_noise=True)
            for result in attack.run(CallableClassifier(predict, "label"), IMAGES, labels):
                assert not result.success or (result.distance == 0 and labels == [0, 0] and share < 0.5)
                assert result.queries <= 150


def test_an_image_that_the_classifier_does_not_decide_is_not_attacked():
    (result,) = FeatureGuidedAttack(budget=200, tolerate_noise=True).run(CallableClassifier(flipping(0, 0.9)), IMAGES[:1])
    assert not result.success
    assert result.queries == 10
    assert "does not decide the unchanged image" in result.note


def test_a_deterministic_classifier_gives_a_finding_that_holds():
    results = FeatureGuidedAttack(budget=300, tolerate_noise=True).run(CallableClassifier(network), IMAGES)
    for result in results:
        assert result.success
        assert network(result.adversarial[None])[0].argmax() == result.adversarial_label
        assert "flipped 10 times" in result.note


def test_answers_asked_again_are_kept_for_the_next_run(tmp_path):
    def memory(index):
        return AnswerFile(tmp_path / f"{index}.bin", {})

    attack = FeatureGuidedAttack(budget=200, tolerate_noise=True)
    first = attack.run(CallableClassifier(noisy(1)), IMAGES, memory=memory)
    again = CallableClassifier(noisy(2))
    second = attack.run(again, IMAGES, memory=memory)
    assert again.queries == 0
    for one, other in zip(first, second, strict=True):
        assert (one.distance, one.queries, one.note) == (other.distance, other.queries, other.note)


@pytest.mark.parametrize(("arguments", "words"), [({"engine": "mcts"}, "can't be used"), ({"player_two": "competitive"}, "can't be used"), ({"budget": 99}, "at least 100")])  # fmt: skip
def test_noise_is_tolerated_only_where_that_is_possible(arguments, words):
    with pytest.raises(UsageError, match=words):
        FeatureGuidedAttack(tolerate_noise=True, **arguments)


@pytest.mark.parametrize("distance", ["l0", "l1", "l2", "linf"])
@pytest.mark.parametrize("budget", [1, 2])
def test_where_no_change_was_asked_about_no_place_is_said_to_matter(distance, budget):
    classifier = CallableClassifier(labels_alone, "label", classes=5)
    (result,) = FeatureGuidedAttack(distance=distance, budget=budget).run(classifier, IMAGES[:1])
    assert not result.success
    assert "came closest" not in finding_in_words(result)
    assert "No part of the picture stands out" in touched_in_words(result)
