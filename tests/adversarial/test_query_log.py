"""The log of queries: what counts, what is kept, how ties and targets are told, and what parts do to the whole."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adversarial.distances import DISTANCES
from adversarial.query_log import BudgetSpent, QueryLog
from saywhy_core.errors import UsageError

IMAGE = np.zeros((2, 2, 1), dtype=np.float32)


def log(label=0, target=None, budget=10, distance="l0", kind="logits", **more):
    return QueryLog(IMAGE, label, target, distance=DISTANCES.get(distance), budget=budget, kind=kind, **more)


def images(*counts):
    """Images with so many pixels changed."""
    made = np.zeros((len(counts), 4), dtype=np.float32)
    for row, count in enumerate(counts):
        made[row, :count] = 1
    return made.reshape(-1, 2, 2, 1)


def test_only_what_the_budget_allows_is_asked():
    one = log(budget=3)
    asking = one.ask(images(1, 2, 3, 4))
    assert len(next(asking)) == 3
    with pytest.raises(StopIteration) as ended:
        asking.send(np.array([[1.0, 0.0]] * 3))
    assert ended.value.value.shape == (3, 1)
    assert (one.queries, one.left) == (3, 0)
    with pytest.raises(BudgetSpent):
        next(one.ask(images(1)))


def test_the_nearest_is_kept_with_the_query_that_found_it():
    one = log()
    one.take(images(0, 4, 2, 3), np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0], [0.0, 3.0]]))
    assert one.distance == 2
    np.testing.assert_array_equal(one.best, images(2)[0])
    np.testing.assert_array_equal(one.best_scores, [0.0, 2.0])
    np.testing.assert_array_equal(one.clean, [1.0, 0.0])
    assert one.points == [(2, 4.0), (3, 2.0)]
    assert one.trace().tolist() == [[2, 4], [3, 2], [4, 2]]
    one.count_check()
    assert one.trace().tolist() == [[2, 4], [3, 2], [5, 2]]


def test_a_log_that_found_nothing_has_one_row():
    one = log()
    assert one.trace().shape == (0, 2)
    one.take(images(0, 1), np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert one.trace().tolist() == [[2, math.inf]]


@pytest.mark.parametrize(
    ("target", "scores", "above"),
    [
        (None, [3.0, 1.0, 2.0], False), (None, [1.0, 3.0, 2.0], True), (None, [2.0, 2.0, 1.0], False),
        (2, [3.0, 1.0, 2.0], False), (2, [1.0, 2.0, 3.0], True), (2, [1.0, 3.0, 3.0], False), (1, [1.0, 3.0, 3.0], True),
    ],
)  # fmt: skip
def test_the_value_of_the_gaps_is_above_0_exactly_where_the_goal_is_reached(target, scores, above):
    """Ties go to the first class, as argmax breaks them."""
    one = log(target=target)
    rows = np.array([scores])
    assert bool(one.reached(rows)[0]) is above
    assert bool(one.value(one.gaps(rows))[0] > 0) is above


def test_probabilities_are_compared_by_their_logarithms():
    one = log(kind="probabilities")
    gaps = one.gaps(np.array([[0.8, 0.1, 0.1]]))
    np.testing.assert_allclose(gaps * one.unit, np.log(1 / 8), rtol=1e-3)


@pytest.mark.parametrize("power", [-1000, -40, 0, 40, 1000])
def test_gaps_are_the_same_whatever_the_unit_of_the_scores(power):
    """A power of two moves no digit, and what scores lie around says nothing."""
    rows = np.random.default_rng(0).normal(size=(5, 4))
    for target in (None, 2):
        one, other = log(target=target), log(target=target)
        first, second = one.gaps(rows), other.gaps(np.ldexp(rows, power))
        np.testing.assert_array_equal(first, second)
        assert other.unit == np.ldexp(one.unit, power)
        assert 16 <= np.abs(first).max() < 32
        pivot = 0 if target is None else target
        away = np.delete(rows, pivot, axis=1) - rows[:, [pivot]]
        np.testing.assert_allclose(first * one.unit * (1 if target is None else -1), away, atol=1e-3)


def test_scores_beyond_all_bounds_have_gaps_that_single_precision_can_square():
    one = log()
    with np.errstate(all="raise"):
        one.gaps(np.array([[3e-300, 1e-300, 2e-300]]))
        gaps = one.gaps(np.array([[-1.7e308, 1.7e308, 0.0], [1.7e308, -1.7e308, 0.0]]))
    assert np.isfinite(gaps.astype(np.float32) ** 2).all()
    assert one.value(gaps).tolist() == [gaps.max(), gaps[1].max()]
    assert (one.value(gaps) > 0).tolist() == [True, False]


def test_an_original_whose_scores_are_all_alike_leaves_the_unit_to_the_next_answer():
    one = log()
    start = one.gaps(np.zeros((1, 3)))
    assert -1e-9 < one.value(start)[0] < 0
    later = one.gaps(np.array([[0.0, 3e-30, -2e-30]]))
    assert 16 <= one.value(later)[0] < 32


def test_a_class_that_does_not_exist_is_named():
    with pytest.raises(UsageError, match="no class 7"):
        log(label=7).take(images(0), np.array([[1.0, 0.0]]))


def test_parts_count_for_the_whole_and_the_farthest_finding_is_the_result():
    one = log(budget=20, limit=19)
    flip, hold = [0.0, 1.0], [1.0, 0.0]
    one.take(images(0), np.array([hold]))
    near, far, none = (one.part(budget=5, limit=4) for _ in range(3))
    near.take(images(2), np.array([flip]))
    assert one.outcome() is one  # no search in a part is over
    near.over = True
    assert one.outcome() is near
    far.take(images(3, 4), np.array([flip, flip]))
    assert one.outcome() is near
    far.over = True
    none.take(images(1), np.array([hold]))
    assert (one.queries, one.left, far.left) == (5, 14, 2)
    assert one.outcome() is far
    assert one.trace().tolist() == [[5, 3]]
    none.over = True
    assert one.outcome() is none  # one that holds is more robust than all that flip
    assert math.isinf(one.trace()[-1, 1])


def test_parts_know_what_was_answered_about_the_original_and_an_image_seen_otherwise_is_the_result():
    one = log()
    one.take(images(0), np.array([[1.0, 0.0]]))
    part = one.part(budget=5, limit=4)
    assert (part.queries, one.queries) == (0, 1)
    np.testing.assert_array_equal(part.clean, [1.0, 0.0])
    misclassified = log()
    misclassified.take(images(0), np.array([[0.0, 1.0]]))
    assert misclassified.outcome() is misclassified
    assert misclassified.outcome().distance == 0


@pytest.mark.parametrize("distance", ["l0", "l1", "l2", "linf"])
def test_the_nearest_of_large_images_is_the_one_that_double_precision_finds(distance):
    rng = np.random.default_rng(11)
    image = rng.random((110, 110, 3)).astype(np.float32)
    changed = rng.random((40, 110, 110, 1)) < rng.random((40, 1, 1, 1)) * 0.2
    moves = rng.random((40, 1, 1, 1)) * (0.1 + rng.random((40, 110, 110, 3)))
    images = np.clip(image + changed * moves, 0, 1).astype(np.float32)
    images[30] = images[12]  # of equal ones the first counts
    measured_in = DISTANCES.get(distance)
    log = QueryLog(image, 0, None, distance=measured_in, budget=100, kind="logits")
    flips = rng.random(40) < 0.7
    trace, nearest = [], np.inf
    for number, one in enumerate(images):
        far = measured_in.between(image, one)
        if flips[number] and far < nearest:
            trace.append((number + 1, far))
            nearest = far
    for start in range(0, 40, 8):
        log.take(images[start : start + 8], np.stack([np.zeros(8), np.where(flips[start : start + 8], 1.0, -1.0)], axis=1))
    assert log.points == trace
    assert log.distance == nearest
