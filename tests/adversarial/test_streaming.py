"""Images that come one by one, calls on their way at once, and the troubles of single images."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from adversarial import AnswerFile, AttackInterrupted, AttackStopped, AttackTask, CallableClassifier, FeatureGuidedAttack
from saywhy_core.classifiers import ClassifierError, EndpointError
from saywhy_core.errors import UsageError

SIDE = 8
RNG = np.random.default_rng(0)
INNER = RNG.normal(size=(SIDE * SIDE * 3, 12)).astype(np.float32) / 6
OUTER = RNG.normal(size=(12, 4)).astype(np.float32)
PICTURES = np.random.default_rng(1).random((9, SIDE, SIDE, 3), dtype=np.float32)


def predict(batch):
    return np.maximum((batch.reshape(len(batch), -1) - 0.5) @ INNER, 0) @ OUTER


LABELS = predict(PICTURES).argmax(axis=1)
ATTACK = FeatureGuidedAttack(budget=100, batch_size=24)


def tasks(labels=LABELS):
    for index, image in enumerate(PICTURES):
        yield AttackTask(index, image, None if labels is None else int(labels[index]))


def streamed(classifier, given=None, **more):
    done = {}
    ATTACK.stream(classifier, tasks() if given is None else given, finished=done.__setitem__, **more)
    return done


def assert_same(one, other):
    assert (one.distance, one.queries, one.label, one.adversarial_label) == (
        other.distance, other.queries, other.label, other.adversarial_label
    )  # fmt: skip
    np.testing.assert_array_equal(one.trace, other.trace)
    np.testing.assert_array_equal(one.adversarial, other.adversarial)


class Concurrent(CallableClassifier):
    """Takes a while for each call, and notes how many were on their way at once."""

    def __init__(self, concurrency, seconds=0.003, fails=()):
        self.concurrency, self.seconds, self.fails = concurrency, seconds, fails
        self.now = self.most = self.calls = 0
        self.never = threading.Event()
        self.counting = threading.Lock()
        super().__init__(self.slow)

    def slow(self, batch):
        with self.counting:
            self.now, self.calls = self.now + 1, self.calls + 1
            self.most, number = max(self.most, self.now), self.calls
        self.never.wait(self.seconds)
        with self.counting:
            self.now -= 1
        if number in self.fails:
            raise self.fails[number]
        return predict(batch)


@pytest.fixture(scope="module")
def expected():
    return ATTACK.run(CallableClassifier(predict), PICTURES, LABELS)


@pytest.mark.parametrize("concurrency", [1, 2, 5])
def test_results_do_not_depend_on_the_calls_at_once(expected, concurrency):
    classifier = Concurrent(concurrency)
    done = streamed(classifier)
    assert sorted(done) == list(range(len(PICTURES)))
    for index, result in done.items():
        assert_same(result, expected[index])
    assert min(2, concurrency) <= classifier.most <= concurrency
    assert classifier.queries == sum(result.queries for result in expected)


@pytest.mark.parametrize("distance", ["l0", "l2"])
@pytest.mark.parametrize("player_two", ["cooperative", "competitive"])
def test_without_labels_the_first_query_says_the_class(distance, player_two):
    attack = FeatureGuidedAttack(budget=60, batch_size=24, distance=distance, player_two=player_two)
    known = attack.run(CallableClassifier(predict), PICTURES, LABELS)
    classifier, done = CallableClassifier(predict), {}
    attack.stream(classifier, tasks(None), finished=done.__setitem__)
    for index, result in done.items():
        assert_same(result, known[index])
    assert classifier.queries <= sum(result.queries for result in known)


def test_the_stock_game_without_labels():
    attack = FeatureGuidedAttack(budget=20, engine="mcts")
    known = attack.run(CallableClassifier(predict), PICTURES[:2], LABELS[:2])
    done = {}
    attack.stream(CallableClassifier(predict), (AttackTask(i, PICTURES[i]) for i in range(2)), finished=done.__setitem__)
    for index, result in done.items():
        assert_same(result, known[index])


def test_an_image_is_taken_when_there_is_room_and_nothing_of_it_is_kept():
    taken, alive = [], []

    def given():
        for index in range(40):
            taken.append(index)
            yield AttackTask(index, np.random.default_rng(index).random((SIDE, SIDE, 3), dtype=np.float32))

    def finished(index, _result):
        alive.append(len(taken) - index)

    FeatureGuidedAttack(budget=40, batch_size=16).stream(CallableClassifier(predict), given(), finished=finished)
    assert len(taken) == len(alive) == 40
    assert max(alive) <= 16  # each asks for some 16 images at a time, however many there are


def test_images_of_several_sizes_share_a_run():
    def by_mean(batch):
        bright = batch.mean(axis=(1, 2, 3))
        return np.stack([bright, 0.5 - 0.5 * bright], axis=1)

    images = [np.random.default_rng(n).random((6 + n % 3, 5 + n % 2, 3), dtype=np.float32) for n in range(8)]
    sizes, done = [], {}

    def watched(batch):
        sizes.append(batch.shape[1:])
        return by_mean(batch)

    ATTACK.stream(
        CallableClassifier(watched), (AttackTask(n, image) for n, image in enumerate(images)), finished=done.__setitem__
    )
    assert set(sizes) == {image.shape for image in images}
    for index, image in enumerate(images):
        (alone,) = ATTACK.run(CallableClassifier(by_mean), image[None], [done[index].label])
        assert_same(done[index], alone)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_only_the_image_that_fails_alone_is_told(expected, concurrency):
    guilty = 4
    calls = []

    def spoilt(batch):
        calls.append(len(batch))
        scores = predict(batch)
        near = np.abs(batch - PICTURES[guilty]).max(axis=-1) > 1e-6
        scores[near.sum(axis=(1, 2)) < SIDE * SIDE // 2] = np.nan
        return scores

    classifier = CallableClassifier(spoilt)
    classifier.concurrency = concurrency
    problems = {}
    done = streamed(classifier, on_problem=problems.__setitem__)
    assert list(problems) == [guilty]
    assert "not finite" in str(problems[guilty])
    assert sorted(done) == [index for index in range(len(PICTURES)) if index != guilty]
    for index, result in done.items():
        assert_same(result, expected[index])
    with pytest.raises(AttackInterrupted, match="not finite"):
        streamed(CallableClassifier(spoilt))


@pytest.mark.long
def test_an_endpoint_that_answers_late_is_kept_busy():
    """3 calls of 8 images at once, each of which takes a tenth of a second; a quarter of the time may be lost."""
    classifier, done = Concurrent(3, 0.1), {}
    attack = FeatureGuidedAttack(budget=60, batch_size=8, distance="l2")
    many = (AttackTask(n, np.random.default_rng(n).random((SIDE, SIDE, 3), dtype=np.float32)) for n in range(20))
    begun = time.perf_counter()
    attack.stream(classifier, many, finished=done.__setitem__)
    assert classifier.queries / (time.perf_counter() - begun) > 0.75 * 3 * 8 / 0.1


def test_a_batch_that_fails_once_is_asked_apart(expected):
    done = streamed(Concurrent(1, 0, {3: ValueError("hiccup")}))
    for index, result in done.items():
        assert_same(result, expected[index])


def test_an_endpoint_at_fault_ends_the_run_and_what_was_answered_is_kept(expected, tmp_path):
    def memory(index):
        return AnswerFile(tmp_path / f"{index}.bin", {})

    first = Concurrent(3, 0.01, {6: EndpointError("the endpoint is down")})
    problems, done = {}, {}
    with pytest.raises(AttackInterrupted, match="the endpoint is down") as caught:
        ATTACK.stream(first, tasks(), finished=done.__setitem__, memory=memory, on_problem=problems.__setitem__)
    assert not problems
    assert all("not finished: the endpoint is down" in result.note for result in caught.value.results)
    second = Concurrent(3, 0)
    left = [task for task in tasks() if task.index not in done]
    ATTACK.stream(second, left, finished=done.__setitem__, memory=memory)
    for index, result in enumerate(expected):
        assert_same(done[index], result)
    failed = 24  # at most: the batch whose call failed
    queries = sum(result.queries for result in expected)
    assert first.queries - failed + second.queries <= queries + len(expected)  # a check may be asked twice


def test_a_classifier_that_never_answers_ends_the_run():
    def broken(batch):
        raise RuntimeError("out of order")

    problems = {}
    many = (AttackTask(n, np.random.default_rng(n).random((SIDE, SIDE, 3), dtype=np.float32)) for n in range(100))
    with pytest.raises(AttackInterrupted, match="out of order"):
        ATTACK.stream(CallableClassifier(broken), many, finished=lambda *_: None, on_problem=problems.__setitem__)
    assert not problems


def test_images_that_fail_at_the_end_are_their_own_trouble():
    def picky(batch):
        if (batch.mean(axis=(1, 2, 3)) < 0.25).any():
            raise ValueError("too dark")
        return predict(batch)

    images = [*PICTURES[:2], *[0.2 * image for image in PICTURES[:12]]]
    problems = {}
    given = (AttackTask(n, image) for n, image in enumerate(images))
    done = streamed(CallableClassifier(picky), given, on_problem=problems.__setitem__)
    assert sorted(done) == [0, 1]
    assert sorted(problems) == list(range(2, len(images)))


def test_a_classifier_that_dies_ends_the_run_with_what_was_found(tmp_path):
    def dying(batch):
        if classifier.queries > 200:
            raise RuntimeError("out of order")
        return predict(batch)

    classifier, problems, done = CallableClassifier(dying), {}, {}
    with pytest.raises(AttackInterrupted, match="out of order") as caught:
        ATTACK.stream(classifier, tasks(), finished=done.__setitem__, on_problem=problems.__setitem__)
    assert not problems
    assert caught.value.results
    assert all(result.queries > 1 for result in caught.value.results[:2])


def test_a_stop_waits_for_what_is_on_its_way_and_keeps_it(expected, tmp_path):
    def memory(index):
        return AnswerFile(tmp_path / f"{index}.bin", {})

    first = Concurrent(3, 0.05, {5: KeyboardInterrupt()})
    done = {}
    with pytest.raises(AttackStopped):
        ATTACK.stream(first, tasks(), finished=done.__setitem__, memory=memory)
    assert first.now == 0  # nothing is on its way any more
    second = Concurrent(1, 0)
    ATTACK.stream(second, [task for task in tasks() if task.index not in done], finished=done.__setitem__, memory=memory)
    for index, result in enumerate(expected):
        assert_same(done[index], result)
    assert first.queries - 24 + second.queries <= sum(result.queries for result in expected) + len(expected)


def test_bad_tasks_are_told_and_the_others_go_on():
    given = [
        AttackTask(0, PICTURES[0], 99),
        AttackTask(1, PICTURES[1] * 3),
        AttackTask(2, PICTURES[2], int(LABELS[2]), int(LABELS[2])),
        AttackTask(3, PICTURES[3][0, 0]),
        AttackTask(4, PICTURES[4], -2),
        AttackTask(5, PICTURES[5]),
    ]
    problems = {}
    done = streamed(CallableClassifier(predict), given, on_problem=problems.__setitem__)
    assert list(done) == [5]
    assert sorted(problems) == [0, 1, 2, 3, 4]
    assert all(isinstance(error, UsageError) and not isinstance(error, ClassifierError) for error in problems.values())


def test_the_goal_that_is_reached_at_once_is_a_finding_at_no_distance():
    done = streamed(CallableClassifier(predict), [AttackTask(0, PICTURES[0], None, int(LABELS[0]))])
    assert done[0].success
    assert (done[0].distance, done[0].queries) == (0, 1)


def test_what_follows_a_search_is_asked_in_the_same_batches_and_not_counted(expected):
    answers, done = {}, {}

    def follow(index, log):
        assert log.outcome().best is not None or log.queries == 59
        answers[index] = yield np.stack([log.image, 1 - log.image])

    ATTACK.stream(CallableClassifier(predict), tasks(), finished=done.__setitem__, follow=follow)
    for index, result in enumerate(expected):
        assert_same(done[index], result)
        np.testing.assert_allclose(answers[index], predict(np.stack([PICTURES[index], 1 - PICTURES[index]])), rtol=1e-5)


def test_numpy_leaves_the_processors_to_a_classifier_that_computes_elsewhere():
    from threadpoolctl import threadpool_info, threadpool_limits

    seen = []

    def predict(images):
        seen.append({pool["num_threads"] for pool in threadpool_info() if pool["internal_api"] == "openblas"})
        return np.stack([images.mean(axis=(1, 2, 3)), np.full(len(images), 0.9)], axis=1)

    images = np.full((1, 8, 8, 3), 0.3, dtype=np.float32)
    with threadpool_limits(limits=2, user_api="blas"):
        for concurrency, threads in ((1, {2}), (2, {1})):
            seen.clear()
            classifier = CallableClassifier(predict)
            classifier.concurrency = concurrency
            FeatureGuidedAttack(budget=20).run(classifier, images, [1])
            assert all(found == threads for found in seen[:1]), seen
        assert {pool["num_threads"] for pool in threadpool_info() if pool["internal_api"] == "openblas"} == {2}
