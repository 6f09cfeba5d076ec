"""The search along waves: its basis, its model, and the distances it finds where the nearest flip is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from adversarial import CallableClassifier, FeatureGuidedAttack
from adversarial.attacks import wave_basis
from adversarial.attacks.wave_basis import borrow, give_back, longer
from adversarial.attacks.waves import Waves, WaveSearch, projection
from adversarial.distances.distance import DISTANCES
from adversarial.query_log import QueryLog
from saywhy import signs


@pytest.mark.parametrize("shape", [(8, 8, 1), (5, 7, 3), (1, 6, 2)])
def test_waves_are_an_orthogonal_basis_of_the_stated_length(shape):
    size = int(np.prod(shape))
    waves = Waves(shape, 0.37, 10_000_000).take(max(8, size))[:size]
    np.testing.assert_allclose(waves @ waves.T, 0.37**2 * np.eye(size), atol=1e-12)


def test_low_frequencies_come_first_in_every_channel():
    waves = Waves((6, 6, 3), 1.0, 10_000_000).take(9).reshape(9, 6, 6, 3)
    for channel in range(3):  # the first ones are flat, one in each channel
        assert np.ptp(waves[channel, :, :, channel]) < 1e-12
        assert not np.delete(waves[channel], channel, axis=-1).any()
    sign_changes = [(np.diff(np.sign(wave.sum(axis=-1)), axis=0) != 0).sum() for wave in waves]
    assert sign_changes[3:9] == [0, 0, 0, 6, 6, 6] or sign_changes[3:9] == [6, 6, 6, 0, 0, 0]


@pytest.mark.parametrize("shape", [(5, 4, 3), (6, 6, 1), (4, 7, 2), (33, 9, 3)])
def test_images_around_a_move_are_those_with_the_whole_waves_added(shape):
    rng = np.random.default_rng(1)
    size, image = int(np.prod(shape)), rng.random(shape)
    image[:2] = np.round(image[:2])  # at the edge of the colour cube
    low, high = -image.ravel(), 1 - image.ravel()
    here = rng.normal(size=size) * 0.1  # partly outside
    for count in (1, 2, 7, 40):
        dense, sparse = Waves(shape, 0.8, 10_000_000), Waves(shape, 0.8, 10_000_000)
        dense.take(5), sparse.take(5)
        signs = rng.choice([-1.0, 1.0], size=count)
        points = np.clip(dense.take(count) * signs[:, None] + here, low, high)
        images, moves = sparse.next(count).around(here, signs, low, high, image)
        np.testing.assert_array_equal(moves, points - here)
        np.testing.assert_array_equal(images, np.clip(points.reshape(-1, *shape) + image, 0, 1).astype(np.float32))


def test_a_move_is_longer_or_not_to_the_last_digit():
    moves = np.array([[3.0, 4.0], [0.0, 5.0], [3.0, 4.0 + 1e-12], [0.0, 0.0], [6.0, 8.0]])
    np.testing.assert_array_equal(longer(moves, 5.0), [False, False, True, False, True])


def test_space_that_was_given_back_is_used_again_and_no_other(monkeypatch):
    monkeypatch.setattr(wave_basis, "_given_back", {})  # whatever earlier searches left
    first, second = borrow(20, 7), borrow(20, 7)
    assert first[0] is not second[0]
    assert first[0].shape == first[1].shape == (32, 7)
    give_back(first)
    assert borrow(17, 7)[1] is first[1]
    assert borrow(17, 7)[1] is not second[1]
    assert borrow(17, 8)[1].shape == (32, 8)


def test_waves_come_again_after_the_last_one():
    waves = Waves((4, 4, 1), 1.0, room=16 * 9)
    first = waves.take(9)
    np.testing.assert_array_equal(waves.take(9), first)


def test_masked_waves_keep_their_length_and_stay_inside():
    allowed = (np.arange(36) % 6 < 2).astype(np.float32)
    waves = Waves((6, 6, 1), 0.5, 10_000_000, allowed).take(12)
    assert not waves[:, allowed == 0].any()
    np.testing.assert_allclose(np.linalg.norm(waves, axis=1), 0.5)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(12, 30), st.integers(1, 4), st.integers(0, 1000))
def test_the_correction_reproduces_the_answers_and_is_the_smallest(count, size, gaps, seed):
    rng = np.random.default_rng(seed)
    moves, wrong = rng.normal(size=(count, size)), rng.normal(size=(count, gaps))
    correction = projection(moves, wrong, 0.0)
    np.testing.assert_allclose(moves @ correction, wrong, atol=1e-5)
    smallest = np.linalg.lstsq(moves, wrong, rcond=None)[0]  # of all solutions, the one of least norm
    np.testing.assert_allclose(correction, smallest, atol=1e-5)


def test_a_ridge_gives_in_where_answers_contradict_each_other():
    moves = np.array([[1.0, 0.0], [1.0, 0.0]])
    np.testing.assert_allclose(projection(moves, np.array([[1.0], [3.0]]), 1e-3), [[2.0], [0.0]], atol=2e-3)


def shortest(weights, need, low, high, distance):
    """The least distance in the box at which a linear function has risen by `need`, by linear programming or in closed form."""
    size = len(weights)
    if distance == "l2":
        return need / np.linalg.norm(weights)  # where the box does not bind
    ends = [(0, end) for end in high] + [(0, -end) for end in low]
    slopes = np.concatenate([weights, -weights])  # a move is its upward part less its downward part
    if distance == "l1":
        return linprog(np.ones(2 * size), A_ub=-slopes[None], b_ub=[-need], bounds=ends).fun
    over = np.hstack([np.eye(2 * size), -np.ones((2 * size, 1))])
    rises = np.append(-slopes, 0.0)[None]
    return linprog(
        np.append(np.zeros(2 * size), 1.0), A_ub=np.vstack([over, rises]), b_ub=[*np.zeros(2 * size), -need],
        bounds=[*ends, (0, 1)],
    ).fun  # fmt: skip


@pytest.mark.parametrize("distance", ["l1", "l2", "linf"])
@pytest.mark.parametrize("seed", range(3))
def test_the_distance_found_approaches_the_smallest_one(linear, distance, seed):
    rng = np.random.default_rng(seed)
    image = (0.3 + 0.4 * rng.random((8, 8, 1))).astype(np.float32)
    weights = rng.normal(size=64)
    need = 0.6 * np.linalg.norm(weights)
    toy = linear(image, weights[None], [need], budget=600, distance=distance)
    toy.run(WaveSearch(toy.log, DISTANCES.get(distance), np.random.default_rng(seed)).steps())
    flat = image.ravel().astype(np.float64)
    least = shortest(weights, need, -flat, 1 - flat, distance)
    assert least - 1e-6 <= toy.log.distance <= 1.02 * least
    assert toy.log.queries <= 600


def test_the_model_learned_is_the_slope(linear):
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(2, 64))
    toy = linear(np.full((8, 8, 1), 0.5), weights, [3.0, 5.0], budget=500, distance="l2")
    search = WaveSearch(toy.log, DISTANCES.get("l2"), rng)
    toy.run(search.steps())
    np.testing.assert_allclose(search.model[:, search.columns.tolist().index(0)] * toy.log.unit, weights[0], atol=0.05)
    np.testing.assert_allclose(search.model[:, search.columns.tolist().index(1)] * toy.log.unit, weights[1], atol=0.05)
    steepest = np.unravel_index(np.abs(weights[0]).argmax(), (8, 8))
    assert np.unravel_index(search.evidence().argmax(), (8, 8)) == steepest


def test_a_target_is_reached_at_the_crossing_of_two_planes(linear):
    """Class 2 leads class 1 all the way; the nearest image of class 1 lies where both gaps are closed, in closed form."""
    rng = np.random.default_rng(2)
    weights = rng.normal(size=(2, 64))
    needs = np.array([2.0, 0.5])
    toy = linear(np.full((8, 8, 1), 0.5), weights, needs, budget=1500, distance="l2", target=1)
    toy.run(WaveSearch(toy.log, DISTANCES.get("l2"), rng).steps())
    planes = np.stack([weights[0], weights[0] - weights[1]])  # class 1 ahead of the label, and of class 2
    at_least = np.linalg.lstsq(planes, [needs[0], needs[0] - needs[1]], rcond=None)[0]
    alone = needs[0] / np.linalg.norm(weights[0])
    wanted = alone if planes[1] @ (weights[0] * alone / np.linalg.norm(weights[0])) >= 1.5 else np.linalg.norm(at_least)
    assert wanted - 1e-6 <= toy.log.distance <= 1.1 * wanted


def test_the_mask_is_kept(linear):
    mask = np.zeros((8, 8), dtype=bool)
    mask[2:6, 1:5] = True
    toy = linear(np.full((8, 8, 1), 0.5), np.ones((1, 64)), [2.0], budget=200, distance="l2")
    toy.run(WaveSearch(toy.log, DISTANCES.get("l2"), np.random.default_rng(0), mask.ravel()).steps())
    change = (toy.log.best - toy.image)[..., 0]
    assert not change[~mask].any()
    assert toy.log.distance == pytest.approx(2.0 / 4.0, rel=0.02)  # sixteen pixels share a rise of 2


@pytest.mark.parametrize("count", [1, pytest.param(3, marks=pytest.mark.long)])
@pytest.mark.parametrize("distance", ["l2", pytest.param("linf", marks=pytest.mark.long)])
def test_scores_that_tell_little_are_searched_by_their_decision(distance, count):
    """Probabilities of two decimals are 1.00 and 0.00 around a confident original: no wave moves them."""
    pictures, labels = signs.samples()
    predict = signs.load().predict

    def rounded(images):
        scores = predict(images)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return (powers / powers.sum(axis=1, keepdims=True)).round(2)

    asked = CallableClassifier(rounded, scores="probabilities")
    results = FeatureGuidedAttack(distance=distance, budget=250).run(asked, pictures[:count], labels[:count])
    assert all(result.success and result.queries <= 250 for result in results)
    exact = FeatureGuidedAttack(distance=distance, budget=250).run(
        CallableClassifier(predict), pictures[:count], labels[:count]
    )
    assert all(one.distance < 4 * other.distance for one, other in zip(results, exact, strict=True))


@pytest.mark.parametrize(("distance", "target"), [("l1", None), ("l1", 1), ("l2", 1), ("linf", 1)])
@pytest.mark.parametrize("levels", [2, 6, 16])
def test_levels_coarser_than_the_waves_hide_no_flip(distance, target, levels):
    """Brighter flips: half of the way to white at most, and rounded waves would all be the original."""

    def predict(images):
        mean = images.astype(np.float64).mean(axis=(1, 2, 3))
        return np.stack([np.full_like(mean, 0.6), mean], axis=1)

    image = np.round(np.random.default_rng(0).random((1, 10, 10, 1)) * 0.4 * (levels - 1)).astype(np.float32) / (levels - 1)
    attack = FeatureGuidedAttack(distance=distance, budget=100, levels=levels)
    (found,) = attack.run(CallableClassifier(predict), image, [0], targets=target)
    assert found.success
    assert predict(found.adversarial[None])[0].argmax() == 1


@pytest.mark.parametrize(("levels", "expected"), [(None, False), (2, True), (32, True), (33, False), (256, False)])
def test_waves_vanish_where_half_a_step_is_above_their_crests(levels, expected):
    """0.25 sqrt(784 / 1000) long, the crest of a wave is 0.0158: half a step of 32 levels is 0.0161, of 33 levels 0.0156."""
    log = QueryLog(
        np.zeros((28, 28, 1), np.float32), 0, None, distance=DISTANCES.get("l1"), budget=9, kind="logits", levels=levels
    )
    assert WaveSearch(log, DISTANCES.get("l1"), np.random.default_rng(0))._vanish() == expected


@pytest.mark.parametrize("levels", [None, 256])
@pytest.mark.parametrize(("distance", "most"), [("l2", 1.1), ("linf", 1.71), ("l1", 1.1)])
def test_a_wave_that_flips_far_away_does_not_keep_the_search_there(distance, most, levels):
    """One class takes over beyond a threshold, all at once; another one is much nearer, and its scores lead there."""
    weights = np.random.default_rng(0).normal(size=64)
    weights /= np.linalg.norm(weights)
    image = np.full((8, 8, 1), 128 / 255, dtype=np.float32)

    def predict(images):
        moves = images.reshape(len(images), -1).astype(np.float64) - 128 / 255
        far = np.where(np.abs(moves.mean(axis=1)) > 0.006, 1.0, -1.0)  # the first wave of all flips: it is even
        return np.stack([np.zeros(len(images)), 4 * (moves @ weights - 0.03), far], axis=1)

    dual = {"l2": 1.0, "linf": np.abs(weights).sum(), "l1": np.abs(weights).max()}[distance]
    for seed in range(3):
        attack = FeatureGuidedAttack(distance=distance, budget=400, seed=seed, levels=levels)
        (result,) = attack.run(CallableClassifier(predict), image[None], [0])
        assert 0.03 / dual - 1e-6 <= result.distance <= most * 0.03 / dual
