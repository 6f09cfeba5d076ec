"""The black box: counting, memory, budget, and answers that can't be right."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from adversarial import BudgetExceeded, CallableClassifier, ClassifierError
from saywhy_core.classifiers import as_probabilities, comparable, same_answer
from saywhy_core.errors import UsageError


def images(count, seed=0, shape=(4, 5, 3)):
    return np.random.default_rng(seed).random((count, *shape), dtype=np.float32)


class Sums:
    """Two scores: the image's sum, and its negative; it remembers what it was asked."""

    def __init__(self):
        self.sizes = []

    def __call__(self, batch):
        assert batch.dtype == np.float32
        assert batch.flags.c_contiguous
        self.sizes.append(len(batch))
        total = batch.sum(axis=(1, 2, 3))
        return np.stack([total, -total], axis=1)


def test_counts_and_never_pays_twice():
    predict = Sums()
    classifier = CallableClassifier(predict)
    batch = images(5)
    first = classifier(batch)
    np.testing.assert_allclose(first[:, 0], batch.reshape(5, -1).sum(axis=1), rtol=1e-6)
    mixed = np.concatenate([batch[3:], images(1, seed=1), batch[:1], images(1, seed=1)])
    np.testing.assert_array_equal(classifier(mixed)[[0, 1, 3]], first[[3, 4, 0]])
    assert predict.sizes == [5, 1]
    assert classifier.queries == 6
    classifier.ask_again(batch[:2])
    assert classifier.queries == 8


def test_same_bytes_in_another_shape_are_another_image():
    classifier = CallableClassifier(lambda batch: np.full((len(batch), 2), batch.shape[1], dtype=float))
    flat = np.zeros((1, 2, 6, 1), dtype=np.float32)
    assert classifier(flat)[0, 0] == 2
    assert classifier(flat.reshape(1, 6, 2, 1))[0, 0] == 6


def test_budget_is_never_exceeded_and_remembered_images_are_free():
    predict = Sums()
    classifier = CallableClassifier(predict, budget=3)
    classifier(images(3))
    classifier(images(3))
    with pytest.raises(BudgetExceeded, match="3 queries"):
        classifier(images(1, seed=9))
    assert sum(predict.sizes) == classifier.queries == 3


def test_true_is_no_number_of_images():
    for wrong in ({"batch_size": True}, {"image_shape": (True, 4, 3)}):
        with pytest.raises(UsageError, match="must be"):
            CallableClassifier(lambda images: images, **wrong)


def test_batch_size_is_kept():
    predict = Sums()
    CallableClassifier(predict, batch_size=2)(images(5))
    assert predict.sizes == [2, 2, 1]


