"""A classifier that several threads ask, and one that fails in the midst of its work."""

from __future__ import annotations

import itertools
import math
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from saywhy_core.classifiers import BudgetExceeded, CallableClassifier, EndpointError


def test_several_threads_count_exactly_and_never_pass_the_budget():
    asked = []
    number, together = itertools.count(), threading.Barrier(4)

    def predict(images):
        if next(number) < 80:  # of 120 calls: the model answers when four threads ask it at once
            together.wait(60)
        asked.append(len(images))  # appending is atomic
        return np.stack([images.mean(axis=(1, 2, 3)), np.zeros(len(images))], axis=1)

    classifier = CallableClassifier(predict, budget=300, batch_size=3)
    images = np.random.default_rng(0).random((400, 2, 2, 1), dtype=np.float32)

    def ask(start):
        try:
            return classifier(images[start : start + 10])
        except BudgetExceeded:
            return None

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(0, 400, 10)))
    assert classifier.queries == sum(asked) == 300
    assert sum(answer is not None for answer in answers) == 30
    for start, answer in zip(range(0, 400, 10), answers, strict=True):
        if answer is not None:
            np.testing.assert_allclose(answer[:, 0], images[start : start + 10].mean(axis=(1, 2, 3)), rtol=1e-6)


def test_what_was_answered_before_a_failure_is_remembered():
    def predict(images):
        if len(images) > 1:
            error = EndpointError("the endpoint went away")
            error.answered = {1: [0.25, 0.75], 3: [0.5, 0.5]}
            raise error
        return [[1.0, 0.0]]

    classifier = CallableClassifier(predict, "probabilities")
    images = np.random.default_rng(0).random((4, 2, 2, 1), dtype=np.float32)
    with pytest.raises(EndpointError, match=r"^the endpoint went away$"):
        classifier(images)
    kept = classifier.remembered(images)
    assert kept[0] is None
    assert kept[2] is None
    assert kept[1].tolist() == [0.25, 0.75]
    assert kept[3].tolist() == [0.5, 0.5]
    assert classifier(images[1:2]).tolist() == [[0.25, 0.75]]
    assert classifier.queries == 4


def test_a_classifier_can_be_pickled():
    classifier = CallableClassifier(math.fsum)
    assert pickle.loads(pickle.dumps(classifier)).remembered(np.zeros((1, 1, 1, 1))) == [None]
