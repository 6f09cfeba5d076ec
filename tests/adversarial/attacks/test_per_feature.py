"""The competitive game, where its value is known: which features flip, with how few pixels, and what may be said of them."""

import math
from dataclasses import replace

import numpy as np
import pytest

from adversarial import CallableClassifier, FeatureGuidedAttack, KeypointMixture
from adversarial.findings import FindingFacts, check_finding, class_name, finding_in_words, finding_record

ROWS, COLUMNS = 6, 12
IMAGE = np.full((1, ROWS, COLUMNS, 1), 0.2, dtype=np.float32)
LEFT, RIGHT = (2, 1), (3, 10)


def two_features():
    """A mixture whose two features are the left and the right half; the left one has the greater weight."""
    mixture = KeypointMixture.from_map(np.ones((ROWS, COLUMNS)))
    means = np.array([[2.5, 2.5], [2.5, 8.5]])
    return KeypointMixture(
        weights=np.array([0.6, 0.4]), means=means, sigmas=np.array([2.0, 2.0]), density=mixture.density, source="map"
    )


def needs(left, right):
    """The class flips once the mean of so many pixels of a half is bright; with 0, that half changes nothing."""

    def predict(batch):
        halves = batch[:, 2, : max(left, 1), 0], batch[:, 3, COLUMNS - max(right, 1) :, 0]
        sums = [
            half.sum(axis=1) - half.shape[1] + 0.5 if count else np.full(len(batch), -9.0)
            for half, count in zip(halves, (left, right), strict=True)
        ]
        return np.stack([np.zeros(len(batch)), np.maximum(*sums)], axis=1)

    return predict


def play(predict, budget=600, **settings):
    attack = FeatureGuidedAttack(player_two="competitive", budget=budget, density=two_features(), **settings)
    (result,) = attack.run(CallableClassifier(predict), IMAGE, [0])
    return result


def test_the_halves_are_the_features():
    owner = two_features().responsibilities.argmax(axis=0)
    assert (owner[:, :6] == 0).all()
    assert (owner[:, 6:] == 1).all()


@pytest.mark.parametrize("distance", ["l0", "l2", "linf"])
def test_a_feature_that_never_flips_makes_the_answer_not_broken(distance):
    """Feature A flips with one pixel, B never: the most robust feature holds, and its value is not that of A."""
    result = play(needs(1, 0), distance=distance)
    assert not result.success
    assert result.adversarial is None
    assert math.isinf(result.distance)
    assert [math.isfinite(feature.distance) for feature in result.features] == [True, False]
    assert all(feature.measured for feature in result.features)
    if distance == "l0":
        assert result.features[0].distance == 1
    (nearest,) = FeatureGuidedAttack(budget=600, distance=distance).run(CallableClassifier(needs(1, 0)), IMAGE, [0])
    assert nearest.success


@pytest.mark.parametrize(("left", "right"), [(1, 2), (3, 1), (2, 2)])
def test_the_value_is_that_of_the_feature_that_needs_most(left, right):
    result = play(needs(left, right))
    assert [feature.distance for feature in result.features] == [left, right]
    assert result.distance == max(left, right)
    changed = (result.adversarial != IMAGE[0]).any(axis=2)
    assert changed.sum() == max(left, right)
    inside = slice(0, 6) if left >= right else slice(6, 12)
    assert changed[:, inside].sum() == changed.sum()
    assert not result.note


def test_no_change_of_the_whole_image_enters_the_result():
    """One pixel of each half flips it together, and neither alone does."""

    def predict(batch):
        return np.stack([np.zeros(len(batch)), batch[:, *LEFT, 0] + batch[:, *RIGHT, 0] - 1.5], axis=1)

    result = play(predict)
    assert not result.success
    assert result.queries <= 600
    (nearest,) = FeatureGuidedAttack(budget=600).run(CallableClassifier(predict), IMAGE, [0])
    assert nearest.distance == 2


def test_a_small_budget_measures_some_features_and_says_so():
    result = play(lambda batch: needs(2, 1)(batch) + 1e-3 * batch.mean(axis=(1, 2, 3))[:, None], budget=80, distance="l2")
    assert [feature.measured for feature in result.features] == [True, False]
    assert result.success == math.isfinite(result.features[0].distance)
    assert "for 1 of 2 features: fewer than 60 queries were left for each other" in result.note
    assert result.features[1].queries == 0
    text = finding_in_words(result, ("stop", "yield"))
    assert text.count("features") == 1  # for how many it holds is said once


def test_an_image_that_is_seen_otherwise_needs_nothing():
    result = play(lambda batch: np.tile([0.0, 1.0], (len(batch), 1)))
    assert (result.success, result.distance, result.queries) == (True, 0, 1)


def test_what_is_said_is_read_back():
    names = ("stop", "yield")
    for result, budget in [
        (play(needs(1, 0)), 600),
        (play(needs(1, 2)), 600),
        (play(needs(2, 1), budget=80, distance="l2"), 80),
    ]:
        text = finding_in_words(result, names, budget=budget)
        assert "last of" not in text
        measured = [feature for feature in result.features if feature.measured]
        held = sum(math.isinf(feature.distance) for feature in measured)
        facts = FindingFacts(
            success=result.success, label="'stop'", now="'yield'" if result.success else None, queries=result.queries,
            budget=budget, norm=result.norm, original=result.original, adversarial=result.adversarial,
            features=(len(result.features), len(measured), held), labels=frozenset(class_name(one, names) for one in (0, 1)),
        )  # fmt: skip
        judged = [one for one in check_finding(text, facts) if not one.text.startswith("Note:")]
        assert [one.verdict for one in judged] == ["true"] * len(judged), text
        for wrong in ((9, 9, held), (len(result.features), 9, held), (len(result.features), len(measured), held + 1)):
            verdicts = [one.verdict for one in check_finding(text, replace(facts, features=wrong))]
            assert "false" in verdicts, (text, wrong)
        unknown = replace(facts, features=None)
        assert "not verified" in [one.verdict for one in check_finding(text, unknown)]
        record = finding_record(result, names, budget=budget)
        assert [one["measured"] for one in record["features"]] == [feature.measured for feature in result.features]
    assert finding_in_words(play(needs(1, 0)), names).startswith(
        "No change that turns 'stop' into another class was found in 1 of 2 features searched alone, within "
    )