@pytest.mark.parametrize(
    ("predict", "words"),
    [
        (lambda batch: np.full((len(batch), 3), np.nan), "not finite"),
        (lambda batch: np.zeros((len(batch) + 1, 3)), "one row per image"),
        (lambda batch: np.zeros(len(batch)), "one row per image"),
        (lambda batch: np.zeros((len(batch), 1)), "at least two columns"),
        (lambda batch: [["a", "b"]] * len(batch), "no array of numbers"),
        (lambda batch: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_wrong_answers_are_told(predict, words):
    with pytest.raises(ClassifierError, match=words):
        CallableClassifier(predict)(images(2))


def test_number_of_classes_may_not_change():
    widths = iter([3, 4])
    classifier = CallableClassifier(lambda batch: np.zeros((len(batch), next(widths))))
    classifier(images(1))
    with pytest.raises(ClassifierError, match="4 scores"):
        classifier(images(1, seed=1))
    with pytest.raises(ClassifierError, match="3 scores per image but has 2 names"):
        CallableClassifier(lambda batch: np.zeros((len(batch), 3)), class_names=["a", "b"])(images(1))


def test_probabilities_are_checked_and_compared_as_logarithms():
    with pytest.raises(ClassifierError, match="no probabilities"):
        CallableClassifier(lambda batch: np.full((len(batch), 2), 3.0), "probabilities")(images(1))
    logs = comparable(np.array([[0.5, 0.25, 0.25, 0.0]]), "probabilities")
    np.testing.assert_allclose(logs[0, 0] - logs[0, 1], np.log(2))
    assert np.isfinite(logs).all()


@pytest.mark.parametrize("bad", [np.zeros((2, 4, 4)), np.full((1, 2, 2, 1), 1.5), np.full((1, 2, 2, 1), np.nan), np.zeros((1, 2, 2, 1), dtype=complex), np.full((1, 2, 2, 1), 200)])  # fmt: skip
def test_images_must_be_floats_in_range(bad):
    predict = Sums()
    with pytest.raises(UsageError, match="images must"):
        CallableClassifier(predict)(bad)
    assert predict.sizes == []


def test_arguments_are_checked():
    with pytest.raises(UsageError, match="one of 'logits', 'probabilities', 'sigmoid', 'top-k', 'label'"):
        CallableClassifier(Sums(), "scores")
    with pytest.raises(UsageError, match="needs a function"):
        CallableClassifier("model.onnx")


def test_same_answer_allows_rounding_and_no_more():
    scores = np.array([3.0, -5.0, 1.0])
    assert same_answer(scores, scores * (1 + 1e-6))
    assert not same_answer(scores, scores[::-1])


def test_a_function_that_changes_its_input_spoils_nothing():
    def predict(batch):
        batch -= 0.5  # as a function that normalises in place does
        total = batch.sum(axis=(1, 2, 3))
        batch[:] = 7
        return np.stack([total, -total], axis=1)

    classifier = CallableClassifier(predict)
    batch = images(3)
    kept = batch.copy()
    first = classifier(batch)
    np.testing.assert_array_equal(batch, kept)
    np.testing.assert_allclose(first[:, 0], (kept - 0.5).reshape(3, -1).sum(axis=1), atol=1e-4)
    np.testing.assert_array_equal(classifier.ask_again(batch), first)
    np.testing.assert_array_equal(batch, kept)


def test_a_function_that_reuses_its_output_spoils_nothing():
    buffer = np.zeros((1, 2))

    def predict(batch):
        buffer[:, 0] = batch.sum()
        return buffer

    classifier = CallableClassifier(predict)
    low, high = np.zeros((1, 2, 2, 1), np.float32), np.ones((1, 2, 2, 1), np.float32)
    first = classifier(low)
    classifier(high)
    assert first[0, 0] == classifier(low)[0, 0] == 0
    assert classifier(high)[0, 0] == 4


def test_images_of_another_shape_are_refused_before_they_are_counted():
    predict = Sums()
    classifier = CallableClassifier(predict, image_shape=(4, None, 3))
    assert classifier.image_shape == (4, None, 3)
    classifier(images(1, shape=(4, 9, 3)))
    for shape in ((5, 9, 3), (4, 9, 1)):
        for ask in (classifier, classifier.ask_again):
            with pytest.raises(ClassifierError, match=r"takes images of 4 by any by 3 \(height, width, channels\)"):
                ask(images(1, shape=shape))
    assert classifier.queries == sum(predict.sizes) == 1
    assert CallableClassifier(predict).image_shape == (None, None, None)
    for wrong in ((4, 5), (0, 5, 3), (4.5, 5, 3), 7, "abc"):
        with pytest.raises(UsageError, match="image_shape must be"):
            CallableClassifier(predict, image_shape=wrong)


def test_probabilities_are_the_softmax_of_logits():
    logits = np.array([[0.0, np.log(3.0)], [900.0, 900.0 + np.log(4.0)]])
    classifier = CallableClassifier(lambda batch: logits[: len(batch)])
    np.testing.assert_allclose(classifier.probabilities(images(2)), [[0.25, 0.75], [0.2, 0.8]])
    given = np.array([[0.3, 0.7]])
    np.testing.assert_array_equal(as_probabilities(given, "probabilities"), given)
    np.testing.assert_allclose(as_probabilities(np.zeros((2, 4)), "logits"), 0.25)


@pytest.mark.parametrize("classes", [2, 100])
def test_what_is_remembered_takes_the_memory_that_it_may_and_no_more(classes):
    weights = np.random.default_rng(0).random((12, classes))
    classifier = CallableClassifier(lambda images: images.reshape(len(images), -1) @ weights)
    classifier.memory = 1_000_000
    images = np.random.default_rng(1).random((6000, 2, 2, 3), dtype=np.float32)
    classifier(images[:64])
    tracemalloc.start()
    try:
        for start in range(64, len(images), 64):
            classifier(images[start : start + 64])
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.5e6 < held < 1.1e6
    asked = classifier.queries
    classifier(images[-64:])
    assert classifier.queries == asked
