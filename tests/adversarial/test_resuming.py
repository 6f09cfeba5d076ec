"""Attacks that were cut off and go on from what was answered: the same results, and nothing asked twice."""

from __future__ import annotations

import numpy as np
import pytest

from adversarial import AnswerFile, AttackInterrupted, AttackStopped, CallableClassifier, FeatureGuidedAttack
from adversarial.run import ChangedClassifierError
from saywhy_core.classifiers import EndpointError
from saywhy_core.errors import UsageError

SIDE, BATCH = 10, 16


def network():
    rng = np.random.default_rng(5)
    inner = rng.normal(size=(SIDE * SIDE * 3, 24)).astype(np.float32) / 6
    outer = rng.normal(size=(24, 4)).astype(np.float32)
    return lambda batch: np.maximum((batch.reshape(len(batch), -1) - 0.5) @ inner, 0) @ outer


class Stopping:
    """Counts the images that it is asked about, and is stopped in each call of these numbers."""

    def __init__(self, stops=(), how=KeyboardInterrupt):
        self.stops, self.how, self.calls, self.asked, self.predict = set(stops), how, 0, 0, network()

    def __call__(self, batch):
        self.calls += 1
        self.asked += len(batch)
        if self.calls in self.stops:
            raise self.how
        return self.predict(batch)


def pictures(count=4):
    return np.random.default_rng(1).random((count, SIDE, SIDE, 3), dtype=np.float32)


KINDS = {
    "pixels": {},
    "targeted": {"targets": 2},
    "waves": {"distance": "l2"},
    "random": {"player_two": "random"},
    "competitive": {"player_two": "competitive"},
    "stock": {"engine": "mcts", "budget": 40},
}


def run(kind, predict, memory=None, **more):
    options = {"budget": 130, "batch_size": BATCH, **KINDS[kind]}
    goal = options.pop("targets", None)
    if options.get("engine") == "mcts":
        del options["batch_size"]
    images = pictures()
    labels = network()(images).argmax(axis=1)
    if goal is not None:
        images, labels = images[labels != goal], labels[labels != goal]
    return FeatureGuidedAttack(**options).run(CallableClassifier(predict), images, labels, targets=goal, memory=memory, **more)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_was_stopped_many_times_comes_to_the_same_results(tmp_path, kind):
    """The classifier is stopped in every sixth call; the stock search asks about one image per call."""
    whole = Stopping()
    expected = run(kind, whole)
    predict = Stopping(range(3, 10_000, 25 if kind == "stock" else 6))
    stops, found = 0, None
    while found is None:
        files = {}

        def memory(index, files=files):
            files[index] = AnswerFile(tmp_path / f"{index}.bin", {"image": str(index)})
            return files[index]

        try:
            found = run(kind, predict, memory)
        except AttackStopped:
            stops += 1
        for file in files.values():
            file.close()
        assert stops < 50
    assert stops >= 3
    for one, other in zip(found, expected, strict=True):
        assert one.queries == other.queries
        assert one.distance == other.distance
        np.testing.assert_array_equal(one.trace, other.trace)
        np.testing.assert_array_equal(one.touched.scores, other.touched.scores)
        np.testing.assert_array_equal(one.adversarial, other.adversarial)
        assert [feature.distance for feature in one.features] == [feature.distance for feature in other.features]
    # each stop loses the batch that was on its way, and the check of what a run had found before it was stopped is made again
    assert predict.asked <= whole.asked + (BATCH + len(expected)) * stops


def test_a_memory_that_knows_everything_leaves_only_the_check(tmp_path):
    def memory(index):
        return AnswerFile(tmp_path / f"{index}.bin", {})

    expected = run("pixels", Stopping(), memory)
    again = Stopping()
    found = run("pixels", again, memory)
    assert again.asked == len(found)
    assert [result.queries for result in found] == [result.queries for result in expected]


def test_a_classifier_that_has_changed_since_is_told_and_its_answers_forgotten(tmp_path):
    def memory(index):
        return AnswerFile(tmp_path / f"{index}.bin", {})

    with pytest.raises(AttackStopped):
        run("pixels", Stopping([18]), memory)
    assert len(list(tmp_path.iterdir())) > 0

    def other(batch):
        return -2 * network()(batch)

    with pytest.raises(AttackInterrupted, match="another answer than in an earlier run") as caught:
        for _ in range(2):  # the first may come to findings that only the new answers made
            run("pixels", other, memory)
    assert isinstance(caught.value.__cause__, ChangedClassifierError)
    assert not any(len(AnswerFile(path, {})) for path in tmp_path.iterdir())


def test_one_image_of_a_class_that_does_not_exist_leaves_the_others():
    told = []
    images, predict = pictures(3), network()
    labels = predict(images).argmax(axis=1)
    expected = FeatureGuidedAttack(budget=60).run(CallableClassifier(predict), images, labels)
    wrong = labels.copy()
    wrong[1] = 77
    found = FeatureGuidedAttack(budget=60).run(
        CallableClassifier(predict), images, wrong, on_problem=lambda index, error: told.append((index, str(error)))
    )
    assert [result.index for result in found] == [0, 2]
    assert [result.distance for result in found] == [expected[0].distance, expected[2].distance]
    assert told == [(1, "there is no class 77: the classifier has 4, counted from 0")]
    with pytest.raises(UsageError, match="no class 77"):
        FeatureGuidedAttack(budget=60).run(CallableClassifier(predict), images, wrong)


def test_one_image_on_which_the_density_fails_leaves_the_others():
    images, told = pictures(3), []

    def density(image):
        if (image == images[1]).all():
            raise UsageError("no map of this image")
        from adversarial import keypoint_mixture

        return keypoint_mixture(image)

    found = FeatureGuidedAttack(budget=30, density=density).run(
        CallableClassifier(network()), images, network()(images).argmax(axis=1),
        on_problem=lambda index, error: told.append((index, str(error))),
    )  # fmt: skip
    assert [result.index for result in found] == [0, 2]
    assert told == [(1, "no map of this image")]


def test_what_was_answered_before_the_endpoint_died_is_not_asked_again(tmp_path):
    """The classifier asks its endpoint in parts, and the last of a batch fails."""
    asked, predict = [], network()

    def dying(images):
        if len(asked) > 20:
            raise EndpointError("the endpoint is down")
        asked.extend(image.tobytes() for image in images)
        return predict(images)

    def again(images):
        asked.extend(image.tobytes() for image in images)
        return predict(images)

    def memory(index):
        return AnswerFile(tmp_path / f"{index}.bin", {"model": "patch"})

    images = pictures(2)
    attack = FeatureGuidedAttack(budget=60)
    with pytest.raises(AttackInterrupted, match="the endpoint is down"):
        attack.run(CallableClassifier(dying, batch_size=4), images, predict(images).argmax(axis=1), memory=memory)
    attack.run(CallableClassifier(again, batch_size=4), images, predict(images).argmax(axis=1), memory=memory)
    assert len(asked) - len(set(asked)) == 2  # the check of each finding
