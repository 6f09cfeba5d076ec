"""Leaving out what is not needed, and going back along the line to the original."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from adversarial.attacks.feature_guided.shrink import drop_singly, drops, towards_original


def best_moves(toy, count):
    """The changes that do most towards class 1, of the `count` best pixels."""
    gains = toy.gains()[:, 0].reshape(-1, toy.moves.count)
    pixels = np.argsort(-gains.max(axis=1))[:count]
    return tuple(sorted((pixels * toy.moves.count + gains[pixels].argmax(axis=1)).tolist()))


@pytest.mark.parametrize("seed", range(6))
def test_dropping_ends_at_a_set_that_needs_each_of_its_changes(two_classes, seed):
    toy = two_classes(6, 4, seed)
    toy.run(toy.tree.ask([()]))
    start = best_moves(toy, 12)
    toy.run(toy.tree.ask([start]))
    effects = toy.effects(observed=False)
    toy.run(drop_singly(toy.tree, effects))
    found = toy.tree.sets[toy.tree.best]
    assert set(found) < set(start)
    assert toy.flips(found)
    assert not any(toy.flips(smaller) for smaller in itertools.combinations(found, len(found) - 1))
    # what leaving a change out costs, it does: the classifier is linear
    np.testing.assert_allclose(effects.observed()[:, 0] * toy.log.unit, toy.gains()[effects.seen, 0], atol=2e-3)


def test_dropping_finds_the_minimum_where_the_surplus_does_nothing(linear):
    """Three pixels matter, and all three are needed; brute force says that no two are enough."""
    weights = np.zeros((1, 25))
    weights[0, [3, 11, 20]] = 4.0
    toy = linear(np.full((5, 5, 1), 0.5), weights, [5.0])
    toy.run(toy.tree.ask([()]))
    start = tuple(2 * pixel + 1 for pixel in range(25) if pixel % 3 != 1)
    toy.run(toy.tree.ask([start]))
    toy.run(drop_singly(toy.tree, toy.effects(observed=False)))
    assert toy.tree.sets[toy.tree.best] == (7, 23, 41)
    assert not any(toy.flips(pair) for pair in itertools.combinations(start, 2))


def test_drops_asks_at_most_so_many_and_returns_what_is_known(two_classes):
    toy = two_classes(5, 6)
    toy.run(toy.tree.ask([()]))
    node = toy.run(toy.tree.ask([(1, 3, 5, 7)]))
    known = toy.run(toy.tree.ask([(1, 3, 5)], listed=False))
    before = toy.log.queries
    nodes = toy.run(drops(toy.tree, node, 2))
    assert toy.log.queries == before + 2
    assert {toy.tree.sets[n] for n in nodes} == {(3, 5, 7), (1, 5, 7), (1, 3, 5)}
    assert known[0] in nodes


@pytest.mark.parametrize("fraction", [0.03, 0.4, 0.77, 0.999])
def test_the_line_back_is_followed_to_the_boundary(linear, fraction):
    """On a linear classifier the boundary crosses the line at a known place; it is found to 1/512 of the line."""
    image = np.full((4, 4, 1), 0.25)
    weights = np.random.default_rng(0).random((1, 16)) + 0.1
    toy = linear(image, weights, [fraction * 0.75 * weights.sum()], distance="l2")
    toy.run(toy.log.ask(toy.image[None]))
    toy.run(toy.log.ask(np.ones((1, 4, 4, 1), dtype=np.float32)))
    far = toy.log.distance
    assert far == pytest.approx(0.75 * 4)
    toy.run(towards_original(toy.log))
    assert fraction * far < toy.log.distance <= (fraction + 1 / 512) * far + 1e-6
    assert toy.log.queries == 2 + 3 * 8


def test_without_a_finding_the_line_costs_nothing(two_classes):
    toy = two_classes(4, 3)
    assert toy.run(towards_original(toy.log)) is None
    assert toy.log.queries == 0
