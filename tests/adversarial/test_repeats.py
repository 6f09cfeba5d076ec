"""On a grid, different questions can be the same image: it is asked once."""

from __future__ import annotations

import numpy as np
import pytest

from adversarial import CallableClassifier, FeatureGuidedAttack
from adversarial.distances.distance import DISTANCES
from adversarial.query_log import BudgetSpent, QueryLog

IMAGE = np.full((4, 4, 1), 100 / 255, dtype=np.float32)


def make_log(levels=256, budget=20):
    return QueryLog(IMAGE, 0, None, distance=DISTANCES.get("l2"), budget=budget, kind="logits", levels=levels)


def drive(search, asked):
    """The classes' scores are 0 and the mean's rise above 120 / 255."""
    try:
        images = next(search)
        while True:
            asked.append(images.copy())
            means = images.astype(np.float64).mean(axis=(1, 2, 3))
            images = search.send(np.stack([np.zeros(len(images)), means - 120 / 255], axis=1))
    except StopIteration as end:
        return end.value


def moved(*levels):
    return np.stack([IMAGE + level / 255 for level in levels]).astype(np.float32)


def test_what_rounds_to_an_image_asked_before_costs_no_query():
    log, asked = make_log(), []
    first = drive(log.ask(moved(0, 3, 7)), asked)
    again = drive(log.ask(moved(7.2, 5, 2.8, 5.3)), asked)
    np.testing.assert_array_equal(again[[0, 2]], first[[2, 1]])
    np.testing.assert_array_equal(again[1], again[3])
    assert [len(images) for images in asked] == [3, 1]
    assert log.queries == 4


def test_the_nearest_flip_and_its_query_are_told_where_repeats_come_between():
    log, asked = make_log(), []
    drive(log.ask(moved(0, 40)), asked)
    drive(log.ask(moved(40, 40.1, 30)), asked)
    assert log.points == [(2, pytest.approx(4 * 40 / 255)), (3, pytest.approx(4 * 30 / 255))]
    np.testing.assert_allclose(log.best, IMAGE + 30 / 255, atol=1e-6)


def test_the_budget_ends_before_the_first_new_image_that_it_has_no_query_for():
    log, asked = make_log(budget=3), []
    drive(log.ask(moved(0, 1)), asked)
    assert len(drive(log.ask(moved(1, 2, 1, 3, 1)), asked)) == 3
    assert len(drive(log.ask(moved(0, 1, 2)), asked)) == 3  # from memory, with nothing left
    with pytest.raises(BudgetSpent):
        drive(log.ask(moved(4)), asked)


def test_a_search_that_asks_nothing_new_any_more_ends():
    log, asked = make_log(), []
    with pytest.raises(BudgetSpent):
        for _ in range(10_000):
            drive(log.ask(moved(0, 1, 2)), asked)
    assert log.queries == 3


def test_without_a_grid_every_image_is_asked():
    log, asked = make_log(levels=None), []
    for _ in range(2):
        drive(log.ask(moved(0, 1)), asked)
    assert log.queries == 4


@pytest.mark.parametrize("distance", ["l0", "l1", "l2", "linf"])
@pytest.mark.parametrize("side", [6, 130])  # the larger one is searched in blocks
def test_no_search_asks_twice(distance, side):
    rng = np.random.default_rng(1)
    image = np.rint(255 * rng.random((side, side, 3))).astype(np.float32) / np.float32(255)
    weights = rng.normal(size=image.size) / side
    weights += np.repeat(rng.normal(size=side), side * 3) / side
    need = (image.ravel() @ weights) + 0.1 * np.abs(weights).sum() * (0.01 if distance == "linf" else 0.1)

    def predict(images):
        return np.stack([np.zeros(len(images)), images.reshape(len(images), -1) @ weights - need], axis=1)

    classifier = CallableClassifier(predict)  # it remembers its answers, so that it counts different images only
    (result,) = FeatureGuidedAttack(distance=distance, budget=150).run(classifier, image[None], [0])
    assert result.queries == classifier.queries
