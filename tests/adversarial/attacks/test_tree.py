"""The search tree: transpositions, the elite, UCT with virtual loss, and what a restart keeps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversarial.attacks.tuning import STANDARD


@pytest.fixture
def small(linear):
    """Five grey pixels at 0.5, two classes besides the label; change 2 p + 1 makes pixel p white, 2 p black."""
    return linear(np.full((1, 5, 1), 0.5), [[4, 2, 1, 0, 0], [0, 0, 1, 2, 4]], [3.5, 4.5])


def test_a_set_is_one_node_whatever_the_order_and_costs_one_query(small):
    tree = small.tree
    small.run(tree.ask([()]))
    new = small.run(tree.ask([(1, 3), (1, 3), (5,)]))
    assert new.tolist() == [1, 2]
    assert small.run(tree.ask([(5,), (1, 3)])).tolist() == []
    assert small.log.queries == 3
    assert tree.node_of == {(): 0, (1, 3): 1, (5,): 2}
    # white raises a pixel by 0.5: 0.5 * (4 + 2) - 3.5 and 0 - 4.5; then 0.5 * 1 - 3.5 and 0.5 * 1 - 4.5
    np.testing.assert_allclose(np.sort(tree.gaps, axis=1) * small.log.unit, [[-4.5, -3.5], [-4.5, -0.5], [-4.0, -3.0]])
    np.testing.assert_allclose(tree.value * small.log.unit, [-3.5, -0.5, -3.0])
    assert tree.touched.tolist() == [1, 1, 1, 0, 0]


def test_sets_that_are_not_listed_do_not_grow_until_they_are(small):
    tree = small.tree
    small.run(tree.ask([()]))
    small.run(tree.ask([(1, 3, 5), (1,)], listed=False))
    assert tree.deepest == 0
    assert tree.of_size(3).tolist() == []
    small.run(tree.ask([(1, 3, 5)]))
    assert tree.of_size(3).tolist() == [1]
    assert tree.deepest == 3
    assert small.log.queries == 3


def test_best_is_the_smallest_adversarial_set_whenever_it_was_asked(small):
    tree = small.tree
    small.run(tree.ask([()]))
    assert tree.best is None
    assert tree.best_size == 0
    small.run(tree.ask([(1, 3, 5, 7)]))  # 0.5 * 7 - 3.5 = 0 is a tie, which argmax gives to the label
    assert tree.best is None
    small.weights *= 2
    small.run(tree.ask([(1, 3, 5, 9), (1, 3), (1, 3, 9)]))
    assert tree.sets[tree.best] == (1, 3)
    assert tree.best_size == 2


def test_asking_stops_at_the_budget(linear):
    small = linear(np.full((1, 5, 1), 0.5), [[1, 1, 1, 1, 1]], [9], budget=3)
    small.run(small.tree.ask([()]))
    assert small.run(small.tree.ask([(1,), (3,), (5,), (7,)])).tolist() == [1, 2]
    assert small.log.left == 0
    assert small.run(small.tree.ask([(1,), (3,)])).tolist() == []  # known sets cost nothing, even now


def plain_select(values, visits, count, exploration, scale):
    """UCT with virtual loss, leaf by leaf: each leaf handed out is a visit at once."""
    n = [1 + float(v) for v in visits]
    total = math.log(sum(n) + count)
    given = [0] * len(n)
    for _ in range(count):
        scores = [v / scale + exploration * math.sqrt(total / m) for v, m in zip(values, n, strict=True)]
        best = scores.index(max(scores))
        given[best] += 1
        n[best] += 1
    return given


@pytest.mark.parametrize("seed", range(20))
def test_select_is_uct_with_virtual_loss(linear, seed):
    rng = np.random.default_rng(seed)
    pixels = int(rng.integers(2, 12))
    toy = linear(np.full((1, pixels, 1), 0.5), rng.normal(size=(1, pixels)), [9])
    toy.run(toy.tree.ask([()]))
    nodes = toy.run(toy.tree.ask([(2 * p + 1,) for p in range(pixels)]))
    visits = rng.integers(0, 20, size=pixels)
    toy.tree.visit(nodes, visits)
    count, exploration, scale = int(rng.integers(1, 40)), float(rng.uniform(0.1, 2)), float(rng.uniform(0.1, 3))
    chosen = toy.tree.select(nodes, count, exploration, scale)
    assert chosen.tolist() == plain_select(toy.tree.value[nodes].tolist(), visits, count, exploration, scale)
    np.testing.assert_array_equal(toy.tree.visits[nodes], visits)  # selecting enters no visits: `visit` does


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-8, 8), st.integers(0, 30)), min_size=1, max_size=9), st.integers(1, 30), st.floats(0.1, 3)
)
def test_select_gives_all_leaves_and_more_to_the_better_of_two_alike(nodes, count, exploration):
    tree = FixedTree(nodes)
    given = tree.select(np.arange(len(nodes)), count, exploration, 1.0)
    assert given.sum() == count
    assert (given >= 0).all()
    for (value, visits), leaves in zip(nodes, given, strict=True):
        for (other, other_visits), other_leaves in zip(nodes, given, strict=True):
            if visits == other_visits and value > other:
                assert leaves >= other_leaves


def FixedTree(nodes):
    """A tree whose values and visit counts are given."""
    from adversarial.attacks.feature_guided.tree import Tree

    tree = Tree.__new__(Tree)
    tree.focus = None
    tree.sets = [(i,) for i in range(len(nodes))]
    tree._value = np.array([value for value, _ in nodes], dtype=np.float32)
    tree._visits = np.array([visits for _, visits in nodes], dtype=np.float32)
    return tree


def test_top_is_nearest_to_flipping_first(linear):
    rng = np.random.default_rng(3)
    toy = linear(np.full((1, 9, 1), 0.5), rng.normal(size=(1, 9)), [9])
    toy.run(toy.tree.ask([()]))
    toy.run(toy.tree.ask([(2 * p + 1,) for p in range(9)]))
    order = np.argsort(-toy.weights[0])  # white adds half the weight
    assert [toy.tree.sets[node][0] // 2 for node in toy.tree.top(1, 4)] == order[:4].tolist()
    assert toy.tree.top(2, 4).tolist() == []


def test_half_of_the_elite_goes_to_the_rivals_in_turn(linear):
    # class 1 leads everywhere; class 2 is nearest at pixel 8, class 3 at pixel 9
    weights = np.zeros((3, 10))
    weights[0] = np.arange(10, 0, -1)
    weights[1, 8], weights[2, 9] = 6, 6
    toy = linear(np.full((1, 10, 1), 0.5), weights, [20, 40, 40])
    toy.run(toy.tree.ask([()]))
    toy.run(toy.tree.ask([(2 * p + 1,) for p in range(10)]))
    rivals = np.array([1, 2])  # columns are in the order of the gaps at the start: classes 1, 2, 3
    chosen = [toy.tree.sets[node][0] // 2 for node in toy.tree.top(1, 4, rivals)]
    assert chosen == [0, 1, 8, 9]
    toy.tree.focus = 2
    assert toy.tree.sets[toy.tree.top(1, 4, rivals)[0]][0] // 2 == 9


def test_restart_keeps_answers_and_begins_at_single_changes(small):
    tree = small.tree
    small.run(tree.ask([()]))
    small.run(tree.ask([(1,), (9,)]))
    small.run(tree.ask([(1, 3), (7, 9)]))
    tree.visit(np.array([1, 2]), np.array([3, 4]))
    far = int(np.argmin(tree.gaps[0]))  # the column of class 2
    tree.restart(far)
    assert tree.of_size(2).tolist() == []
    assert tree.of_size(1).tolist() == [1, 2]
    assert not tree.visits.any()
    assert tree.sets[tree.top(1, 1)[0]] == (9,)  # pixel 4 does most for class 2
    before = small.log.queries
    assert small.run(tree.ask([(7, 9)])).tolist() == []
    assert small.log.queries == before
    assert tree.of_size(2).tolist() == [4]


def test_columns_are_the_nearest_classes(linear):
    classes = STANDARD.tree.columns + 20
    needs = np.random.default_rng(0).permutation(classes) + 1.0
    toy = linear(np.full((1, 2, 1), 0.5), np.zeros((classes, 2)), needs)
    toy.run(toy.tree.ask([()]))
    np.testing.assert_allclose(-toy.tree.gaps[0] * toy.log.unit, np.arange(1, STANDARD.tree.columns + 1))


def test_a_target_is_reached_when_every_gap_is_closed(linear):
    weights = [[4, 0, 0], [0, 4, 0]]
    toy = linear(np.full((1, 3, 1), 0.5), weights, [1.5, 1.0], target=1)
    toy.run(toy.tree.ask([()]))
    # class 1 is 1.5 behind the label and 0.5 behind class 2
    np.testing.assert_allclose(np.sort(toy.tree.gaps[0]) * toy.log.unit, [-1.5, -0.5])
    assert toy.tree.value[0] * toy.log.unit == pytest.approx(-1.5)
    toy.run(toy.tree.ask([(1,), (3,), (1, 3)]))
    assert [toy.tree.sets[node] for node in np.flatnonzero(toy.tree.value > 0)] == [(1,)]
    # with both pixels white, class 1 is at 0.5 and class 2 at 1.0
    assert toy.tree.value[toy.tree.node_of[(1, 3)]] * toy.log.unit == pytest.approx(-0.5)
