"""Large pictures in blocks: what is asked about them, what is kept of the answers, and how little memory that takes."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest

from adversarial import CallableClassifier, FeatureGuidedAttack
from adversarial.attacks.large_pictures.coarse_log import CoarseLog, block_side, pooled
from adversarial.distances.distance import DISTANCES
from adversarial.distances.levels import on_grid
from adversarial.query_log import BudgetSpent, QueryLog

MEGABYTE = 2**20


def log_of(image, distance="l2", **options):
    return QueryLog(image, 0, options.pop("target", None), distance=DISTANCES.get(distance), kind="logits", **options)


def scores_of(images, threshold):
    """Class 1 wins where the mean of the upper left quarter is above a threshold."""
    height, width = images.shape[1] // 2, images.shape[2] // 2
    bright = images[:, :height, :width].mean(axis=(1, 2, 3), dtype=np.float64) - threshold
    return np.stack([np.zeros(len(images)), bright, bright - 1], axis=1)


def drive(search, threshold=0.6):
    asked = []
    try:
        images = next(search)
        while True:
            asked.append(images.copy())
            images = search.send(scores_of(images, threshold))
    except StopIteration as end:
        return asked, end.value


@pytest.mark.parametrize(("shape", "block"), [((6, 9, 3), 3), ((7, 5, 1), 2), ((1, 8, 4), 3), ((5, 5, 3), 7)])
def test_means_of_blocks_are_those_of_plain_loops(shape, block):
    image = np.random.default_rng(0).random(shape).astype(np.float32)
    small = pooled(image, block)
    assert small.shape == (-(-shape[0] // block), -(-shape[1] // block), shape[2])
    for row, column in np.ndindex(small.shape[:2]):
        inside = image[row * block : (row + 1) * block, column * block : (column + 1) * block]
        np.testing.assert_allclose(small[row, column], inside.mean(axis=(0, 1)), atol=1e-6)


@pytest.mark.parametrize(("shape", "block"), [((6, 9, 3), 3), ((7, 5, 1), 2), ((1, 8, 4), 3), ((5, 5, 3), 7)])
@pytest.mark.parametrize("masked", [False, True])
def test_every_pixel_moves_with_its_block_inside_the_colour_cube_and_the_mask(shape, block, masked):
    rng = np.random.default_rng(1)
    image = rng.random(shape).astype(np.float32)
    mask = rng.random(shape[:2]) < 0.6 if masked else None
    coarse = CoarseLog(log_of(image, budget=50), block, 2.0, mask)
    small = np.clip(coarse.image + rng.normal(size=(4, *coarse.image.shape)) * 0.4, 0, 1).astype(np.float32)
    large = coarse.finer(small)
    for number, row, column in np.ndindex(4, *shape[:2]):
        move = small[number, row // block, column // block] - coarse.image[row // block, column // block]
        wanted = image[row, column] if masked and not mask[row, column] else np.clip(image[row, column] + move, 0, 1)
        np.testing.assert_allclose(large[number, row, column], wanted, atol=1e-6)


def test_the_unchanged_small_picture_is_the_large_one():
    image = np.random.default_rng(2).random((10, 11, 3)).astype(np.float32)
    coarse = CoarseLog(log_of(image, budget=5), 4, 2.0)
    np.testing.assert_array_equal(coarse.finer(coarse.image[None])[0], image)


@pytest.mark.parametrize(("distance", "power"), [("l2", 2.0), ("linf", math.inf), ("l1", 1.0)])
def test_the_small_log_follows_the_large_one_in_its_own_unit(distance, power):
    image = np.full((12, 12, 3), 0.5, dtype=np.float32)
    fine = log_of(image, distance, budget=50)
    coarse = CoarseLog(fine, 3, power)
    small = np.repeat(coarse.image[None], 3, axis=0)
    small[0, 0, 0] += 0.1
    small[1, :2, :2] += 0.2
    small[2, :2, :2] += 0.3
    asked, gaps = drive(coarse.ask(small), threshold=0.6)
    assert [len(images) for images in asked] == [3]
    assert (gaps.max(axis=1) > 0).tolist() == [False, True, True]
    assert coarse.queries == fine.queries == 3
    np.testing.assert_array_equal(coarse.best, small[1])
    assert fine.distance == pytest.approx(DISTANCES.get(distance).between(image, fine.best))
    assert coarse.distance == pytest.approx(DISTANCES.get(distance).between(coarse.image, small[1]), rel=1e-5)
    np.testing.assert_array_equal(coarse.best_scores, fine.best_scores)
    drive(coarse.ask(small[2:]))
    np.testing.assert_array_equal(coarse.best, small[1])  # a farther one changes nothing


def test_an_original_that_flips_is_found_at_distance_0():
    image = np.full((12, 12, 3), 0.9, dtype=np.float32)
    fine = log_of(image, budget=50)
    coarse = CoarseLog(fine, 3, 2.0)
    drive(coarse.ask(coarse.image[None]))
    assert coarse.found()
    assert coarse.distance == fine.distance == 0
    np.testing.assert_array_equal(coarse.best, coarse.image)


def test_a_log_that_knows_the_original_answers_for_it():
    image = np.full((12, 12, 3), 0.5, dtype=np.float32)
    fine = log_of(image, budget=50)
    fine.look(scores_of(image[None], 0.6))
    coarse = CoarseLog(fine, 3, 2.0)
    asked, gaps = drive(coarse.ask(coarse.image[None]))
    assert not asked
    assert gaps.shape == (1, 2)


def test_few_are_asked_about_at_once_and_none_beyond_the_budget():
    image = np.full((300, 300, 3), 0.5, dtype=np.float32)
    fine = log_of(image, budget=70)
    coarse = CoarseLog(fine, 4, 2.0)
    many = np.repeat(coarse.image[None], 100, axis=0)
    asked, gaps = drive(coarse.ask(many))
    assert max(len(images) for images in asked) * image.size <= 8_000_000
    assert sum(len(images) for images in asked) == len(gaps) == 70
    with pytest.raises(BudgetSpent):
        drive(coarse.ask(many))


def test_small_pictures_and_other_distances_are_searched_as_they_are():
    assert block_side((48, 48, 3), 2.0) == block_side((96, 96, 3), 2.0) == block_side((28, 28, 1), math.inf) == 1
    assert block_side((512, 512, 3), None) == block_side((227, 227, 3), 1.0) == 1
    for shape, power in (((227, 227, 3), 2.0), ((512, 512, 3), math.inf), ((512, 512, 3), 1.0), ((130, 900, 1), 2.0)):
        block = block_side(shape, power)
        assert 1 < block < 8
        assert math.prod(shape) / block**2 < 50_000


@pytest.mark.parametrize("distance", ["l2", "linf", "l1"])
@pytest.mark.parametrize("target", [None, 1])
def test_a_search_on_a_large_picture_finds_a_near_one_and_holds_little_memory(distance, target):
    image = np.random.default_rng(3).random((200, 200, 3)).astype(np.float32) * 0.2 + 0.4
    classifier = CallableClassifier(lambda images: scores_of(images, 0.55))
    attack = FeatureGuidedAttack(distance=distance, budget=120)
    tracemalloc.start()
    result = attack.run(classifier, image[None], [0], targets=None if target is None else [target])[0]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # the mean of a quarter of the values must rise by 0.05: no image is nearer than that by which all of them rise so far
    values = image.size / 4
    least = {"l2": 0.05 * math.sqrt(values), "linf": 0.05, "l1": 0.05 * values}[distance]
    assert result.success
    assert 0.99 * least <= result.distance < 2.5 * least
    assert result.queries <= 120
    assert result.touched.scores.shape == (200, 200)
    assert peak < (200 if distance == "l1" else 130) * MEGABYTE  # in L1 all pixels move


@pytest.mark.parametrize("levels", [2, 5, 256, 1000])
def test_large_images_are_put_on_the_grid_as_small_ones_are(levels):
    images = np.random.default_rng(4).random((2, 100, 101, 3)).astype(np.float32)
    large = on_grid(images, levels)
    small = np.stack([on_grid(row[None], levels)[0] for row in images.reshape(-1, 101, 3)]).reshape(images.shape)
    middle = np.abs(images * np.float64(levels - 1) % 1 - 0.5) < 1e-3  # either level is as near
    np.testing.assert_array_equal(np.where(middle, 0, large), np.where(middle, 0, small))
    np.testing.assert_array_equal(on_grid(large, levels), large)
    assert np.abs(large - images).max() <= 0.5001 / (levels - 1)
