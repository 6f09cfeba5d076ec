"""The search along the boundary by scores: its waves, its probes, and the distances it finds where the nearest flip is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.fft import idctn

from adversarial import CallableClassifier, FeatureGuidedAttack
from adversarial.attacks.label_only.boundary_tuning import STANDARD as BOUNDARY
from adversarial.attacks.registry import ATTACKS, Task
from adversarial.attacks.scored_boundary import ScoredBoundary
from adversarial.attacks.scored_probes import BrightnessWaves, LearnedWaves, ScoredProbes
from adversarial.attacks.scored_rays import ScoredRays
from adversarial.attacks.sparse_moves.search import SparseMoves
from adversarial.attacks.waves import WaveSearch
from adversarial.distances.distance import DISTANCES
from adversarial.manipulations import load_manipulation
from adversarial.margins import most_possible
from saywhy import signs


def search(toy, distance, seed=0, mask=None):
    return ScoredBoundary(toy.log, DISTANCES.get(distance), np.random.default_rng(seed), mask)


@pytest.mark.parametrize("shape", [(6, 6, 1), (5, 7, 3), (1, 6, 2)])
def test_waves_are_an_orthonormal_basis(shape):
    size = int(np.prod(shape))
    waves = BrightnessWaves(shape, np.ones(shape[:2]), 2.0, 10_000_000).take(max(8, size))[0][:size].reshape(size, -1)
    np.testing.assert_allclose(waves @ waves.T, np.eye(size), atol=1e-12)


def test_brightness_comes_before_colours_of_the_same_frequency():
    waves = BrightnessWaves((8, 8, 3), np.ones((8, 8)), 2.0, 10_000_000).take(24)[0]
    grey = np.ptp(waves, axis=-1).max(axis=(1, 2)) < 1e-12  # the same in all channels
    assert grey[0]
    assert 12 <= grey.sum() < 24
    coloured = waves[~grey]
    np.testing.assert_allclose(coloured.sum(axis=-1), 0, atol=1e-12)  # the other colours leave the brightness as it is


@pytest.mark.parametrize("shape", [(6, 6, 1), (5, 7, 3), (12, 9, 3), (1, 6, 2)])
def test_learned_waves_are_an_orthonormal_basis_and_begin_again(shape):
    size = int(np.prod(shape))
    waves, cells = LearnedWaves(shape, np.ones(shape[:2])).take(np.random.default_rng(0), size + 3)
    flat = waves.reshape(size + 3, -1)
    np.testing.assert_allclose(flat[:size] @ flat[:size].T, np.eye(size), atol=1e-12)
    np.testing.assert_allclose(np.abs(flat[size:] @ flat[:size].T).max(axis=1), 1, atol=1e-12)
    assert len(cells) == size + 3


def test_learned_waves_come_from_where_waves_told_much():
    """A slope of fine brightness: its energy lies in the upper half of both frequencies, a quarter of the brightness waves."""
    rng = np.random.default_rng(0)
    fine = np.zeros((32, 32, 3))
    fine[16:, 16:, :] = rng.normal(size=(16, 16, 1))  # the cosine transform of the slope, the same in all channels
    slope = idctn(fine, axes=(0, 1), norm="ortho").ravel()
    waves, told = LearnedWaves((32, 32, 3), np.ones((32, 32))), []
    for _ in range(16):
        drawn, cells = waves.take(rng, 8)
        slopes = (drawn.reshape(8, -1) @ slope) ** 2
        waves.told(cells, slopes)
        told.append(float((slopes > 1e-12).mean()))
    assert np.mean(told[8:]) > 0.75  # by chance, a twelfth
    assert np.mean(told[8:]) > 2 * np.mean(told[:2])


@pytest.mark.parametrize("fine", [True, False])
def test_frequencies_are_learned_only_where_fine_waves_tell_far_more(fine):
    probes = ScoredProbes(np.full((16, 16, 1), 0.5), np.ones((16, 16)), np.random.default_rng(0), BOUNDARY)
    spectrum = np.zeros((16, 16, 1))
    spectrum[8:, 8:] = 1.0
    slope = idctn(spectrum if fine else spectrum[::-1, ::-1], axes=(0, 1), norm="ortho").ravel()
    moves = probes.waves(16).reshape(16, -1)
    probes.told_by_waves(moves, (moves @ slope)[:, None])
    assert probes.fine == fine


@pytest.mark.parametrize(("distance", "most"), [("l2", 1.05), ("linf", 1.1)])
@pytest.mark.parametrize("seed", range(3))
def test_the_distance_found_approaches_the_smallest_one(linear, distance, most, seed):
    """The nearest flip of a plane is the need over the dual norm of the slope, where the colour cube does not bind."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=64)
    dual = np.linalg.norm(weights) if distance == "l2" else np.abs(weights).sum()
    toy = linear(np.full((8, 8, 1), 0.5), weights[None], [0.2 * dual], budget=300, distance=distance)
    toy.run(search(toy, distance, seed).steps())
    assert 0.2 - 1e-6 <= toy.log.distance <= most * 0.2
    assert toy.log.queries <= 300


def test_the_nearest_of_several_classes_is_found(linear):
    """The class that is nearest in score is six times as far: what counts is the distance of its boundary."""
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(2, 64))
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    weights[0] *= 0.1
    toy = linear(np.full((8, 8, 1), 0.5), weights, [0.15, 0.25], budget=300, distance="l2")
    toy.run(search(toy, "l2").steps())
    assert 0.25 - 1e-6 <= toy.log.distance <= 0.25 * 1.05


