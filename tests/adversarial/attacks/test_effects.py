"""What the search learns: kernel regression against plain loops, forgetting, and the classes it follows."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversarial.attacks.feature_guided.effects import Effects
from adversarial.attacks.moves import corners
from adversarial.attacks.tuning import STANDARD

T = STANDARD.effects


def regression(shape, codes, seen):
    """Mean and deviation of every change, by the formula, one pair at a time; `seen` maps changes to (sum, weight)."""
    height, width = shape
    count = codes.shape[-2]
    codes = np.broadcast_to(codes, (height * width, *codes.shape[-2:]))
    near = T.near * max(1.0, min(shape) / T.near_side)
    means, deviations = [], []
    for row, column, value in itertools.product(range(height), range(width), range(count)):
        total = weight = 0.0
        for change, (their_sum, their_weight) in seen.items():
            pixel, other = divmod(change, count)
            down, across = row - pixel // width, column - pixel % width
            if max(abs(down), abs(across)) > T.far * near / T.near:
                continue
            apart = np.abs(codes[row * width + column, value] - codes[pixel, other]).sum()
            apart *= T.grey_factor if codes.shape[-1] == 1 else 1
            likeness = math.exp(-(down**2 + across**2) / (2 * near**2) - T.colour_distance * apart)
            total += likeness * their_sum
            weight += likeness * their_weight
        around = total / (weight + T.no_effect)
        own_sum, own_weight = seen.get((row * width + column) * count + value, (0.0, 0.0))
        means.append((own_sum + T.neighbourhood * around) / (own_weight + T.neighbourhood))
        deviation = 1 / math.sqrt(1 + T.crowding * weight)
        deviations.append(deviation * T.seen_deviation if own_weight else deviation)
    return np.array(means), np.array(deviations)


@pytest.mark.parametrize(("shape", "channels"), [((4, 6), 1), ((7, 5), 3), ((1, 9), 3)])
def test_estimates_are_the_kernel_regression(shape, channels):
    rng = np.random.default_rng(7)
    codes = corners(channels)
    effects = Effects(shape, codes, 1)
    changes = rng.choice(shape[0] * shape[1] * len(codes), 6, replace=False)
    seen = {int(change): (float(value), 1.0) for change, value in zip(changes, rng.normal(size=6), strict=True)}
    effects.observe(changes, np.array([[seen[int(change)][0]] for change in changes]))
    effects.refresh(np.array([-1.0]))
    mean, deviation = regression(shape, codes, seen)
    np.testing.assert_allclose(effects.mean[:, 0], mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(effects.deviation, deviation, rtol=1e-4)
    assert effects.scale[0] == pytest.approx(math.sqrt(np.mean([value**2 for value, _ in seen.values()])), rel=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_estimates_where_every_pixel_has_its_own_colours(channels):
    rng = np.random.default_rng(8)
    codes = rng.integers(0, 3, size=(30, 4, channels)).astype(np.float32) / 2
    effects = Effects((5, 6), codes, 1)
    changes = rng.choice(120, 9, replace=False)
    seen = {int(change): (float(value), 1.0) for change, value in zip(changes, rng.normal(size=9), strict=True)}
    effects.observe(changes, np.array([[seen[int(change)][0]] for change in changes]))
    effects.refresh(np.array([-1.0]))
    mean, deviation = regression((5, 6), codes, seen)
    np.testing.assert_allclose(effects.mean[:, 0], mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(effects.deviation, deviation, rtol=1e-4)


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (4, 9), (9, 4)])
def test_long_axes_are_estimated_alike(shape, monkeypatch):
    """Their kernels are kept without the zeros."""
    rng = np.random.default_rng(3)
    changes = rng.choice(shape[0] * shape[1] * 8, 7, replace=False)
    moved = rng.normal(size=(7, 1))

    def estimated():
        effects = Effects(shape, corners(3), 1)
        effects.observe(changes, moved)
        effects.refresh(np.array([-1.0]))
        return effects.mean, effects.deviation

    whole = estimated()
    monkeypatch.setattr("adversarial.attacks.feature_guided.effects.LONG_AXIS", 8)
    for dense, banded in zip(whole, estimated(), strict=True):
        np.testing.assert_allclose(banded, dense, rtol=1e-5, atol=1e-7)


def test_the_kernel_grows_with_the_image():
    effects = Effects((80, 100), corners(1), 1)
    effects.observe(np.array([2 * (40 * 100 + 50)]), np.array([[1.0]]))
    effects.refresh(np.array([-1.0]))
    reached = np.argwhere(effects.mean.reshape(80, 100, 2)[:, :, 0] > 0)
    assert reached.min(axis=0).tolist() == [34, 44]  # twice 3 pixels: the image is twice 40 pixels high
    assert reached.max(axis=0).tolist() == [46, 56]


def test_what_was_seen_last_counts_most():
    effects = Effects((2, 2), corners(1), 1)
    effects.observe(np.array([3]), np.array([[1.0]]))
    effects.observe(np.array([3]), np.array([[3.0]]))
    assert effects.seen.tolist() == [3]
    assert effects.observed()[0, 0] == pytest.approx((0.7 * 1 + 3) / (0.7 + 1))
    effects.observe(np.array([3, 3]), np.array([[5.0], [7.0]]))  # twice in one batch: both are new, neither fades
    assert effects.observed()[0, 0] == pytest.approx((0.49 * 1 + 0.7 * 3 + 5 + 7) / (0.49 + 0.7 + 2))


def test_many_changes_are_remembered():
    effects = Effects((30, 30), corners(1), 2)
    values = np.random.default_rng(0).normal(size=(1800, 2)).astype(np.float32)
    for start in range(0, 1800, 100):
        effects.observe(np.arange(start, start + 100), values[start : start + 100])
    np.testing.assert_array_equal(effects.observed(), values)
    np.testing.assert_array_equal(effects.observed(np.array([1])), values[:, 1:])


def test_classes_are_those_that_seem_to_need_the_fewest_changes():
    effects = Effects((1, 3), corners(1), 6)
    effects.observe(np.array([0]), np.array([[1.0, 4.0, -1.0, 2.0, 0.5, 0.1]]))
    gaps = np.array([-3.0, -4.0, -0.1, -4.0, -0.4, -9.0])  # need 3, 1, (never), 2, 0.8 and 90 changes
    effects.refresh(gaps)
    assert effects.classes.tolist() == [4, 1, 3, 0]
    np.testing.assert_allclose(effects.step, [0.5, 4.0, 2.0, 1.0])
    effects.refresh(gaps, focus=2)
    assert effects.classes.tolist() == [2]


def test_with_a_target_the_farthest_classes_are_followed_in_one_unit():
    effects = Effects((1, 3), corners(1), 6, targeted=True)
    effects.observe(np.array([0]), np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]))
    effects.refresh(np.array([-1.0, -6.0, -2.0, -5.0, -3.0, 4.0]))
    assert effects.classes.tolist() == [1, 3, 4, 2]
    np.testing.assert_allclose(effects.step, 2.0)


def test_utility_is_the_gap_after_the_change_in_steps():
    effects = Effects((1, 1), corners(1), 3)
    effects.classes, effects.step = np.array([2, 0]), np.array([2.0, 0.5], dtype=np.float32)
    belief = np.array([[1.0, 0.0], [-1.0, 3.0]], dtype=np.float32)
    gaps = np.array([-1.0, 9.0, -4.0])  # in steps: class 2 is 2 behind, class 0 also 2
    np.testing.assert_allclose(effects.utility(belief, gaps), [max(1 - 2, 0 - 2), max(-1 - 2, 3 - 2)])
    effects.targeted = True
    np.testing.assert_allclose(effects.utility(belief, gaps), [min(1 - 2, 0 - 2), min(-1 - 2, 3 - 2)])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 39), st.floats(-5, 5, width=32)), min_size=1, max_size=30))
def test_estimates_lie_between_nothing_and_the_extremes(observations):
    effects = Effects((4, 5), corners(1), 1)
    for change, value in observations:
        effects.observe(np.array([change]), np.array([[value]]))
    effects.refresh(np.array([-1.0]))
    values = [value for _, value in observations]
    assert (effects.mean >= min(0, *values) - 1e-4).all()
    assert (effects.mean <= max(0, *values) + 1e-4).all()
    assert (effects.deviation > 0).all()
    assert (effects.deviation <= 1).all()
    unseen = np.setdiff1d(np.arange(40), effects.seen)
    if len(unseen):
        assert effects.deviation[effects.seen].max() < max(T.seen_deviation, effects.deviation[unseen].min())
