"""The table of moves: what it renders, and what a mask closes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversarial.attacks.moves import corners, make_move_table

PICTURE = np.random.default_rng(5).random((3, 4, 3), dtype=np.float32)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.integers(0, 11), st.integers(0, 7), max_size=5), min_size=1, max_size=4))
def test_rendered_images_differ_in_the_changed_pixels_alone(chosen):
    moves = make_move_table(PICTURE, "corners")
    images = moves.render([tuple(sorted(8 * pixel + value for pixel, value in one.items())) for one in chosen])
    assert images.dtype == np.float32
    assert images.shape == (len(chosen), 3, 4, 3)
    for image, one in zip(images, chosen, strict=True):
        for pixel in range(12):
            row, column = divmod(pixel, 4)
            # the corners in binary order: value 6 is red and green
            digits = [float(digit) for digit in f"{one[pixel]:03b}"] if pixel in one else PICTURE[row, column].tolist()
            assert image[row, column].tolist() == digits


def test_the_original_is_not_written_to():
    picture = PICTURE.copy()
    make_move_table(picture, "corners").render([(0, 9), (17,)])
    np.testing.assert_array_equal(picture, PICTURE)


def test_size_is_the_mean_change_per_channel():
    moves = make_move_table(np.array([[[0.5, 0.25, 1.0]]], dtype=np.float32), "corners")
    np.testing.assert_allclose(moves.size[0b000], (0.5 + 0.25 + 1.0) / 3, rtol=1e-6)
    np.testing.assert_allclose(moves.size[0b011], (0.5 + 0.75 + 0.0) / 3, rtol=1e-6)


def test_changes_that_do_nothing_or_next_to_nothing_are_closed():
    image = np.array([[[0.0], [0.05], [0.5]]], dtype=np.float32)
    moves = make_move_table(image, "corners")
    assert (moves.size > 0).tolist() == [False, True, False, True, True, True]


def test_within_a_mask():
    moves = make_move_table(PICTURE, "corners")
    mask = np.arange(12) % 3 == 0
    inner = moves.within(mask)
    for pixel in range(12):
        inside = inner.size[8 * pixel : 8 * pixel + 8]
        np.testing.assert_array_equal(inside, moves.size[8 * pixel : 8 * pixel + 8] if mask[pixel] else np.zeros(8))
    assert (moves.size > 0).sum() > (inner.size > 0).sum()


@pytest.mark.parametrize("channels", range(1, 5))
def test_corners_are_all_and_distinct(channels):
    found = corners(channels)
    assert found.shape == (2**channels, channels)
    assert len(np.unique(found, axis=0)) == 2**channels
    assert set(np.unique(found)) == {0.0, 1.0}
