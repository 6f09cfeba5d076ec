"""The peers of the attacks: each flips a classifier that it must be able to flip, and their recorder counts."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from benchmarks.peers.brusle import brusle
from benchmarks.peers.cgba import cgba
from benchmarks.peers.rays import rays
from benchmarks.peers.recorder import BudgetSpent, Recorder
from benchmarks.peers.sparse_evo import sparse_evo
from benchmarks.peers.sparse_rs import sparse_rs
from benchmarks.peers.sparse_rs_warm import sparse_rs_warm
from benchmarks.peers.square import square
from benchmarks.peers.surfree import surfree

SHAPE = (9, 7, 3)
PEERS = {
    "sparse_rs": (sparse_rs, "l0"),
    "sparse_rs_warm": (sparse_rs_warm, "l0"),
    "brusle": (brusle, "l0"),
    "sparse_evo": (sparse_evo, "l0"),
    "square l2": (partial(square, norm="l2"), "l2"),
    "surfree": (surfree, "l2"),
    "cgba": (cgba, "l2"),
    "square linf": (partial(square, norm="linf"), "linf"),
    "rays": (rays, "linf"),
}


def linear(need=3.0, seed=0):
    """Class 1 where a weighted sum of the values has risen by `need` above that of the grey image; and its weights."""
    weights = np.random.default_rng(seed).normal(size=SHAPE) + 0.3

    def predict(images):
        rise = ((images.astype(np.float64) - 0.5) * weights).sum(axis=(1, 2, 3))
        return np.stack([np.zeros(len(images)), rise - need, np.full(len(images), -50.0)], axis=1)

    return predict, weights


def recorded(norm, budget, target=None, need=3.0):
    predict, weights = linear(need)
    return Recorder(predict, np.full(SHAPE, 0.5, dtype=np.float32), 0, target, budget, norm), weights


def nearest(weights, norm, need=3.0):
    """The smallest distance that flips the linear classifier, worked out by hand."""
    if norm == "l2":
        return need / np.linalg.norm(weights)
    if norm == "linf":
        return need / np.abs(weights).sum()
    gains = np.sort(0.5 * np.abs(weights).sum(axis=-1).ravel())[::-1]
    return int(np.searchsorted(np.cumsum(gains), need)) + 1


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_comes_near_the_smallest_change(name):
    peer, norm = PEERS[name]
    record, weights = recorded(norm, 600)
    peer(record, 0)
    least = nearest(weights, norm)
    assert least <= record.distance + 1e-6
    assert record.distance <= (least + 3 if norm == "l0" else 3 * least), (record.distance, least)


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("budget", [1, 30])
def test_a_peer_keeps_to_its_budget_and_is_credited_with_what_it_asked(name, budget):
    peer, norm = PEERS[name]
    record, _ = recorded(norm, budget)
    peer(record, 1)
    assert record.queries <= budget
    assert (record.best is None) == np.isinf(record.distance)
    if record.best is not None:
        assert record.predict(record.best[None])[0].argmax() != 0
        assert record.trace[-1, 1] == record.distance
        assert (np.diff(record.trace, axis=0) * [1, -1] > 0).all()


@pytest.mark.parametrize("name", [name for name in PEERS if not name.startswith(("sparse_evo",))])
def test_a_peer_goes_to_its_target_and_is_the_same_for_a_seed(name):
    peer, norm = PEERS[name]
    ends = []
    for _ in range(2):
        record, _ = recorded(norm, 300, target=1)
        peer(record, 5)
        ends.append(record.distance)
        assert record.predict(record.best[None])[0].argmax() == 1
    assert ends[0] == ends[1]


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 3), (6, 4, 1), (5, 8, 3)])
@pytest.mark.parametrize("name", PEERS)
def test_a_peer_takes_small_and_long_images(name, shape):
    peer, norm = PEERS[name]

    def predict(images):
        brightest = images.reshape(len(images), -1).max(axis=1)
        return np.stack([0.6 - brightest, brightest - 0.6], axis=1)

    record = Recorder(predict, np.full(shape, 0.3, dtype=np.float32), 0, None, 120, norm)
    peer(record, 0)
    assert np.isfinite(record.distance)


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_ends_where_nothing_flips(name):
    peer, norm = PEERS[name]
    record = Recorder(lambda images: np.tile([1.0, 0.0], (len(images), 1)), np.full(SHAPE, 0.5, np.float32), 0, None, 80, norm)
    peer(record, 0)
    assert record.distance == np.inf
    assert record.best is None


def test_the_recorder_counts_images_and_keeps_the_nearest():
    record = Recorder(
        lambda images: images[:, 0, 0, :1] * [[-1.0, 1.0]] + [0.0, -0.5], np.zeros((2, 2, 1), np.float32), 0, None, 5, "l0"
    )
    near, far = np.zeros((2, 2, 1), np.float32), np.ones((2, 2, 1), np.float32)
    near[0, 0] = 1
    record(np.stack([np.zeros_like(near), far, near]))
    assert (record.queries, record.distance) == (3, 1)
    assert record.trace.tolist() == [[2, 4], [3, 1]]
    with pytest.raises(BudgetSpent):
        record(np.stack([far] * 3))  # two are asked about, and then the budget is spent
    assert record.queries == 5
    with pytest.raises(BudgetSpent):
        record(far[None])
