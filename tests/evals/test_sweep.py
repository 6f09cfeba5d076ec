"""Accuracy by the number of candidates, against one evaluation for each."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from agents import DifferentialClassifier, PairDescriptions, UsageError, class_vectors
from agents.prompting import Contrast
from evals.prompts import compare, evaluate_pairs, evaluate_prompts, k_sweep, sweep_text, usual_ks

NAMES = [f"class {index}" for index in range(8)]
PAIRS = PairDescriptions(
    {
        (i, j): [Contrast("look", (f"{NAMES[i]} unlike {j}", f"{NAMES[j]} unlike {i}"))]
        for i, j in itertools.combinations(range(8), 2)
        if (i + j) % 5
    }
)


class Hashed:
    """Every text lies near its class."""

    def encode_texts(self, texts):
        rows = np.array([np.random.default_rng(list(text.encode())).normal(0, 0.4, size=8) for text in texts])
        rows[np.arange(len(texts)), [int(text.split("class ")[1][0]) for text in texts]] += 1
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


LABELS = np.arange(64) % 8
IMAGES = (np.eye(8)[LABELS] + np.random.default_rng(0).normal(0, 0.6, size=(64, 8))).astype(np.float32)


@pytest.mark.parametrize("options", [{}, {"aggregate": "votes"}, {"first": "name", "mix": 0.5}, {"template": "my {}"}])
def test_each_point_is_an_evaluation(options):
    sweep = k_sweep(Hashed(), NAMES, PAIRS, IMAGES, LABELS, **options)
    assert [one.k for one in sweep.points] == usual_ks(8) == [1, 2, 3, 5, 7, 8]
    for point in sweep.points:
        result = DifferentialClassifier(Hashed(), NAMES, PAIRS, k=point.k, **options).predict_embedded(IMAGES)
        alone = compare(result.first, result.final, LABELS, NAMES)
        assert point.accuracy == alone.after
        assert (point.fixed, point.broken, point.p) == (len(alone.fixed), len(alone.broken), alone.p)
        assert point.reachable == np.mean([label in row for label, row in zip(LABELS, result.candidates, strict=True)])
        assert point.p <= point.adjusted <= 1
    assert sweep.points[0].fixed == sweep.points[0].broken == 0
    assert sweep.points[-1].reachable == 1


def test_texts_are_encoded_once_for_all_points():
    asked = []

    class Counted(Hashed):
        def encode_texts(self, texts):
            asked.extend(texts)
            return super().encode_texts(texts)

    k_sweep(Counted(), NAMES, PAIRS, IMAGES, LABELS, ks=[2, 4, 8])
    assert len(asked) == len(set(asked))


def test_the_report_has_the_sweep_and_the_captions_averaged():
    report = evaluate_pairs(Hashed(), NAMES, PAIRS, IMAGES, LABELS, k=3, draws=0, ks=[2, 3])
    assert report.sweep == k_sweep(Hashed(), NAMES, PAIRS, IMAGES, LABELS, ks=[2, 3])
    assert report.sweep.points[1].accuracy == report.comparison.after
    vectors = class_vectors(Hashed(), list(PAIRS.by_class(NAMES).values()))
    expected = ((IMAGES / np.linalg.norm(IMAGES, axis=1, keepdims=True)) @ vectors.T).argmax(axis=1) == LABELS
    assert report.averaged.accuracies == (expected.mean(),)
    assert "averaged over all pairs" in report.verdict
    assert sweep_text(report.sweep).count("\n") == 3


def test_confusions_are_counted_by_hand():
    before, after, labels = np.array([1, 1, 0, 2, 2]), np.array([0, 1, 0, 1, 2]), np.array([0, 0, 0, 1, 2])
    found = compare(before, after, labels, ["a", "b", "c"]).confused
    assert [(one.true, one.decided, one.before, one.after) for one in found] == [("a", "b", 2, 1), ("b", "c", 1, 0)]


@pytest.mark.parametrize(("ks", "says"), [([0], "from 1 to 8"), ([9], "from 1 to 8")])
def test_ks_beyond_the_classes_are_refused(ks, says):
    with pytest.raises(UsageError, match=says):
        k_sweep(Hashed(), NAMES, PAIRS, IMAGES, LABELS, ks=ks)
    with pytest.raises(UsageError, match=says):
        evaluate_pairs(Hashed(), NAMES, PAIRS, IMAGES, LABELS, ks=ks)


def test_no_images_are_refused():
    with pytest.raises(UsageError, match="at least one image"):
        k_sweep(Hashed(), NAMES, PAIRS, IMAGES[:0], LABELS[:0])
    with pytest.raises(UsageError, match="no images"):
        evaluate_pairs(Hashed(), NAMES, PAIRS, IMAGES[:0], LABELS[:0])


def test_many_classes_stop_at_fifty():
    assert usual_ks(1) == [1]
    assert usual_ks(37)[-2:] == [30, 37]
    assert usual_ks(1000)[-1] == 50


@pytest.mark.parametrize(("draws", "ks", "total"), [(0, (), 2), (0, (1, 2), 3), (1, (), 8), (3, (1, 2), 15)])
def test_the_progress_of_an_evaluation_ends_at_its_total(draws, ks, total):
    told = []
    evaluate_pairs(
        Hashed(), NAMES, PAIRS, IMAGES, LABELS, k=3, ks=ks, draws=draws, neutral="class 0",
        on_progress=lambda done, of: told.append((done, of)),
    )  # fmt: skip
    assert told == [(done, total) for done in range(1, total + 1)]


@pytest.mark.parametrize(("draws", "total"), [(0, 2), (1, 8), (5, 20)])
def test_the_progress_of_an_evaluation_of_prompts_ends_at_its_total(draws, total):
    told = []
    prompts = {name: [f"{name} with stripes"] for name in NAMES}
    evaluate_prompts(
        Hashed(), NAMES, prompts, IMAGES, LABELS, draws=draws, neutral="class 0", on_progress=lambda *now: told.append(now)
    )
    assert told == [(done, total) for done in range(1, total + 1)]
