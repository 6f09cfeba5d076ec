"""What probes tell about the slope of a boundary, and choices that learn from rewards."""

from __future__ import annotations

import numpy as np
import pytest

from adversarial.attacks.label_only.preferences import Preferences
from adversarial.attacks.label_only.probes import slope


def cosine(one, other):
    return float((one * other).sum() / np.linalg.norm(one) / np.linalg.norm(other))


def test_the_slope_is_told_whatever_the_moves_have_in_common():
    """Two values that mostly move together, and a decision by their difference: the sum must not drown it."""
    rng = np.random.default_rng(0)
    together, apart = rng.standard_normal((2, 1000))
    moves = np.stack([together + 0.3 * apart, together - 0.3 * apart], axis=-1).reshape(-1, 1, 2, 1)
    weights = np.array([1.0, -0.8]).reshape(1, 2, 1)
    flips = (moves * weights).sum(axis=(1, 2, 3)) > 0
    means = moves[flips].mean(axis=0) - moves[~flips].mean(axis=0)
    # the covariance is 1.09 and 0.91, so that the means point to (1.09 - 0.8 * 0.91, 0.91 - 0.8 * 1.09) = (0.362, 0.038)
    assert cosine(means, weights) == pytest.approx(0.71, abs=0.04)
    assert cosine(slope(moves, flips, 1e-3), weights) > 0.99


def test_with_a_great_ridge_the_slope_is_the_difference_of_the_means():
    rng = np.random.default_rng(1)
    moves, flips = rng.standard_normal((30, 3, 4, 2)), np.arange(30) % 3 == 0
    assert cosine(slope(moves, flips, 1e9), moves[flips].mean(axis=0) - moves[~flips].mean(axis=0)) == pytest.approx(1)


@pytest.mark.parametrize("answer", [True, False])
def test_where_all_answers_are_the_same_the_slope_points_to_or_from_the_moves(answer):
    moves = np.random.default_rng(2).random((5, 2, 2, 1))
    found = slope(moves, np.full(5, answer), 1.0)
    assert ((moves * found).sum(axis=(1, 2, 3)) > 0).all() == answer
    assert not slope(np.zeros((3, 2, 2, 1)), np.array([True, False, True]), 1.0).any()


def drawn(preferences, count=400):
    rng = np.random.default_rng(0)
    return np.mean([preferences.draw(rng)[0] for _ in range(count)])


def test_an_option_preferred_at_first_is_drawn_more_often_until_rewards_speak_against_it():
    preferences = Preferences([2], rate=1.0, average=0.3, chance=0.05)
    preferences.prefer(0, 1, 2.0)
    assert drawn(preferences) > 0.75  # 0.95 / (1 + exp(-2)) + 0.025 = 0.86
    rng = np.random.default_rng(3)
    for _ in range(60):
        (option,) = preferences.draw(rng)
        preferences.reward(-1.0 if option else 1.0)
    assert drawn(preferences) < 0.25


def test_one_very_bad_reward_counts_no_more_than_the_most():
    shares = []
    for worst in (-1.0, -1000.0):
        preferences = Preferences([2], rate=1.0, average=0.3, chance=0.05, most=0.5)
        rng = np.random.default_rng(4)
        for value in (0.0, worst):
            preferences.draw(rng)
            preferences.reward(value)
        shares.append(drawn(preferences))
    assert shares[0] == shares[1]
    assert 0.2 < shares[0] < 0.8