def test_the_mask_is_kept(linear):
    mask = np.zeros((8, 8), dtype=bool)
    mask[2:6, 1:5] = True
    for distance, least in (("l2", 2.0 / 4), ("linf", 2.0 / 16)):  # sixteen pixels share a rise of 2
        toy = linear(np.full((8, 8, 1), 0.5), np.ones((1, 64)), [2.0], budget=200, distance=distance)
        toy.run(search(toy, distance, mask=mask).steps())
        change = (toy.log.best - toy.image)[..., 0]
        assert not change[~mask].any()
        assert toy.log.distance == pytest.approx(least, rel=0.05)


@pytest.mark.parametrize("distance", ["l2", "linf"])
@pytest.mark.parametrize("budget", [1, 2, 7, 12, 31])
def test_tiny_budgets_and_classifiers_that_never_flip_end_within_the_budget(linear, distance, budget):
    toy = linear(np.full((8, 8, 1), 0.5), np.ones((1, 64)), [1000.0], budget=budget, distance=distance)
    toy.run(search(toy, distance).steps())
    assert not toy.log.found()
    assert toy.log.queries <= budget


def test_targets_are_searched_by_waves_alone_and_l1_by_few_pixels_as_well(linear):
    for distance, target, kind in (("l2", None, ScoredBoundary), ("linf", None, ScoredBoundary), ("l2", 1, WaveSearch),
                                   ("l1", None, SparseMoves)):  # fmt: skip
        toy = linear(np.full((8, 8, 1), 0.5), np.ones((1, 64)), [2.0], budget=50, distance=distance, target=target)
        task = Task(
            log=toy.log, distance=DISTANCES.get(distance), manipulation=load_manipulation("corners"), seed=0,
            classifier=CallableClassifier(toy.predict),
        )  # fmt: skip
        assert type(ATTACKS.get("waves").start(task)) is kind


def test_kinds_of_probes_that_tell_more_are_drawn_more_often():
    """Only what varies slowly counts: a plane with one slope everywhere. White noise tells next to nothing of it."""
    image = np.full((16, 16, 1), 0.5)
    probes = ScoredProbes(image, np.ones((16, 16)), np.random.default_rng(0), BOUNDARY)
    slope = np.ones(256) / 16

    def share_of_smooth(batches):
        slopes = []
        for _ in range(batches):
            drawn = probes.draw(16, np.ones_like(image)).reshape(16, -1)
            slopes.append(np.abs(drawn @ slope))
            probes.told(drawn, drawn @ slope)
        return np.mean(slopes)

    first = share_of_smooth(8)
    share_of_smooth(40)
    assert share_of_smooth(8) > 1.3 * first


def test_the_radius_is_found_by_the_secant(linear):
    """On a plane, the gap is linear in the radius: two queries come within the spare."""
    toy = linear(np.full((8, 8, 1), 0.5), np.ones((1, 64)), [6.4], budget=50, distance="linf")
    toy.run(toy.log.ask(toy.image[None]))
    rays = ScoredRays(toy.log, np.random.default_rng(0))

    def steps():
        assert (yield from rays._flips(np.ones((8, 8, 1)), 0.4))
        yield from rays._shorten(np.ones((8, 8, 1)), 0.4)

    toy.run(steps())
    assert 0.1 <= rays.radius <= 0.1 * 1.005
    assert toy.log.queries <= 1 + 1 + 3


def test_a_class_that_an_answer_leaves_out_has_at_most_what_is_left():
    answers = np.array([
        [0.9, 0.025, 0.025, 0.025, 0.025],  # one class told: each other one could have the 0.1 that is left
        [0.3, 0.3, 0.2, 0.1, 0.1],  # three told: 0.2 is left, and the least one told has 0.2
        [0.4, 0.15, 0.15, 0.15, 0.15],  # 0.6 is left, but no class left out has more than the one that was told
    ])  # fmt: skip
    wanted = [[0.9, 0.1, 0.1, 0.1, 0.1], [0.3, 0.3, 0.2, 0.2, 0.2], [0.4] * 5]
    np.testing.assert_allclose(most_possible(answers), wanted)


def probabilities(images):
    scores = signs.load().predict(images).astype(np.float64)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def first_class(images):
    shares = probabilities(images)
    return np.where(shares == shares.max(axis=1, keepdims=True), shares, 0)


@pytest.mark.long
@pytest.mark.parametrize("distance", ["l2", "linf"])
@pytest.mark.parametrize("budget", [250])
def test_who_is_told_more_does_not_find_larger_changes(distance, budget):
    """The demo's signs: mean of the logarithms of the distances, with logits, with the first class, and with the label alone."""
    pictures, labels = signs.samples()
    kinds = {
        "logits": CallableClassifier(signs.load().predict),
        "first class": CallableClassifier(first_class, "top-k"),
        "label": CallableClassifier(lambda images: probabilities(images).argmax(axis=1), "label", classes=12),
    }
    attack = FeatureGuidedAttack(distance=distance, budget=budget)
    results = {name: attack.run(classifier, pictures, labels) for name, classifier in kinds.items()}
    assert all(one.success and one.queries <= budget for found in results.values() for one in found)
    sizes = {name: np.mean([np.log(one.distance) for one in found]) for name, found in results.items()}
    assert sizes["logits"] <= sizes["label"] + 0.03
    assert sizes["first class"] <= sizes["label"] + 0.1
