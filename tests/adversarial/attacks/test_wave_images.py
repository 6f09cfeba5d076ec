"""Large pictures with waves added, and the model that learns from them, beside the same computed value by value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.fft import idctn

from adversarial.attacks.label_only.boundary_tuning import STANDARD as BOUNDARY
from adversarial.attacks.label_only.probes import Probes, cosines
from adversarial.attacks.large_pictures.wave_images import WaveImages, correct, expected
from adversarial.attacks.tuning import STANDARD
from adversarial.attacks.waves import Waves, WaveSearch, projection
from adversarial.distances.distance import DISTANCES
from adversarial.distances.improving import improving

SHAPES = [(11, 8, 3), (6, 9, 1), (1, 1, 1), (5, 7, 2)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("levels", [None, 256, 4])
@pytest.mark.parametrize("masked", [False, True])
def test_images_have_the_waves_that_the_basis_has(shape, levels, masked):
    rng = np.random.default_rng(3)
    allowed = (rng.random(shape[:2]) < 0.6).astype(np.float32) if masked else None
    everywhere = None if allowed is None else np.repeat(allowed.ravel(), shape[2])
    point, count = rng.random(shape), 13
    signs = np.where(rng.random(count) < 0.5, -1.0, 1.0)
    waves = Waves(shape, 0.6, 10_000_000, everywhere).take(count).reshape(count, *shape) * signs[:, None, None, None]
    made = WaveImages(shape, levels, allowed, replace(STANDARD.large_pictures, together=0, least_together=5))
    factors = Waves(shape, 0.6, 10_000_000, everywhere).factors(count, signs)
    start = point if levels is None else np.rint(point * (levels - 1)) / (levels - 1)
    np.testing.assert_allclose(made.begin(point, count), start, atol=1e-6)
    for first in range(0, count, 5):
        images, moves = made.around(factors, first)
        assert len(images) == len(moves) == min(5, count - first)
        for row, wave in enumerate(waves[first : first + 5]):
            moved = np.clip(start + wave, 0, 1)
            if levels is None:
                np.testing.assert_allclose(images[row], moved, atol=1e-5)
            else:  # the nearest on the grid, whichever it is between two equally near
                steps = images[row].astype(np.float64) * (levels - 1)
                np.testing.assert_allclose(steps, np.rint(steps), atol=1e-4)
                assert (np.abs(steps - moved * (levels - 1)) <= 0.501).all()
            channel = factors.channels[first + row]
            np.testing.assert_allclose(moves[row], (moved - start)[..., channel].ravel(), atol=1e-5)


def test_values_at_places_are_put_into_the_point():
    rng = np.random.default_rng(0)
    made, point = WaveImages((4, 5, 3), 256), np.rint(rng.random((4, 5, 3)) * 255) / 255
    made.begin(point, 0)
    images = made.with_values(np.array([2, 30]), np.array([[0.5, 2.0], [-1.0, 1 / 255]]))
    for image, values in zip(images, [(128 / 255, 1.0), (0.0, 1 / 255)], strict=True):
        wanted = point.ravel().copy()
        wanted[[2, 30]] = values
        np.testing.assert_allclose(image.ravel(), wanted, atol=1e-7)


@pytest.mark.parametrize("channels", [1, 3])
def test_channel_by_channel_a_model_learns_what_it_learns_from_whole_moves(channels):
    rng = np.random.default_rng(4)
    model, moves = rng.normal(size=(20 * channels, 4)), rng.normal(size=(11, 20)).astype(np.float32)
    where = np.sort(rng.integers(0, channels, 11)) if channels == 3 else np.zeros(11, dtype=np.int64)
    for numbers in (where, rng.permutation(where), np.arange(11) % channels):
        whole = np.zeros((11, 20, channels))
        whole[np.arange(11), :, numbers] = moves
        flat = whole.reshape(11, -1)
        told = expected(model, moves, numbers, channels)
        np.testing.assert_allclose(told, flat @ model, atol=1e-5)
        wrong = rng.normal(size=(11, 4))
        learned = model.copy()
        correct(learned, moves, numbers, wrong, 0.5, channels)
        np.testing.assert_allclose(learned, model + projection(flat, wrong, 0.5), atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_searched_as_a_large_picture_the_distance_found_approaches_the_smallest_one(linear, channels):
    rng = np.random.default_rng(5)
    image, weights = np.full((6, 6, channels), 0.5), rng.normal(size=36 * channels)
    toy = linear(image, weights[None], [0.5 * np.sort(np.abs(weights))[-6:].sum()], budget=900, distance="l1")
    tuning = replace(STANDARD, large_pictures=replace(STANDARD.large_pictures, single=0))
    search = WaveSearch(toy.log, DISTANCES.get("l1"), np.random.default_rng(0), tuning=tuning)
    toy.run(search.steps())
    assert search.model.dtype == np.float32
    # the six steepest values go to their ends, half of 1 away, and no other way is shorter
    assert 3 - 1e-6 <= toy.log.distance <= 1.02 * 3


def test_cosines_are_those_of_the_inverse_transform():
    np.testing.assert_allclose(cosines(9, 9), idctn(np.eye(9), axes=(0,), norm="ortho"), atol=1e-6)
    np.testing.assert_array_equal(cosines(9, 4), cosines(9, 9)[:, :4])


@pytest.mark.parametrize("spectrum", [0, 1, 2])
@pytest.mark.parametrize("colours", [0, 1])
def test_probes_of_large_pictures_are_noise_of_the_same_kind(monkeypatch, spectrum, colours):
    image = np.random.default_rng(0).random((24, 20, 3))
    drawn = []
    for large in (False, True):
        monkeypatch.setattr("adversarial.attacks.label_only.probes.is_large", lambda _, large=large: large)
        probes = Probes(image, np.ones((24, 20)), BOUNDARY).draw(np.random.default_rng(1), 600, [spectrum, 1, colours], image)
        assert probes.dtype == (np.float32 if large else np.float64)
        beside = [np.mean(probes * np.roll(probes, 1, axis=axis)) for axis in (1, 2, 3)]
        drawn.append(np.array([np.mean(probes**2), *beside]) / np.mean(probes**2, dtype=np.float64))
        scale = float(np.sqrt(np.mean(probes**2)))
        drawn[-1][0] = scale
    np.testing.assert_allclose(drawn[1], drawn[0], rtol=0.03, atol=0.01)


def test_farther_images_are_told_in_single_precision_in_l1(monkeypatch):
    monkeypatch.setattr("adversarial.distances.improving.LARGE", 0)
    rng = np.random.default_rng(0)
    image, images = np.full((5, 5, 3), 0.5, dtype=np.float32), rng.random((20, 5, 5, 3), dtype=np.float32)
    distances = np.abs(images.astype(np.float64) - 0.5).sum(axis=(1, 2, 3))
    nearer = [row for row in range(20) if distances[row] < min([distances[0] * 1.1, *distances[:row]])]
    found = list(improving(DISTANCES.get("l1"), image, images, range(20), float(distances[0] * 1.1)))
    assert [row for row, _ in found] == nearer
    np.testing.assert_allclose([far for _, far in found], distances[nearer])
